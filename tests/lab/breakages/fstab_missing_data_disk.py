# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""A data disk was detached: its line stayed in fstab."""

from __future__ import annotations

from openrescue_lab.disk import Disk

SUMMARY = "/etc/fstab mounts /srv/data from a UUID that no disk has"
FAULTS = ["fstab-missing-device"]
BOOTS = False
CONSOLE = r"You are in emergency mode"


def apply(disk: Disk) -> None:
    """Add a line for a data disk that is not there."""
    with disk.mounted() as root:
        (root / "srv/data").mkdir(parents=True, exist_ok=True)
        with (root / "etc/fstab").open("a", encoding="utf-8") as fstab:
            fstab.write("UUID=da7ada7a-0000-4000-8000-00000000da7a /srv/data ext4 defaults,noatime 0 2\n")
