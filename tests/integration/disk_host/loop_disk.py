# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A disk of a small server as a loop device of this machine, which may lack device-mapper and most drivers."""

from __future__ import annotations

import contextlib
import os
import pathlib
import subprocess
import typing as t

from openrescue_lab import loop, modules
from openrescue_lab.disk import sha256

BOOT_UUID = "11111111-1111-4111-8111-111111111111"
WRONG_UUID = "11111111-1111-4111-8111-11111111bad1"
FSTAB = f"LABEL=root / {{fstype}} defaults 0 1\nUUID={WRONG_UUID} /boot ext4 defaults 0 2\n"
FIXED = f"UUID={BOOT_UUID} /boot ext4 defaults 0 2\n"


def run(*argv: t.Any) -> str:
    return subprocess.run([str(word) for word in argv], check=True, stdout=subprocess.PIPE, text=True).stdout


def module(name: str, *, check: bool = False, **arguments: t.Any) -> dict[str, t.Any]:
    return modules.call(name, {**arguments, "_ansible_check_mode": check, "_ansible_diff": True}).values


@contextlib.contextmanager
def mounted(device: str, folder: pathlib.Path, *options: str) -> t.Iterator[pathlib.Path]:
    folder.mkdir(exist_ok=True)
    run("mount", *options, device, folder)
    try:
        yield folder
    finally:
        run("umount", folder)


def fill_root(root: pathlib.Path, fstype: str) -> None:
    for name in ("etc", "usr/bin", "boot", "var/lib", "bin"):
        (root / name).mkdir(parents=True)
    (root / "etc/os-release").write_text('ID=debian\nPRETTY_NAME="Debian $(touch /tmp/openrescue-was-run)"\n')
    (root / "etc/fstab").write_text(FSTAB.format(fstype=fstype))
    (root / "etc/fstab").chmod(0o640)
    os.chown(root / "etc/fstab", 0, 8)
    os.setxattr(root / "etc/fstab", "user.kept", b"yes")


class Disk:
    """A disk in a file, as a loop device with partitions: /boot and the root."""

    def __init__(self, folder: pathlib.Path, fstype: str) -> None:
        self.folder, self.fstype = folder, fstype
        self.image = folder / "disk.raw"
        with self.image.open("wb") as file:
            file.truncate(700 << 20)
        run("sgdisk", "-n1:0:+40M", "-n2:0:0", self.image)
        self.attach()
        run("mkfs.ext4", "-q", "-U", BOOT_UUID, self.boot)
        labels = {
            "btrfs": ["mkfs.btrfs", "-q", "-L"],
            "xfs": ["mkfs.xfs", "-q", "-L"],
            "ext4": ["mkfs.ext4", "-q", "-L"],
        }
        run(*labels[fstype], "root", self.root)
        with mounted(self.root, folder / "mnt") as root:
            fill_root(root, fstype)
        with mounted(self.boot, folder / "mnt") as boot:
            (boot / "vmlinuz-6.1.0-1-amd64").write_text("kernel")

    def attach(self) -> None:
        self.device = loop.attach(self.image)
        self.boot, self.root = f"{self.device}p1", f"{self.device}p2"

    def detach(self) -> None:
        loop.detach(self.device)

    def fstab(self) -> str:
        with mounted(self.root, self.folder / "mnt", "-o", "ro") as root:
            return (root / "etc/fstab").read_text()

    def pull_the_plug(self) -> None:
        """Leave a journal behind that has to be replayed, by a copy of the disk while it is written."""
        with mounted(self.root, self.folder / "mnt") as root:
            for number in range(50):
                (root / f"late{number}").write_text("late")
            fd = os.open(root / "late0", os.O_RDONLY)
            os.fsync(fd)
            os.close(fd)
            run("cp", "--sparse=always", self.image, self.folder / "pulled.raw")
        self.detach()
        (self.folder / "pulled.raw").rename(self.image)
        self.attach()


def files(disk: Disk) -> dict[str, str]:
    """Every file of the root with its content, its attributes and its time."""
    with mounted(disk.root, disk.folder / "mnt", "-o", "ro") as root:
        return {
            str(path.relative_to(root)): f"{sha256(path)} {path.stat().st_mtime_ns} {os.listxattr(path)}"
            for path in sorted(root.rglob("*"))
            if path.is_file() and not path.is_symlink()
        }
