# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How full a mounted file system is.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ..syscalls import btrfs_spaces

__all__ = ("Usage", "room_on_btrfs", "usage_of")

MIB = 1024 * 1024
#: of ``enum btrfs_block_group`` and of the pseudo space that is kept for the file system itself
_DATA, _METADATA, _RESERVED = 1, 4, 1 << 49
#: What btrfs keeps of its metadata for itself, besides the reserve: fs/btrfs/super.c, btrfs_statfs.
_KEPT = 4 * MIB
#: What xfs keeps back while it is mounted for writing, of 32 MiB at most: fs/xfs/xfs_mount.c, xfs_default_resblks.
_XFS_POOL, _XFS_SHARE = 32 * MIB, 20


@dataclasses.dataclass(frozen=True)
class Usage:
    """Bytes and inodes; ``available_bytes`` for everybody, ``free_bytes`` with what is reserved."""

    total_bytes: int
    free_bytes: int
    available_bytes: int
    total_inodes: int
    free_inodes: int


def usage_of(directory: int, *, fstype: str) -> Usage:
    """What the file system of an open directory says, as its own system would hear it, which mounts it for writing.

    Mounted read-only, a btrfs whose device is given out to block groups altogether says that nothing is available,
    however empty these are: what they hold is asked then. And an xfs says more than it would let anybody have.
    """
    found = os.fstatvfs(directory)
    total, free = found.f_blocks * found.f_frsize, found.f_bfree * found.f_frsize
    available = found.f_bavail * found.f_frsize
    if fstype == "btrfs" and not available and free:
        available = room_on_btrfs(btrfs_spaces(directory))
    if fstype == "xfs" and found.f_flag & os.ST_RDONLY:
        kept = min(_XFS_POOL, total // _XFS_SHARE)
        free, available = max(0, free - kept), max(0, available - kept)
    return Usage(
        total_bytes=total,
        free_bytes=free,
        available_bytes=available,
        total_inodes=found.f_files,
        free_inodes=found.f_ffree,
    )


def room_on_btrfs(spaces: t.Iterable[tuple[int, int, int]]) -> int:
    """Bytes for data in the block groups of a btrfs; none where its metadata has no room.

    :param spaces: kind, size and use of each space.
    """
    data = metadata = reserved = 0
    mixed = False
    for kind, size, used in spaces:
        if kind & _RESERVED:
            reserved += size
        elif kind & _DATA:
            data += size - used
            mixed = mixed or bool(kind & _METADATA)
        elif kind & _METADATA:
            metadata += size - used
    if not mixed and metadata < reserved + _KEPT:
        return 0
    return data
