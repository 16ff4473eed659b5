# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""Somebody tidied up /boot: the configuration of GRUB is gone."""

from __future__ import annotations

from openrescue_lab.disk import Disk

SUMMARY = "/boot/grub/grub.cfg is gone"
FAULTS = ["grub-config-missing"]
BOOTS = False
CONSOLE = r"grub>"


def apply(disk: Disk) -> None:
    """Remove grub.cfg."""
    with disk.mounted() as root:
        config = root / "boot/grub/grub.cfg"
        config.unlink()
