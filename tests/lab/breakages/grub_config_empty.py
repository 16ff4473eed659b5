# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""/boot was full while GRUB was configured: the file is empty."""

from __future__ import annotations

from openrescue_lab.disk import Disk

SUMMARY = "/boot/grub/grub.cfg is empty"
FAULTS = ["grub-config-empty"]
BOOTS = False
CONSOLE = r"grub>"


def apply(disk: Disk) -> None:
    """Empty grub.cfg."""
    with disk.mounted() as root:
        config = root / "boot/grub/grub.cfg"
        config.write_bytes(b"")
