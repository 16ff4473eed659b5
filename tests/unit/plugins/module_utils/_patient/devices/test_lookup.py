# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which names of devices say for certain that the server lacks one, and which say nothing."""

from __future__ import annotations

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._patient.devices.lookup import (
    Surroundings,
    array_uuids,
    bare_number,
    decoded,
    why_unknown,
)

PLAIN = Surroundings(disks=("vdb", "vdc"))
MIXED = Surroundings(disks=("sda", "vdb"))
SHIFTED = Surroundings(disks=("vdb", "vdc"), shifted=True)
RAID = Surroundings(disks=("vdb",), arrays=True)


@pytest.mark.parametrize(
    ("spec", "around", "number"),
    [
        ("/dev/vda1", PLAIN, (0, 1)),
        ("/dev/sdb", PLAIN, (1, 0)),
        ("/dev/nvme1n1p3", PLAIN, (1, 3)),
        ("/dev/sdaa2", PLAIN, (26, 2)),
        ("/dev/vda1", MIXED, None),
        ("/dev/vda1", SHIFTED, (0, 1)),
        ("/dev/vdb1", SHIFTED, None),
        ("/dev/mapper/x", PLAIN, None),
    ],
)
def test_a_bare_name_counts_only_where_the_order_is_the_servers(
    spec: str, around: Surroundings, number: tuple[int, int] | None
) -> None:
    assert bare_number(spec, around) == number


@pytest.mark.parametrize(
    ("spec", "around"),
    [
        ("UUID=0badcafe", PLAIN),
        ('LABEL="a b"', MIXED),
        ("PARTUUID=0badcafe-01", PLAIN),
        ("/dev/disk/by-uuid/0badcafe", PLAIN),
        ("/dev/vda9", PLAIN),
        ("/dev/vda9", SHIFTED),
        ("/dev/md0", PLAIN),
        ("/dev/mapper/rhel-swap", PLAIN),
        ("/dev/mapper/my--group-the--volume", PLAIN),
        ("/dev/rhel/swap", PLAIN),
    ],
)
def test_these_are_certainly_missing_where_everything_is_open(spec: str, around: Surroundings) -> None:
    assert why_unknown(spec, around) == ""


@pytest.mark.parametrize(
    ("spec", "around"),
    [
        ("/dev/vda1", MIXED),
        ("/dev/sdb1", SHIFTED),
        ("/dev/md0", RAID),
        ("/dev/md/root", RAID),
        ("/dev/md127p1", RAID),
        ("/dev/mapper/crypt-data", PLAIN),
        ("/dev/mapper/luks-5c2d-11", PLAIN),
        ("/dev/mapper/mpatha", PLAIN),
        ("/dev/mapper/mpatha-part1", PLAIN),
        ("/dev/mapper/360a98000486e2f34", PLAIN),
        ("/dev/disk/by-id/virtio-1234", PLAIN),
        ("/dev/disk/by-path/pci-0000:00:07.0", PLAIN),
        ("/dev/drbd0", PLAIN),
        ("/dev/drbd/by-res/r0/0", PLAIN),
        ("/dev/bcache0", PLAIN),
        ("/dev/zvol/tank/data", PLAIN),
        ("/dev/nbd0", PLAIN),
        ("/dev/rbd/pool/image", PLAIN),
        ("/dev/rbd0", PLAIN),
        ("/dev/loop0", PLAIN),
        ("/dev/mmcblk0p1", PLAIN),
        ("/dev/cciss/c0d0p1", PLAIN),
        ("/dev/dm-3", PLAIN),
        ("PARTUUID=/dev/x", PLAIN),
        ("server:/export", PLAIN),
    ],
)
def test_of_these_nobody_can_tell(spec: str, around: Surroundings) -> None:
    assert why_unknown(spec, around, made={"crypt-data": "UUID=x"}) != ""


def test_settings_name_arrays() -> None:
    text = "DEVICE partitions\nARRAY /dev/md0 metadata=1.2 UUID=0011AABB:22334455:66778899:aabbccdd name=h:0\n"
    text += "ARRAY data level=raid1\n   uuid=aaaaaaaa:bbbbbbbb:cccccccc:dddddddd\nARRAY <ignore> name=x\n"
    assert array_uuids(text) == {
        "/dev/md0": "0011aabb2233445566778899aabbccdd",
        "/dev/md/data": "a" * 8 + "b" * 8 + "c" * 8 + "d" * 8,
    }


def test_a_links_name_is_decoded_by_bytes() -> None:
    assert decoded("donn\\xc3\\xa9es\\x20x") == "donn\u00e9es x"
