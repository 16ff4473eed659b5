# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Labels are read from the device itself."""

from __future__ import annotations

import pathlib
import struct

from ansible_collections.openrescue.server.plugins.module_utils._formats.superblocks import BtrfsMember
from ansible_collections.openrescue.server.plugins.module_utils._patient.devices.labels import read_labels
from ansible_collections.openrescue.server.plugins.module_utils._patient.devices.survey import Block


def block(kname: str, fstype: str) -> Block:
    return Block(f"/dev/{kname}", kname, kname, "disk", 1 << 20, False, "8:0", (), {"TYPE": fstype})


def test_members_are_read_where_they_are_to_be_read(tmp_path: pathlib.Path) -> None:
    data = bytearray(1 << 20)
    base = 64 * 1024
    data[base + 0x40 : base + 0x48] = b"_BHRfS_M"
    struct.pack_into("<Q", data, base + 0x88, 2)
    (tmp_path / "vdb").write_bytes(data)
    (tmp_path / "vdc").write_bytes(bytes(1 << 20))
    blocks = [
        block("vdb", "btrfs"),
        block("vdc", "LVM2_member"),
        block("vdd", "linux_raid_member"),
        block("vde", "ext4"),
    ]
    found = read_labels(blocks, lambda one: str(tmp_path / one.kname))
    assert found == {"vdb": BtrfsMember("0" * 32, 0, 2, 0)}
