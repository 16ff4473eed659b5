# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""The server was switched off while GRUB was configured: the file ends before its first entry."""

from __future__ import annotations

from openrescue_lab.disk import Disk

SUMMARY = "/boot/grub/grub.cfg ends before its first entry is whole"
FAULTS = ["grub-config-empty"]
BOOTS = False
CONSOLE = r"grub>"


def apply(disk: Disk) -> None:
    """Cut grub.cfg off inside its first entry."""
    with disk.mounted() as root:
        config = root / "boot/grub/grub.cfg"
        text = config.read_text(encoding="utf-8")
        config.write_text(text[: text.index("menuentry ") + 60], encoding="utf-8")
