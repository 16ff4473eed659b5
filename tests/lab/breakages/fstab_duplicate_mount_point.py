# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""A disk was replaced and its new line added, but the old line stayed: systemd takes the first."""

from __future__ import annotations

from openrescue_lab.disk import Disk

SUMMARY = "/etc/fstab mounts /boot twice, first from a UUID that no disk has"
FAULTS = ["fstab-duplicate-mount-point"]
BOOTS = False
CONSOLE = r"You are in emergency mode"


def apply(disk: Disk) -> None:
    """Put an old line of /boot before the one that is right."""
    right = disk.uuid("boot")
    with disk.mounted() as root:
        fstab = root / "etc/fstab"
        lines = fstab.read_text(encoding="utf-8").splitlines()
        index = next(number for number, line in enumerate(lines) if right in line and not line.startswith("#"))
        lines.insert(index, lines[index].replace(right, "0ld0ld00-0000-4000-8000-00000000b007".replace("l", "1")))
        fstab.write_text("\n".join(lines) + "\n", encoding="utf-8")
