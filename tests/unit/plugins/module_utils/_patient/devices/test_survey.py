# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which devices are the patient's, by what the kernel shows and blkid really printed."""

from __future__ import annotations

import dataclasses
import pathlib
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._patient.devices.survey import (
    Block,
    Survey,
    in_use,
    parse_blkid,
    patient_tops,
    read_blocks,
    seeds,
)

Table = t.Sequence[tuple[str, str, int, str, tuple[str, ...], dict[str, str]]]
#: kernel name, number, size in MiB, disk of a partition, what it is made of, other files
TABLE: Table = (
    ("loop0", "7:0", 1024, "", (), {}),
    ("sr0", "11:0", 1024, "", (), {"device/type": "5"}),
    ("zram0", "252:0", 1024, "", (), {}),
    ("vda", "254:0", 4096, "", (), {}),
    ("vda3", "254:3", 1024, "vda", (), {}),
    ("vdb", "254:16", 2048, "", (), {}),
    ("vdb1", "254:17", 1024, "vdb", (), {}),
    ("vdb2", "254:18", 1024, "vdb", (), {}),
    ("vdb10", "254:26", 1024, "vdb", (), {}),
    ("vdc", "254:32", 2048, "", (), {"ro": "1"}),
    ("vdd", "254:48", 1, "", (), {}),
    ("vde", "254:64", 0, "", (), {}),
    ("vdf", "254:80", 1, "", (), {}),
    ("vdf1", "254:81", 1, "vdf", (), {}),
    ("vdg", "254:96", 1, "", (), {}),
    ("vdg1", "254:97", 1, "vdg", (), {}),
    ("vdh", "254:112", 1, "", (), {}),
    ("vdh1", "254:113", 1, "vdh", (), {}),
    ("dm-0", "253:0", 1024, "", ("vdb2", "vdc"), {"dm/name": "vg--a-root", "dm/uuid": "LVM-" + "a" * 64}),
    ("dm-1", "253:1", 1024, "", ("vdc",), {"dm/name": "vg--a-pool_tmeta", "dm/uuid": "LVM-" + "a" * 64 + "-tmeta"}),
    ("dm-2", "253:2", 1024, "", ("dm-0",), {"dm/name": "open", "dm/uuid": "CRYPT-LUKS2-x"}),
    ("md5", "9:5", 1024, "", ("vdb1",), {"md/level": "raid1"}),
    ("cciss!c0d0", "104:0", 0, "", (), {}),
)


def make_sys(folder: pathlib.Path, table: Table = TABLE) -> str:
    """A /sys as the kernel shows it: partitions lie in their disk's directory, and class/block holds links."""
    (folder / "class/block").mkdir(parents=True)
    for kname, number, size, disk, parents, files in table:
        place = folder / "devices" / disk / kname
        place.mkdir(parents=True)
        values = {"dev": number, "size": str(size * 2048), "ro": "0", **({"partition": "1"} if disk else {}), **files}
        for name, value in values.items():
            (place / name).parent.mkdir(exist_ok=True)
            (place / name).write_text(f"{value}\n")
        (place / "slaves").mkdir()
        for parent in parents:
            (place / "slaves" / parent).mkdir()
        (folder / "class/block" / kname).symlink_to(place)
    return str(folder)


@pytest.fixture
def blocks(tmp_path: pathlib.Path) -> dict[str, Block]:
    return read_blocks(make_sys(tmp_path))


@pytest.fixture
def found(blocks: dict[str, Block]) -> Survey:
    signatures = parse_blkid(SEED)
    return Survey(
        {name: dataclasses.replace(item, signature=signatures.get(item.path, {})) for name, item in blocks.items()}
    )


SEED = "\n".join(
    f"DEVNAME=/dev/{name}\nLABEL={label}\nTYPE={fstype}\n"
    for name, label, fstype in (
        ("vdd", "cidata", "iso9660"),
        ("vdf1", "config-2", "vfat"),
        ("vdg1", "cidata", "vfat"),
        ("vdh1", "openrescue", "ext4"),
    )
)
MOUNTS = "22 1 254:3 / / rw - ext4 /dev/vda3 rw\n23 22 0:5 / /proc rw - proc proc rw\n"


def test_every_kind_of_device_is_told_apart(blocks: dict[str, Block]) -> None:
    kinds = {name: block.type for name, block in blocks.items()}
    assert kinds["sr0"] == "rom"
    assert (kinds["loop0"], kinds["vdb"], kinds["vdb1"], kinds["md5"]) == ("loop", "disk", "part", "raid1")
    assert (kinds["dm-0"], kinds["dm-2"]) == ("lvm", "crypt")
    assert blocks["dm-0"].path == "/dev/mapper/vg--a-root"
    assert [name for name, block in blocks.items() if block.is_inner] == ["dm-1"]
    assert [name for name, block in blocks.items() if block.read_only] == ["vdc"]
    assert blocks["cciss!c0d0"].path == "/dev/cciss/c0d0"
    assert blocks["vdb"].size == 2 << 30


def test_the_order_is_that_of_the_letters(blocks: dict[str, Block]) -> None:
    names = list(blocks)
    assert [name for name in names if name.startswith("vdb")] == ["vdb", "vdb1", "vdb2", "vdb10"]
    assert names.index("vdc") < names.index("dm-0") < names.index("dm-2")


def test_the_patient_is_what_is_not_the_rescue_systems_own(found: Survey) -> None:
    """A whole device with settings is none of its disks; a partition may be called as one or as ours."""
    assert patient_tops(found, used={"vda3"}) == ("vdb", "vdc", "vdf", "vdg", "vdh")
    assert seeds(found) == ["/dev/vdd"]


def test_a_volume_on_two_disks_stands_once_with_both(found: Survey) -> None:
    assert found.blocks["dm-0"].parents == ("vdb2", "vdc")
    assert found.made_of("dm-0") == {"dm-0", "vdb2", "vdb", "vdc"}
    assert [block.kname for block in found.built_on("vdb")] == ["vdb", "vdb1", "md5", "vdb2", "dm-0", "dm-2", "vdb10"]


@pytest.mark.parametrize(("path", "top"), [("/dev/vdc", "vdc"), ("/dev/vdb1", "vdb1"), ("/dev/loop0", "loop0")])
def test_a_named_device_is_taken_as_given(found: Survey, path: str, top: str) -> None:
    assert patient_tops(found, used={"vda3"}, only=[path]) == (top,)


@pytest.mark.parametrize(("path", "code"), [("/dev/vda", "device_in_use"), ("/dev/vdx", "device_not_found")])
def test_a_named_device_that_cannot_be_is_refused(found: Survey, path: str, code: str) -> None:
    with pytest.raises(OpenRescueError) as caught:
        patient_tops(found, used={"vda3"}, only=[path])
    assert caught.value.code == code


def test_in_use_reads_mounts_and_swaps() -> None:
    swaps = "Filename Type Size Used Priority\n/dev/vdb1 partition 1 0 -2\n/swapfile file 1 0 -2\n"
    numbers, paths = in_use(MOUNTS + "24 22 0:31 /@ /srv rw - btrfs /dev/vdc rw\n", swaps)
    assert "254:3" in numbers
    assert paths == {"/dev/vda3", "/dev/vdb1", "/dev/vdc"}


def test_blkid_values_are_unescaped() -> None:
    text = 'DEVNAME=/dev/loop0p1\nLABEL=la\\ bel\\"x\nTYPE=ext4\n\n'
    text += "DEVNAME=/dev/loop0p2\nTYPE=swap\nPART_ENTRY_NAME=my\\ name\n"
    found = parse_blkid(text)
    assert found["/dev/loop0p1"]["LABEL"] == 'la bel"x'
    assert found["/dev/loop0p2"] == {"TYPE": "swap", "PART_ENTRY_NAME": "my name"}
    assert parse_blkid("") == {}


def test_labels_beyond_ascii_are_what_they_are() -> None:
    """In a UTF-8 locale blkid prints them; whatever does not print it writes as bytes."""
    text = "DEVNAME=/dev/vdb1\nLABEL=donn\u00e9es\nTYPE=ext4\n\n"
    text += "DEVNAME=/dev/vdb2\nLABEL=donn\\xc3\\xa9es\\x1b\\\\x41\nTYPE=ext4\n"
    found = parse_blkid(text)
    assert found["/dev/vdb1"]["LABEL"] == "donn\u00e9es"
    assert found["/dev/vdb2"]["LABEL"] == "donn\u00e9es\x1b\\x41"
