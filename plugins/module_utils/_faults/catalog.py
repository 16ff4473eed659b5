# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All faults that the collection knows, in the order in which their remedies are applied.

A file system is repaired before anything is written to it, and has room before anything is built on it; fstab
says what is mounted when the initramfs is built, and GRUB names that initramfs.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from .boot.grub import GrubConfigEmpty, GrubConfigMissing
from .boot.initramfs import InitramfsEmpty, InitramfsMissing, InitramfsTruncated
from .fstab.fstab import FstabDuplicateMountPoint, FstabMissingDevice, FstabSyntax, FstabWrongType
from .model import Fault
from .storage.filesystem import FilesystemCorrupt, FilesystemSuperblock
from .storage.space import SpaceFull, SpaceInodes

__all__ = ("FAULTS", "by_id")

FAULTS: tuple[type[Fault], ...] = (
    FilesystemSuperblock,
    FilesystemCorrupt,
    SpaceFull,
    SpaceInodes,
    FstabSyntax,
    FstabDuplicateMountPoint,
    FstabMissingDevice,
    FstabWrongType,
    InitramfsMissing,
    InitramfsEmpty,
    InitramfsTruncated,
    GrubConfigMissing,
    GrubConfigEmpty,
)

_BY_ID = {fault.id: fault for fault in FAULTS}


def by_id(name: str) -> type[Fault] | None:
    """The fault with this ID, None if there is none."""
    return _BY_ID.get(name)
