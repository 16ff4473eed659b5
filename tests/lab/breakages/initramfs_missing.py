# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""An update ran out of space and removed the initramfs that it could not replace."""

from __future__ import annotations

from openrescue_lab.disk import Disk

SUMMARY = "the initramfs is gone"
FAULTS = ["initramfs-missing"]
BOOTS = False
CONSOLE = r"not found|Unable to mount root fs"


def apply(disk: Disk) -> None:
    """Remove every initramfs."""
    with disk.mounted() as root:
        images = sorted((root / "boot").glob("initrd.img-*"))
        assert images, "the guest has an initramfs"
        for image in images:
            image.unlink()
