# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Blocks that a tool has changed: which, and moving them about."""

from __future__ import annotations

import pathlib
import struct

from ansible_collections.openrescue.server.plugins.module_utils._patient.write import blocks


def test_changed_chunks_of_a_snapshot_store(tmp_path: pathlib.Path) -> None:
    store = bytearray(blocks.CHUNK * 300)
    struct.pack_into("<4I", store, 0, 0x70416E53, 1, 1, 8)
    for index in range(256):
        struct.pack_into("<2Q", store, blocks.CHUNK + index * 16, 1000 - index, index + 2)
    struct.pack_into("<2Q", store, blocks.CHUNK * 258, 7, 259)
    (tmp_path / "cow").write_bytes(store)
    assert blocks.changed_chunks(str(tmp_path / "cow")) == [7, *range(745, 1001)]


def test_blocks_go_out_and_come_back(tmp_path: pathlib.Path) -> None:
    device, layer, kept = (str(tmp_path / name) for name in ("device", "layer", "kept"))
    old = bytes(range(256)) * 200
    new = bytearray(old)
    new[4096:4100] = b"abcd"
    new[8192:8193] = b"Y"
    new[-1:] = b"Z"
    pathlib.Path(device).write_bytes(old)
    pathlib.Path(layer).write_bytes(new)
    extents = blocks.differing(device, layer, range(13))
    assert extents == [(4096, 8192), (49152, 2048)]
    with open(kept, "wb") as file:
        blocks.take_blocks(device, extents, file)
    with open(f"{kept}.new", "wb") as file:
        blocks.take_blocks(layer, extents, file)
    blocks.put_blocks(f"{kept}.new", device, extents)
    assert pathlib.Path(device).read_bytes() == new
    assert blocks.matches(device, extents, kept, f"{kept}.new")
    assert not blocks.matches(device, extents, kept)
    blocks.put_blocks(kept, device, extents)
    assert pathlib.Path(device).read_bytes() == old
