# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""The server was switched off while its initramfs was written: the file is there, its data are not."""

from __future__ import annotations

from openrescue_lab.disk import Disk

SUMMARY = "the initramfs is an empty file"
FAULTS = ["initramfs-empty"]
BOOTS = False
CONSOLE = r"Unable to mount root fs|not syncing"


def apply(disk: Disk) -> None:
    """Empty every initramfs."""
    with disk.mounted() as root:
        images = sorted((root / "boot").glob("initrd.img-*"))
        assert images, "the guest has an initramfs"
        for image in images:
            image.write_bytes(b"")
