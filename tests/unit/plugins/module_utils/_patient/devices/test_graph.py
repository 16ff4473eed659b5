# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is part of what, and which parts are missing."""

from __future__ import annotations

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._formats.lvm import LogicalVolume, VolumeGroup
from ansible_collections.openrescue.server.plugins.module_utils._formats.superblocks import BtrfsMember, MdMember
from ansible_collections.openrescue.server.plugins.module_utils._patient.devices.graph import (
    Label,
    PhysicalVolume,
    is_container,
    units_of,
    unsupported,
)
from ansible_collections.openrescue.server.plugins.module_utils._patient.devices.survey import Block

OWN = VolumeGroup("g1", "own", 4, {"p1": "/dev/vda2", "p2": "/dev/vdb"}, (), (LogicalVolume("root", ("striped",)),))
OLDER = VolumeGroup("g1", "old", 3, {"p1": "/dev/vda2"}, (), ())


def block(kname: str, fstype: str, **signature: str) -> Block:
    return Block(f"/dev/{kname}", kname, kname, "disk", 1 << 30, False, "8:0", (), {"TYPE": fstype, **signature})


def array(number: int, role: int | None, *, events: int = 9, filled: int = 2) -> MdMember:
    return MdMember("a1", "host:0", number, role, events, 2, filled)


def btrfs(device: int, *, devices: int = 2) -> BtrfsMember:
    return BtrfsMember("b1", device, devices, 7)


TYPES = {"PhysicalVolume": "LVM2_member", "MdMember": "linux_raid_member", "BtrfsMember": "btrfs"}


@pytest.mark.parametrize(
    ("labels", "members", "doubles", "missing", "split"),
    [
        pytest.param([PhysicalVolume("p1", OWN), PhysicalVolume("p2", OWN)], "ab", "", "", False, id="a whole group"),
        pytest.param([PhysicalVolume("p1", OLDER), PhysicalVolume("p2", OWN)], "ab", "", "", False, id="one is behind"),
        pytest.param([PhysicalVolume("p1", OWN), PhysicalVolume("p2", None)], "ab", "", "", False, id="one is silent"),
        pytest.param([PhysicalVolume("p1", OWN)], "a", "", "p2 (last seen as /dev/vdb)", False, id="one is missing"),
        pytest.param(
            [PhysicalVolume("p1", OWN), PhysicalVolume("p2", OWN), PhysicalVolume("p1", OWN)],
            "ab",
            "c",
            "",
            False,
            id="a disk was cloned",
        ),
        pytest.param([array(0, 0), array(1, 1)], "ab", "", "", False, id="a whole mirror"),
        pytest.param([array(0, 0)], "a", "", "1 of its 2", True, id="half a mirror, of which the other may live"),
        pytest.param([array(0, 0, filled=1)], "a", "", "1 of its 2", False, id="a mirror that runs on one half"),
        pytest.param([array(0, 0), array(1, 1, events=3)], "ab", "", "1 of its 2", True, id="a half that is behind"),
        pytest.param([array(0, 0), array(1, 1), array(2, None)], "abc", "", "", False, id="a mirror with a spare"),
        pytest.param([btrfs(1), btrfs(2)], "ab", "", "", False, id="btrfs over two devices"),
        pytest.param([btrfs(1)], "a", "", "1 of its 2", True, id="one device of two"),
        pytest.param([btrfs(1, devices=1)], "a", "", "", False, id="btrfs on one device"),
        pytest.param([btrfs(1, devices=1)] * 2, "a", "b", "", False, id="a copy of a btrfs"),
    ],
)
def test_a_unit(labels: list[Label], members: str, doubles: str, missing: str, split: bool) -> None:
    blocks = [block(name, TYPES[type(label).__name__]) for name, label in zip("abc", labels)]
    (unit,) = units_of(blocks, dict(zip("abc", labels)))
    assert (unit.members, unit.doubles, unit.split) == (tuple(members), tuple(doubles), split)
    assert missing in " ".join(unit.missing)
    assert bool(unit.missing) == bool(missing)


def test_each_container_is_a_unit_of_its_own_and_a_file_system_is_none() -> None:
    units = units_of(
        [block("a", "crypto_LUKS", UUID="l1"), block("b", "ext4"), block("c", "crypto_LUKS", UUID="l2")], {}
    )
    assert [(unit.kind, unit.uuid, unit.members) for unit in units] == [("luks", "l1", ("a",)), ("luks", "l2", ("c",))]


def test_what_cannot_be_opened_is_said_by_its_name() -> None:
    kinds = ("zfs_member", "BitLocker", "bcache", "drbd", "ext4", "swap", "crypto_LUKS", "swsuspend")
    blocks = [block(f"vd{index}", kind) for index, kind in enumerate(kinds)]
    told = {item.text.split(",")[0]: item.kind for item in unsupported(blocks)}
    assert told == {
        "/dev/vd0 holds ZFS": "unsupported",
        "/dev/vd1 holds BitLocker": "locked",
        "/dev/vd2 holds bcache": "unsupported",
        "/dev/vd3 holds DRBD": "unsupported",
    }
    assert [is_container(one) for one in blocks] == [True, True, True, True, False, False, True, False]
