# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All faults that the collection knows, in the order in which their remedies are applied.

A file system is repaired before anything is written to it, and has room before anything is built on it; fstab
says what is mounted when the initramfs is built, and GRUB names that initramfs.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from .boot.grub_config_empty import GRUB_CONFIG_EMPTY
from .boot.grub_config_missing import GRUB_CONFIG_MISSING
from .boot.initramfs_empty import INITRAMFS_EMPTY
from .boot.initramfs_missing import INITRAMFS_MISSING
from .boot.initramfs_truncated import INITRAMFS_TRUNCATED
from .boot.shared.chain import chain
from .fstab.fstab_duplicate_mount_point import FSTAB_DUPLICATE_MOUNT_POINT
from .fstab.fstab_missing_device import FSTAB_MISSING_DEVICE
from .fstab.fstab_syntax import FSTAB_SYNTAX
from .fstab.fstab_wrong_type import FSTAB_WRONG_TYPE
from .model import Fault
from .storage.filesystem_corrupt import FILESYSTEM_CORRUPT
from .storage.filesystem_superblock import FILESYSTEM_SUPERBLOCK
from .storage.space_full import SPACE_FULL
from .storage.space_inodes import SPACE_INODES

__all__ = ("CHAIN", "FAULTS")

#: follows a boot from the loader to init
CHAIN = chain

FAULTS: tuple[Fault, ...] = (
    FILESYSTEM_SUPERBLOCK,
    FILESYSTEM_CORRUPT,
    SPACE_FULL,
    SPACE_INODES,
    FSTAB_SYNTAX,
    FSTAB_DUPLICATE_MOUNT_POINT,
    FSTAB_MISSING_DEVICE,
    FSTAB_WRONG_TYPE,
    INITRAMFS_MISSING,
    INITRAMFS_EMPTY,
    INITRAMFS_TRUNCATED,
    GRUB_CONFIG_MISSING,
    GRUB_CONFIG_EMPTY,
)
