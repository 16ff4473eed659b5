# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Superblocks of arrays and of btrfs."""

from __future__ import annotations

import struct

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._formats.superblocks import (
    BtrfsMember,
    MdMember,
    md_offset,
    parse_btrfs,
    parse_md,
)


def md(roles: list[int], *, number: int, events: int = 5, places: int = 2) -> bytes:
    data = bytearray(4096)
    struct.pack_into("<2I", data, 0, 0xA92B4EFC, 1)
    data[16:32] = bytes(range(16))
    data[32:38] = b"host:0"
    struct.pack_into("<I", data, 92, places)
    struct.pack_into("<I", data, 160, number)
    struct.pack_into("<Q", data, 200, events)
    struct.pack_into("<I", data, 220, len(roles))
    struct.pack_into(f"<{len(roles)}H", data, 256, *roles)
    return bytes(data)


def test_a_member_says_its_place_and_who_else_is_there() -> None:
    uuid = bytes(range(16)).hex()
    assert parse_md(md([0, 1], number=1)) == MdMember(uuid, "host:0", 1, 1, 5, 2, 2)
    assert parse_md(md([0, 0xFFFE], number=0)) == MdMember(uuid, "host:0", 0, 0, 5, 2, 1)
    assert parse_md(md([0, 1, 0xFFFF], number=2)) == MdMember(uuid, "host:0", 2, None, 5, 2, 2)


def test_an_old_superblock() -> None:
    words = [0] * 1024
    words[0], words[5], words[10], words[11], words[13], words[34], words[39] = 0xA92B4EFC, 1, 2, 7, 2, 2, 9
    words[992], words[995] = 1, 1
    assert parse_md(struct.pack("<1024I", *words)) == MdMember("00000001" + "00000002" + "0" * 16, "7", 1, 1, 9, 2, 2)


@pytest.mark.parametrize("data", [b"", bytes(4096), b"\xfc\x4e\x2b\xa9", md([0, 1], number=9)[:100]])
def test_what_is_no_superblock(data: bytes) -> None:
    assert parse_md(data) is None
    assert parse_btrfs(data) is None


@pytest.mark.parametrize(
    ("version", "offset"), [("1.2", 4096), ("1.1", 0), ("1.0", (1 << 30) - 8192), ("0.90.0", (1 << 30) - 65536)]
)
def test_where_it_lies(version: str, offset: int) -> None:
    assert md_offset(version, 1 << 30) == offset


def test_a_device_of_a_btrfs() -> None:
    data = bytearray(1024)
    data[0x20:0x30] = bytes(range(16))
    data[0x40:0x48] = b"_BHRfS_M"
    struct.pack_into("<Q", data, 0x48, 11)
    struct.pack_into("<Q", data, 0x88, 3)
    struct.pack_into("<Q", data, 0xC9, 2)
    assert parse_btrfs(bytes(data)) == BtrfsMember(bytes(range(16)).hex(), 2, 3, 11)
