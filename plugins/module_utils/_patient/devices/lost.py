# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ext file systems that have lost their superblock, found by the copies that are left of it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..._formats.dumpe2fs import ExtSuperblock, parse_dumpe2fs

if t.TYPE_CHECKING:
    from ..patient import Filesystem, Patient

__all__ = ("LostFilesystem", "lost_filesystems", "read_superblock")

ANY_CODE = range(256)

# Where mke2fs puts the first copies of the superblock: (block size, block).
COPIES = (
    (4096, 32768),
    (4096, 98304),
    (4096, 163840),
    (1024, 8193),
    (1024, 24577),
    (1024, 40961),
    (2048, 16384),
    (2048, 49152),
)


@dataclasses.dataclass(frozen=True)
class LostFilesystem:
    """A device on which nothing is recognised, and the first copy of a superblock on it."""

    filesystem: Filesystem
    block_size: int
    block: int
    superblock: ExtSuperblock

    @property
    def names(self) -> tuple[str, ...]:
        """The names that fstab may use for it, which no device answers to any more."""
        found = [f"UUID={self.superblock.uuid}", f"/dev/disk/by-uuid/{self.superblock.uuid}"]
        label = self.superblock.label
        return (*found, *((f"LABEL={label}", f"/dev/disk/by-label/{label}") if label else ()))


def lost_filesystems(patient: Patient) -> tuple[LostFilesystem, ...]:
    """All devices of the patient that have lost their superblock."""

    def read() -> tuple[LostFilesystem, ...]:
        blank = patient.blank if patient.tools.has("dumpe2fs") else ()
        return tuple(found for item in blank for found in [_find(patient, item)] if found)

    return patient.once("lost-filesystems", read)


def read_superblock(patient: Patient, item: Filesystem, *options: str) -> ExtSuperblock | None:
    """What the superblock of an ext file system says; with ``options``, one of its copies."""
    done = patient.tools.run(["dumpe2fs", "-h", *options, item.reading_device], timeout=60, ok=ANY_CODE)
    return parse_dumpe2fs(done.stdout) if done.rc == 0 else None


def _find(patient: Patient, item: Filesystem) -> LostFilesystem | None:
    for block_size, block in COPIES:
        if block_size * (block + 1) > item.size:
            continue
        found = read_superblock(patient, item, "-o", f"superblock={block}", "-o", f"blocksize={block_size}")
        if found and found.size <= item.size:
            return LostFilesystem(item, block_size, block, found)
    return None
