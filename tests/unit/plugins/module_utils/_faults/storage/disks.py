# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real ext file systems in files, and ways to break them."""

from __future__ import annotations

import pathlib
import subprocess

from ansible_collections.openrescue.server.plugins.module_utils._patient.patient import Filesystem
from ansible_collections.openrescue.server.plugins.module_utils._patient.tools import Tools

from ..fakes import FakeChange, FakePatient


class OnDisk(FakeChange):
    """Runs the tool on the file that stands for the disk, with an undo file."""

    def run_on_device(self, filesystem, argv, *, timeout, ok=(0,)):  # type: ignore[no-untyped-def]
        words = [filesystem.device if word == "{device}" else word for word in argv]
        self.done.append(tuple(argv))
        return self.patient.tools.run([words[0], "-z", f"{filesystem.device}.undo", *words[1:]], timeout=timeout, ok=ok)


def make(tmp_path: pathlib.Path, *, block_size: int = 1024) -> pathlib.Path:
    image, content = tmp_path / "disk.img", tmp_path / "content"
    content.mkdir()
    for number in range(60):
        (content / f"f{number}").write_bytes(bytes([number]) * 9000)
    size = "48M" if block_size == 1024 else "192M"
    subprocess.run(
        ["mkfs.ext4", "-q", "-L", "data", "-b", str(block_size), "-d", content, image, size], check=True, timeout=60
    )
    return image


def opened(tmp_path: pathlib.Path, image: pathlib.Path, *, blank: bool = False, overlay: bool = True) -> FakePatient:
    """A patient with this disk: its overlay is a copy, as throw-away as the real one."""
    copy = image.with_suffix(".overlay") if overlay else image
    if overlay:
        copy.write_bytes(image.read_bytes())
    item = Filesystem(str(image), str(copy), "" if blank else "ext4", size=image.stat().st_size, writable=overlay)
    patient = FakePatient(tmp_path, tools=Tools())
    patient.filesystems, patient.blank = ((), (item,)) if blank else ((item,), ())
    return patient


def debugfs(image: pathlib.Path, *requests: str) -> None:
    for request in requests:
        subprocess.run(["debugfs", "-w", "-R", request, image], check=True, capture_output=True, timeout=60)


def first_block(image: pathlib.Path, path: str) -> str:
    told = subprocess.run(
        ["debugfs", "-R", f"blocks {path}", image], check=True, capture_output=True, text=True, timeout=60
    )
    return told.stdout.split()[0]


def trash_inodes(image: pathlib.Path, inode: int = 14) -> None:
    told = subprocess.run(
        ["debugfs", "-R", f"imap <{inode}>", image], check=True, capture_output=True, text=True, timeout=60
    )
    block = int(told.stdout.split("located at block ")[1].split(",")[0])
    with image.open("r+b") as raw:
        raw.seek(block * 1024)
        raw.write(b"\xa5" * 1024)
