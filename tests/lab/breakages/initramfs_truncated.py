# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""/boot was full while the initramfs was written: it ends in the middle."""

from __future__ import annotations

import os

from openrescue_lab.disk import Disk

SUMMARY = "the initramfs ends after two thirds"
FAULTS = ["initramfs-truncated"]
BOOTS = False
CONSOLE = r"Initramfs unpacking failed|Unable to mount root fs|not syncing"


def apply(disk: Disk) -> None:
    """Cut off every initramfs."""
    with disk.mounted() as root:
        images = sorted((root / "boot").glob("initrd.img-*"))
        assert images, "the guest has an initramfs"
        for image in images:
            os.truncate(image, image.stat().st_size * 2 // 3)
