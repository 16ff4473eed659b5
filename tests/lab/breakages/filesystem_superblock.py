# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""The first sectors of /boot were overwritten: a misdirected dd."""

from __future__ import annotations

from openrescue_lab.disk import Disk

SUMMARY = "the primary superblock of boot is zeroed"
FAULTS = ["filesystem-superblock"]
BOOTS = False
CONSOLE = r"error: (unknown filesystem|no such device)|grub rescue>"


def apply(disk: Disk) -> None:
    """Zero the first blocks of the boot partition, superblock included."""
    partition = disk.partition("boot")
    with disk.path.open("r+b") as raw:
        raw.seek(partition.offset)
        raw.write(bytes(2048))
