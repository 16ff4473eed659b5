# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""The healthy guest: built once, copied for each test."""

from __future__ import annotations

import dataclasses
import pathlib
import typing as t

from .base import LAB_DIR, cache_dir, cached, fingerprint, locked, run
from .rescue import rescue_image

SOURCES = LAB_DIR / "guest"


@dataclasses.dataclass(frozen=True)
class Guest:
    """A built guest: its disk, and the key that opens root's account over SSH."""

    disk: pathlib.Path
    ssh_key: pathlib.Path


def ssh_key() -> pathlib.Path:
    """The lab's own SSH key, made at the first need."""
    key = cache_dir() / "lab-ssh-key"
    with locked(cache_dir() / ".ssh-key.lock"):
        if not key.with_suffix(".pub").exists():
            key.unlink(missing_ok=True)
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "openrescue-lab", "-f", key)
    return key


def guest() -> Guest:
    """The healthy guest, from the cache or built now. Nobody writes to its disk: see `copy_of`."""
    parts = [SOURCES / name for name in ("build.sh", "customize.sh", "packages")]
    packages = (SOURCES / "packages").read_text(encoding="ascii").split()
    entry = cached(
        "guest",
        fingerprint("bookworm", *parts, ssh_key().with_suffix(".pub")),
        lambda directory: build(directory, packages=packages, customize="customize.sh", size="2G"),
    )
    return Guest(disk=entry / "disk.raw", ssh_key=ssh_key())


def plain_image() -> pathlib.Path:
    """A disk with the rescue system's packages under Debian's and systemd's defaults: what its boot is measured by."""
    parts = [SOURCES / name for name in ("build.sh", "customize-plain.sh")]
    manifest = rescue_image().manifest
    # Of the same release: what is compared is how the system is put together, not one Debian with another.
    packages, suite = [*manifest["packages"], "initramfs-tools", "grub-pc"], manifest["suite"]
    entry = cached(
        "plain-image",
        fingerprint(suite, *parts, *packages),
        lambda directory: build(directory, packages=packages, customize="customize-plain.sh", size="4G", suite=suite),
    )
    return entry / "disk.raw"


def build(
    directory: pathlib.Path, *, packages: t.Sequence[str], customize: str, size: str, suite: str = "bookworm"
) -> None:
    """Install Debian on directory/disk.raw."""
    tree = directory / "root.tar"
    mmdebstrap(",".join(packages), SOURCES / customize, tree, suite=suite)
    private = ("unshare", "--mount", "--propagation", "private")
    run(*private, SOURCES / "build.sh", directory / "disk.raw", size, tree, ssh_key().with_suffix(".pub"))
    tree.unlink()
    (directory / "root").rmdir()


def mmdebstrap(
    packages: str,
    customize: pathlib.Path,
    target: pathlib.Path,
    *,
    suite: str,
    source: str = "",
    initramfs: bool = True,
) -> None:
    """A Debian tree with these packages and nothing that is only recommended."""
    run(
        "mmdebstrap",
        "--variant=minbase",
        f"--include={packages}",
        '--aptopt=APT::Install-Recommends "false"',
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        f'--customize-hook={customize} "$1"',
        suite,
        target,
        *([source] if source else []),
        env={} if initramfs else {"INITRD": "No"},
    )


def copy_of(disk: pathlib.Path, target: pathlib.Path) -> pathlib.Path:
    """A sparse copy that a test may break."""
    run("cp", "--sparse=always", "--reflink=auto", "--no-preserve=mode", disk, target)
    return target
