# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""A line copied from another server: the type is not what the disk holds."""

from __future__ import annotations

from openrescue_lab.disk import Disk

SUMMARY = "/etc/fstab mounts /boot as xfs, but it is ext4"
FAULTS = ["fstab-wrong-type"]
BOOTS = False
CONSOLE = r"You are in emergency mode"


def apply(disk: Disk) -> None:
    """Let the line of /boot say xfs."""
    right = disk.uuid("boot")
    with disk.mounted() as root:
        fstab = root / "etc/fstab"
        lines = fstab.read_text(encoding="utf-8").splitlines()
        index = next(number for number, line in enumerate(lines) if right in line and not line.startswith("#"))
        lines[index] = lines[index].replace("ext4", "xfs")
        fstab.write_text("\n".join(lines) + "\n", encoding="utf-8")
