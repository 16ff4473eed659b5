# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How full a file system is, also where statfs(2) does not say it."""

from __future__ import annotations

import os
import pathlib
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._patient.tree import usage
from ansible_collections.openrescue.server.plugins.module_utils._patient.tree.usage import MIB, room_on_btrfs, usage_of

DATA, SYSTEM, METADATA, RESERVED = 1, 2, 4, 4 | 1 << 49
RESERVE = (RESERVED, 6 * MIB, 0)
#: kind, size and use of each space -> bytes that are left for data; the first as a kernel told it (6.18)
SPACES = {
    "data is free": ([(DATA, 577 * MIB, 418 * MIB), (SYSTEM, 8 * MIB, 16384), (METADATA, 33 * MIB, 560 << 10), RESERVE],
                     159 * MIB),
    "data is full": ([(DATA, 577 * MIB, 577 * MIB), (METADATA, 33 * MIB, 0), RESERVE], 0),
    "metadata is full": ([(DATA, 577 * MIB, 0), (METADATA, 33 * MIB, 32 * MIB), RESERVE], 0),
    "only the reserve is left": ([(DATA, 577 * MIB, 0), (METADATA, 33 * MIB, 25 * MIB), RESERVE], 0),
    "one space for both": ([(DATA | METADATA, 100 * MIB, 90 * MIB), RESERVE], 10 * MIB),
    "two profiles": ([(DATA, MIB, 0), (DATA | 1 << 4, 3 * MIB, MIB), (METADATA, 33 * MIB, 0)], 3 * MIB),
    "no btrfs": ([], 0),
}  # fmt: skip


@pytest.mark.parametrize("name", SPACES)
def test_room_on_btrfs(name: str) -> None:
    spaces, room = SPACES[name]
    assert room_on_btrfs(spaces) == room


def asked(directory: pathlib.Path, *, fstype: str) -> usage.Usage:
    fd = os.open(directory, os.O_RDONLY)
    try:
        return usage_of(fd, fstype=fstype)
    finally:
        os.close(fd)


def test_a_file_system_that_says_it_is_believed(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "btrfs_spaces", lambda _fd: pytest.fail("nobody has to be asked"))
    found, told = asked(tmp_path, fstype="btrfs"), os.statvfs(tmp_path)
    assert found.total_bytes == told.f_blocks * told.f_frsize
    assert 0 < found.available_bytes <= found.free_bytes <= found.total_bytes
    assert found.total_inodes == told.f_files


def fake(*, total: int, free: int, available: int, flag: int) -> t.Callable[[int], os.statvfs_result]:
    values = (4096, 4096, total // 4096, free // 4096, available // 4096, 10, 5, 5, flag, 255)
    return lambda _fd: os.statvfs_result(values)


#: size, what is free, whether it is mounted read-only -> what is free for who mounts it for writing
XFS = {
    "small": (600 * MIB, 40 * MIB, True, 10 * MIB),
    "large": (30000 * MIB, 40 * MIB, True, 8 * MIB),
    "full": (600 * MIB, 20 * MIB, True, 0),
    "mounted for writing": (600 * MIB, 20 * MIB, False, 20 * MIB),
}


@pytest.mark.parametrize("name", XFS)
def test_xfs_keeps_something_back(name: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it was measured on 6.18, and as fs/xfs/xfs_mount.c has it since 2.6.22."""
    total, free, read_only, left = XFS[name]
    flag = os.ST_RDONLY if read_only else 0
    monkeypatch.setattr(usage.os, "fstatvfs", fake(total=total, free=free, available=free, flag=flag))
    found = asked(tmp_path, fstype="xfs")
    assert (found.free_bytes, found.available_bytes) == (left, left)
    assert asked(tmp_path, fstype="ext4").free_bytes == free
