# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""A failing host wrote garbage over inodes of /boot, and the kernel noted an error."""

from __future__ import annotations

import os
import pathlib

from openrescue_lab.base import run
from openrescue_lab.disk import Disk

SUMMARY = "inodes of /boot are garbage, its superblock says that there were errors"
FAULTS = ["filesystem-corrupt"]
BOOTS = False
CONSOLE = r"UNEXPECTED INCONSISTENCY|emergency mode"


def apply(disk: Disk) -> None:
    """Overwrite a block of used inodes."""
    with disk.device("boot") as device:
        block_size = int(_field(device, "Block size"))
        table = int(run("debugfs", "-R", "imap <12>", device).split("located at block ")[1].split(",")[0])
        with device.open("r+b", buffering=0) as raw:
            raw.seek(table * block_size)
            raw.write(os.urandom(block_size))
            os.fsync(raw.fileno())
        run("debugfs", "-w", "-R", "set_super_value state 2", device)


def _field(device: pathlib.Path, name: str) -> str:
    lines = run("dumpe2fs", "-h", device).splitlines()
    return next(line.split(":", 1)[1].strip() for line in lines if line.startswith(f"{name}:"))
