# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""A disk was replaced or a line mistyped: fstab names a /boot that is not there."""

from __future__ import annotations

from openrescue_lab.disk import Disk

SUMMARY = "/etc/fstab mounts /boot from a UUID that no disk has, without nofail"
FAULTS = ["fstab-missing-device"]
BOOTS = False
CONSOLE = r"You are in emergency mode"

WRONG_UUID = "deadbeef-0000-4000-8000-00000000b007"


def apply(disk: Disk) -> None:
    """Put the wrong UUID into the line of /boot."""
    right = disk.uuid("boot")
    with disk.mounted() as root:
        fstab = root / "etc/fstab"
        text = fstab.read_text(encoding="utf-8")
        assert right in text, "the guest's fstab names /boot by its UUID"
        fstab.write_text(text.replace(right, WRONG_UUID), encoding="utf-8")
