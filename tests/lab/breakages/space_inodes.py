# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""A broken session handler made a file for each request, until no inode was left."""

from __future__ import annotations

import errno

from openrescue_lab.disk import Disk

SUMMARY = "empty session files take every inode of the root file system"
FAULTS = ["space-inodes"]
BOOTS = True
CONSOLE = r"login:"


def apply(disk: Disk) -> None:
    """Make empty files until there is no inode left."""
    with disk.mounted() as root:
        sessions = root / "var/lib/app/sessions"
        sessions.mkdir(parents=True)
        try:
            for number in range(10000000):
                (sessions / f"sess_{number:08d}").touch()
        except OSError as error:
            assert error.errno == errno.ENOSPC
