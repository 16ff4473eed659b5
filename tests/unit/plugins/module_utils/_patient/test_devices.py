# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which devices are the patient's, by what lsblk and blkid really printed."""

from __future__ import annotations

import dataclasses
import json
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._patient.devices.survey import (
    Survey,
    in_use,
    parse_blkid,
    parse_lsblk,
    patient_tops,
)
from ansible_collections.openrescue.server.plugins.module_utils._patient.opening import _mapper_names


def node(name: str, kind: str, number: str, size: int = 1 << 30, *children: dict[str, t.Any]) -> dict[str, t.Any]:
    kname, _sign, shown = name.partition("=")
    path = f"/dev/mapper/{shown}" if shown else f"/dev/{kname}"
    found = {"name": shown or kname, "kname": kname, "path": path, "type": kind, "size": size, "ro": False}
    return {**found, "maj:min": number, "pkname": None, **({"children": list(children)} if children else {})}


RESCUE = node("vda", "disk", "254:0", 4 << 30, node("vda3", "part", "254:3"))
VOLUME = node("dm-0=vg--a-root", "lvm", "253:0")
LISTED = json.dumps(
    {
        "blockdevices": [
            node("loop0", "loop", "7:0"),
            node("sr0", "rom", "11:0"),
            node("zram0", "disk", "252:0"),
            RESCUE,
            node(
                "vdb",
                "disk",
                "254:16",
                2 << 30,
                node("vdb1", "part", "254:17"),
                node("vdb2", "part", "254:18", 1 << 30, VOLUME),
            ),
            node("vdc", "disk", "254:32", 2 << 30, VOLUME),
            node("vdd", "disk", "254:48", 1 << 20),
            node("vde", "disk", "254:64", 0),
        ]
    }
)
SEED = "DEVNAME=/dev/vdd\nLABEL=cidata\nTYPE=iso9660\n"
MOUNTS = "22 1 254:3 / / rw - ext4 /dev/vda3 rw\n23 22 0:5 / /proc rw - proc proc rw\n"


def survey() -> Survey:
    signatures = parse_blkid(SEED)
    blocks = parse_lsblk(LISTED)
    return Survey(
        {name: dataclasses.replace(item, signature=signatures.get(item.path, {})) for name, item in blocks.items()}
    )


def test_the_patient_is_what_is_not_the_rescue_systems_own() -> None:
    assert patient_tops(survey(), used={"vda3"}) == ("vdb", "vdc")


def test_a_volume_on_two_disks_stands_once_with_both() -> None:
    found = survey()
    assert found.blocks["dm-0"].parents == ("vdb2", "vdc")
    assert found.above("dm-0") == {"dm-0", "vdb2", "vdb", "vdc"}
    assert [block.kname for block in found.beneath("vdb")] == ["vdb", "vdb1", "vdb2", "dm-0"]
    assert _mapper_names(found.blocks["dm-0"]) == ["/dev/mapper/vg--a-root", "/dev/vg-a/root"]


@pytest.mark.parametrize(("path", "top"), [("/dev/vdc", "vdc"), ("/dev/vdb1", "vdb1"), ("/dev/loop0", "loop0")])
def test_a_named_device_is_taken_as_given(path: str, top: str) -> None:
    assert patient_tops(survey(), used={"vda3"}, only=[path]) == (top,)


@pytest.mark.parametrize(("path", "code"), [("/dev/vda", "device_in_use"), ("/dev/vdx", "device_not_found")])
def test_a_named_device_that_cannot_be_is_refused(path: str, code: str) -> None:
    with pytest.raises(OpenRescueError) as caught:
        patient_tops(survey(), used={"vda3"}, only=[path])
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


def test_an_array_on_layers_stands_behind_both_disks() -> None:
    """As lsblk shows it while layers are laid: the loop devices come first."""
    array = node("md9", "raid1", "9:9")
    layers = [node(f"dm-{index}=openrescue-run-vdb{index}", "dm", f"253:{index}", 1 << 30, array) for index in (1, 2)]
    disk = node("vdb", "disk", "254:16", 2 << 30)
    disk["children"] = [node(f"vdb{index}", "part", f"254:{index}", 1 << 30, layers[index - 1]) for index in (1, 2)]
    listed = [node("loop0", "loop", "7:0", 1 << 30, layers[0]), node("loop1", "loop", "7:1", 1 << 30, layers[1]), disk]
    found = Survey(parse_lsblk(json.dumps({"blockdevices": listed})))
    assert [block.kname for block in found.beneath("vdb")] == ["vdb", "vdb1", "dm-1", "vdb2", "dm-2", "md9"]
