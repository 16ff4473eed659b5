# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a member of an array (md) or of a file system over several devices (btrfs) says of the whole.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import struct

__all__ = ("BTRFS_OFFSET", "BTRFS_SIZE", "MD_SIZE", "BtrfsMember", "MdMember", "md_offset", "parse_btrfs", "parse_md")

BTRFS_OFFSET = 64 * 1024
BTRFS_SIZE = 1024
MD_SIZE = 4096
_MD_MAGIC = 0xA92B4EFC
#: a role above this is no place in the array: a spare, a failed member, a journal
_MAX_ROLE = 0xFF00


@dataclasses.dataclass(frozen=True)
class MdMember:
    """One member's view of its array.

    :param number: which member it is.
    :param role: its place in the array; None for a spare.
    :param events: grows with each change; a member that lags behind holds old data.
    :param places: how many places the array has.
    :param filled: how many of them had a member when this superblock was written.
    """

    uuid: str
    name: str
    number: int
    role: int | None
    events: int
    places: int
    filled: int


@dataclasses.dataclass(frozen=True)
class BtrfsMember:
    """One member's view of its file system: which device it is, and of how many."""

    uuid: str
    device: int
    devices: int
    generation: int


def md_offset(version: str, size: int) -> int:
    """Where the superblock of this version lies on a device of this size."""
    if version == "1.1":
        return 0
    if version == "1.0":
        return ((size // 512 - 16) & ~7) * 512
    if version.startswith("0"):
        return (size & ~0xFFFF) - 0x10000
    return 4096


def parse_md(data: bytes) -> MdMember | None:
    """A superblock of version 1 or 0.90; None for what is none."""
    if len(data) < MD_SIZE or struct.unpack_from("<I", data)[0] != _MD_MAGIC:
        return None
    if struct.unpack_from("<I", data, 4)[0] == 0:
        return _parse_old(data)
    places = struct.unpack_from("<I", data, 92)[0]
    number, (events,) = struct.unpack_from("<I", data, 160)[0], struct.unpack_from("<Q", data, 200)
    slots = min(struct.unpack_from("<I", data, 220)[0], (MD_SIZE - 256) // 2)
    roles = struct.unpack_from(f"<{slots}H", data, 256)
    role = roles[number] if number < slots and roles[number] <= _MAX_ROLE else None
    name = data[32:64].split(b"\0")[0].decode("utf-8", "surrogateescape")
    return MdMember(data[16:32].hex(), name, number, role, events, places, len({one for one in roles if one < places}))


def _parse_old(data: bytes) -> MdMember:
    words = struct.unpack_from("<1024I", data)
    uuid = "".join(f"{words[index]:08x}" for index in (5, 13, 14, 15))
    number, role = words[992], words[992 + 3]
    events = words[40] << 32 | words[39]
    return MdMember(
        uuid, str(words[11]), number, role if role < words[10] else None, events, words[10], min(words[34], words[10])
    )


def parse_btrfs(data: bytes) -> BtrfsMember | None:
    """The first superblock; None for what is none."""
    if len(data) < BTRFS_SIZE or data[0x40:0x48] != b"_BHRfS_M":
        return None
    (generation,) = struct.unpack_from("<Q", data, 0x48)
    (devices,) = struct.unpack_from("<Q", data, 0x88)
    (device,) = struct.unpack_from("<Q", data, 0xC9)
    return BtrfsMember(data[0x20:0x30].hex(), device, devices, generation)
