# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""A slip of the pen in the options: the file system refuses to mount."""

from __future__ import annotations

from openrescue_lab.disk import Disk

SUMMARY = "/etc/fstab mounts /boot with the option defualts"
FAULTS = ["fstab-syntax"]
BOOTS = False
CONSOLE = r"You are in emergency mode"


def apply(disk: Disk) -> None:
    """Misspell an option in the line of /boot."""
    right = disk.uuid("boot")
    with disk.mounted() as root:
        fstab = root / "etc/fstab"
        lines = fstab.read_text(encoding="utf-8").splitlines()
        index = next(number for number, line in enumerate(lines) if right in line and not line.startswith("#"))
        fields = lines[index].split()
        fields[3] = "defualts"
        lines[index] = "  ".join(fields)
        fstab.write_text("\n".join(lines) + "\n", encoding="utf-8")
