# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading what members say of the whole, straight from the device: no process, and nothing is opened for writing.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import typing as t

from ..._formats import lvm, superblocks
from .graph import Label, PhysicalVolume
from .survey import Block

__all__ = ("read_label", "read_labels")


def read_labels(blocks: t.Iterable[Block], path_of: t.Callable[[Block], str]) -> dict[str, Label]:
    """Kernel name -> label, of those devices that are a member of something.

    :param path_of: where to read a device: the layer over it, if there is one.
    """
    found: dict[str, Label] = {}
    for block in blocks:
        if block.fstype in ("LVM2_member", "linux_raid_member", "btrfs"):
            try:
                label = read_label(path_of(block), block)
            except OSError:  # libblkid could read it a moment ago; whoever opens it will say what is wrong
                label = None
            if label is not None:
                found[block.kname] = label
    return found


def read_label(path: str, block: Block) -> Label | None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:

        def read(offset: int, length: int) -> bytes:
            return os.pread(fd, length, offset)

        if block.fstype == "LVM2_member":
            return _physical_volume(read)
        if block.fstype == "linux_raid_member":
            offset = superblocks.md_offset(block.signature.get("VERSION", ""), block.size)
            return superblocks.parse_md(read(offset, superblocks.MD_SIZE))
        return superblocks.parse_btrfs(read(superblocks.BTRFS_OFFSET, superblocks.BTRFS_SIZE))
    finally:
        os.close(fd)


def _physical_volume(read: t.Callable[[int, int], bytes]) -> PhysicalVolume | None:
    head = lvm.metadata_areas(read(0, 4 * lvm.SECTOR))
    if head is None:
        return None
    uuid, areas = head
    groups = [lvm.parse_group(lvm.metadata_text(area, size, read)) for area, size in areas]
    known = [group for group in groups if group is not None]
    return PhysicalVolume(uuid, max(known, key=lambda group: group.seqno, default=None))
