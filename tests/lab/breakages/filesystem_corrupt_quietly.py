# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""A directory entry of the root file system points to an inode that is gone; nothing at boot notices."""

from __future__ import annotations

from openrescue_lab.base import run
from openrescue_lab.disk import Disk

SUMMARY = "an inode of the root file system is cleared under its name"
FAULTS = ["filesystem-corrupt"]
BOOTS = True
CONSOLE = r"login:"


def apply(disk: Disk) -> None:
    """Clear the inode of a file that no boot needs."""
    with disk.mounted() as root:
        (root / "root/lost").write_text("this file loses its inode\n", encoding="utf-8")
    with disk.device("root") as device:
        run("debugfs", "-w", "-R", "clri /root/lost", device)
