# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""The first sectors of the root file system were overwritten: a misdirected dd."""

from __future__ import annotations

from openrescue_lab.disk import Disk

SUMMARY = "the primary superblock of root is zeroed"
FAULTS = ["filesystem-superblock"]
BOOTS = False
CONSOLE = r"error: (unknown filesystem|no such device)|grub rescue>|ALERT!"


def apply(disk: Disk) -> None:
    """Zero the first blocks of the root partition, superblock included."""
    partition = disk.partition("root")
    with disk.path.open("r+b") as raw:
        raw.seek(partition.offset)
        raw.write(bytes(2048))
