# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which devices get a layer, and what is opened with what is written to."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._formats.lvm import LogicalVolume, VolumeGroup
from ansible_collections.openrescue.server.plugins.module_utils._formats.superblocks import BtrfsMember, MdMember
from ansible_collections.openrescue.server.plugins.module_utils._patient.devices import stack as stack_module
from ansible_collections.openrescue.server.plugins.module_utils._patient.devices.assembly import (
    Assembly,
    Failed,
    WrongPassphrase,
)
from ansible_collections.openrescue.server.plugins.module_utils._patient.devices.facts import (
    attached,
    filesystem_of,
    surroundings,
)
from ansible_collections.openrescue.server.plugins.module_utils._patient.devices.graph import Label, PhysicalVolume
from ansible_collections.openrescue.server.plugins.module_utils._patient.devices.layers import Layers
from ansible_collections.openrescue.server.plugins.module_utils._patient.devices.layout import describe
from ansible_collections.openrescue.server.plugins.module_utils._patient.devices.stack import Stack
from ansible_collections.openrescue.server.plugins.module_utils._patient.devices.survey import Block, Survey
from ansible_collections.openrescue.server.plugins.module_utils._patient.tools import ToolMissing, Tools

GROUP = VolumeGroup(
    "g1", "own", 1, {"p1": "", "p2": ""}, (), (LogicalVolume("root", ("striped",)), LogicalVolume("data", ("striped",)))
)


def block(kname: str, fstype: str = "", *parents: str, kind: str = "disk", name: str = "", uuid: str = "u") -> Block:
    path = f"/dev/mapper/{name}" if name else f"/dev/{kname}"
    signature = {"TYPE": fstype, "UUID": uuid} if fstype else {}
    if fstype == "gpt":
        signature = {"PTTYPE": "gpt"}
    return Block(path, kname, name or kname, kind, 1 << 30, False, "8:0", parents, signature)


class FakeLayers(Layers):
    """Remembers what it was asked."""

    def __init__(self) -> None:
        self.snapshots: dict[str, str] = {}
        self.stores: dict[str, str] = {}
        self.reason = ""
        self.opened: list[str] = []

    def keep(self, blocks: t.Iterable[Block]) -> None:
        pass

    def protect(self, blocks: t.Iterable[Block]) -> None:
        pass

    def build_on(self, paths: t.Iterable[str]) -> None:
        pass

    def open_up(self, blocks: t.Iterable[Block]) -> None:
        self.opened = [one.kname for one in blocks]

    def lay(self, blocks: t.Sequence[Block]) -> None:
        self.snapshots.update({one.kname: f"/dev/layer-{one.kname}" for one in blocks})


class World:
    """Disks, and what comes up once a unit is assembled: UUID -> devices."""

    def __init__(self, disks: list[Block], labels: dict[str, Label], comes: dict[str, list[Block]]) -> None:
        self.disks, self.labels, self.comes = disks, labels, comes
        self.blocks: dict[str, Block] = {}
        self.assembled: dict[str, Assembly] = {}
        self.layers = FakeLayers()

    def survey(self, *_args: t.Any, **_options: t.Any) -> Survey:
        shown = dict(self.blocks)
        for kname in self.layers.snapshots:
            name = f"openrescue-run-{kname}"
            shown[f"L{kname}"] = Block(f"/dev/mapper/{name}", f"L{kname}", name, "dm", 1, False, "", (kname, "loop0"))
        # What is built on a layer has the layer for a parent.
        ordered = {name: one for name, one in shown.items() if not one.parents}
        for _round in shown:
            ordered.update(
                (name, one)
                for name, one in shown.items()
                if name not in ordered and all(parent in ordered or parent == "loop0" for parent in one.parents)
            )
        return Survey(ordered, tuple(one.kname for one in self.disks if not one.parents))

    def assemble(self, _tools: Tools, wanted: t.Sequence[Assembly], *, passphrases: t.Sequence[str]) -> Failed:
        for item in wanted:
            self.assembled[item.unit.uuid] = item
            for one in self.comes.get(item.unit.uuid, []):
                parents = tuple(f"L{name}" if name in self.layers.snapshots else name for name in one.parents)
                self.blocks[one.kname] = dataclasses.replace(one, parents=parents)
        return {}

    def build(self, monkeypatch: pytest.MonkeyPatch, *, opened: t.Collection[str] = ()) -> Stack:
        self.blocks = {one.kname: one for one in self.disks}
        self.layers = FakeLayers()
        monkeypatch.setattr(stack_module, "survey", self.survey)
        monkeypatch.setattr(stack_module, "assemble", self.assemble)
        monkeypatch.setattr(
            stack_module,
            "read_labels",
            lambda blocks, _path: {one.kname: self.labels[one.kname] for one in blocks if one.kname in self.labels},
        )
        stack = Stack(tools=Tools(), layers=self.layers, only=(), ignored=(), passphrases=["x"])
        stack.look()
        stack.build(opened=opened)
        return stack


def named(stack: Stack, path: str) -> Block:
    return next(one for one in stack.blocks() if one.path == path)


LVM = World(
    [block("vdb", "LVM2_member"), block("vdc", "LVM2_member"), block("vdd", "ext4")],
    {"vdb": PhysicalVolume("p1", GROUP), "vdc": PhysicalVolume("p2", GROUP)},
    {
        "g1": [
            block("dm-1", "ext4", "vdb", kind="lvm", name="own-root"),
            block("dm-2", "xfs", "vdc", kind="lvm", name="own-data"),
        ]
    },
)
RAID = World(
    [block("vdb", "linux_raid_member"), block("vdc", "linux_raid_member")],
    {"vdb": MdMember("a1", "h:0", 0, 0, 9, 2, 2), "vdc": MdMember("a1", "h:0", 1, 1, 9, 2, 2)},
    {"a1": [block("md900", "ext4", "vdb", "vdc", kind="raid1")]},
)
LUKS = World(
    [
        block("vdb", "gpt"),
        block("vdb1", "ext4", "vdb", kind="part"),
        block("vdb2", "crypto_LUKS", "vdb", kind="part", uuid="l1"),
    ],
    {"dm-1": PhysicalVolume("p1", dataclasses.replace(GROUP, physical={"p1": ""}))},
    {
        "l1": [block("dm-1", "LVM2_member", "vdb2", kind="crypt", name="luks-l1")],
        "g1": [
            block("dm-2", "ext4", "dm-1", kind="lvm", name="own-root"),
            block("dm-3", "xfs", "dm-1", kind="lvm", name="own-data"),
        ],
    },
)
BTRFS = World(
    [block("vdb", "btrfs"), block("vdc", "btrfs")],
    {"vdb": BtrfsMember("b1", 1, 2, 7), "vdc": BtrfsMember("b1", 2, 2, 7)},
    {},
)


@pytest.mark.parametrize(
    ("world", "written", "layers", "opened", "others"),
    [
        pytest.param(LVM, "", {"vdb", "vdc", "vdd"}, set(), {"/dev/mapper/own-root": True}, id="lvm, looking"),
        # The group is opened whole, and the other volume has a layer of its own.
        pytest.param(
            LVM,
            "/dev/mapper/own-root",
            {"dm-2", "vdd"},
            {"vdb", "vdc"},
            {"/dev/mapper/own-root": False, "/dev/mapper/own-data": True},
            id="lvm, one volume is written",
        ),
        pytest.param(LVM, "/dev/vdd", {"vdb", "vdc"}, {"vdd"}, {"/dev/mapper/own-data": True}, id="lvm, beside it"),
        pytest.param(RAID, "", {"vdb", "vdc", "md900"}, set(), {"/dev/md900": True}, id="raid, looking"),
        pytest.param(RAID, "/dev/md900", set(), {"vdb", "vdc"}, {"/dev/md900": False}, id="raid, written"),
        pytest.param(LUKS, "", {"vdb1", "dm-1"}, set(), {"/dev/mapper/own-root": True}, id="lvm on luks, looking"),
        pytest.param(
            LUKS,
            "/dev/mapper/own-root",
            {"vdb1", "dm-3"},
            {"vdb", "vdb2"},
            {"/dev/mapper/own-root": False, "/dev/mapper/own-data": True},
            id="lvm on luks, one volume is written",
        ),
        pytest.param(BTRFS, "", {"vdb", "vdc"}, set(), {"/dev/vdb": True}, id="btrfs, looking"),
        pytest.param(BTRFS, "/dev/vdb", set(), {"vdb", "vdc"}, {"/dev/vdb": False}, id="btrfs, written"),
    ],
)
def test_only_what_is_written_to_is_opened_and_its_unit_whole(
    monkeypatch: pytest.MonkeyPatch,
    world: World,
    written: str,
    layers: set[str],
    opened: set[str],
    others: dict[str, bool],
) -> None:
    stack = world.build(monkeypatch)
    if written:
        stack = world.build(monkeypatch, opened=stack.closure([named(stack, written)]))
    assert set(world.layers.snapshots) == layers
    assert set(world.layers.opened) == opened
    assert {path: stack.is_covered(named(stack, path)) for path in others} == others


def test_a_group_that_is_written_has_its_other_volumes_read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = LVM.build(monkeypatch)
    assert LVM.assembled["g1"].paths == ("/dev/layer-vdb", "/dev/layer-vdc")
    assert not LVM.assembled["g1"].writable
    LVM.build(monkeypatch, opened=stack.closure([named(stack, "/dev/mapper/own-root")]))
    written = LVM.assembled["g1"]
    assert (written.paths, written.writable, written.volumes) == (("/dev/vdb", "/dev/vdc"), True, ("root",))


def test_an_array_is_read_only_until_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = RAID.build(monkeypatch)
    assert (RAID.assembled["a1"].writable, RAID.assembled["a1"].number) == (False, 900)
    assert [one.kname for one in stack.covers(named(stack, "/dev/md900"))] == ["md900"]
    RAID.build(monkeypatch, opened=stack.closure([named(stack, "/dev/md900")]))
    assert RAID.assembled["a1"].writable


def test_faults_see_members_and_every_file_system_once(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = BTRFS.build(monkeypatch)
    (end,) = [filesystem_of(one, stack) for one in stack.ends()]
    assert (end.device, end.others) == ("/dev/vdb", ("/dev/layer-vdc",))
    assert "/dev/vdc" in end.aliases
    assert [one.path for one in stack.members()] == ["/dev/vdc"]
    stack = RAID.build(monkeypatch)
    (end,) = [filesystem_of(one, stack) for one in stack.ends()]
    assert {"/dev/md0", "/dev/md/0"} <= set(end.aliases)
    assert (end.unit, end.number) == ("a1", None)
    assert [one.path for one in stack.members()] == ["/dev/vdb", "/dev/vdc"]
    assert [node["device"] for node in describe(stack, [end])] == ["/dev/vdb", "/dev/vdc"]
    assert surroundings(stack, shifted=False).arrays


def test_what_is_closed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert LVM.build(monkeypatch).closed() == []
    locked = World(LUKS.disks, {}, {}).build(monkeypatch)
    assert [(item.kind, item.text) for item in locked.closed()] == [("locked", "/dev/vdb2 is locked (LUKS)")]
    locked.failed = {"l1": WrongPassphrase("none opens it")}
    assert [(item.kind, item.text) for item in locked.closed()] == [
        ("locked", "/dev/vdb2 is locked (LUKS) (none opens it)")
    ]
    locked.failed = {"l1": ToolMissing("there is no cryptsetup", hint="Bring it")}
    (closed,) = locked.closed()
    assert closed.kind == "unsupported", "another passphrase is no way out"
    assert "there is no cryptsetup. Bring it" in closed.text
    half = World(LVM.disks[:1], {"vdb": LVM.labels["vdb"]}, LVM.comes).build(monkeypatch)
    assert [item.kind for item in half.closed()] == ["incomplete"]
    asleep = World(LVM.disks, LVM.labels, {"g1": LVM.comes["g1"][:1]}).build(monkeypatch)
    assert "volumes of volume group own did not come up: data" in asleep.closed()[0].text


def test_the_providers_list_says_what_is_not_here_and_what_others_use() -> None:
    found = Survey({}, ("vdb", "vdc"))
    disks = [
        {"target": "vda", "device": "/dev/vdb"},
        {"target": "vdb", "device": None, "hidden": True},
        {"target": "vdc", "device": None, "shared": True},
    ]
    told = attached(disks, found, resolve=lambda path: path)
    assert [item.text for item in told.closed] == ["the server's disk vdb is not attached to the rescue system"]
    assert told.shared == {"vdc"}, "it can only be that one"
    exact = attached([{"target": "x", "device": "/dev/vdb", "shared": True}], found, resolve=lambda path: path)
    assert exact.shared == {"vdb"}
    assert attached([], found, resolve=lambda path: path).shared == set()
