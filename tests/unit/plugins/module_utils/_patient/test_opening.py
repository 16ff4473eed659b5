# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is opened, what is refused, and what is said of it: the devices and the mounts are made up."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._patient import opening
from ansible_collections.openrescue.server.plugins.module_utils._patient.opening import View
from ansible_collections.openrescue.server.plugins.module_utils._patient.rootless import (
    NotWritten,
    SharedDisk,
    StillDamaged,
)
from ansible_collections.openrescue.server.plugins.module_utils._patient.tools import Tools

from .devices.test_stack import BTRFS, LVM, RAID, World, block

PLAIN = World([block("vdb", "ext4"), block("vdc", "ext4")], {}, {})
HALVES = {
    "mirror": World(RAID.disks[:1], RAID.labels, {"a1": [block("md900", "ext4", "vdb", kind="raid1")]}),
    "btrfs": World(BTRFS.disks[:1], BTRFS.labels, {}),
}
Disk = t.Mapping[str, t.Any]


class NoMounts:
    """Nothing is mounted."""

    memory = "/nowhere"

    def __init__(self, **_given: str) -> None:
        pass

    def prepare(self) -> None:
        pass

    def unmount(self) -> None:
        pass

    def remove(self) -> None:
        pass


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., View]:
    """A view of made-up disks, at its device stage."""

    def make(world: World, *disks: Disk, trial: bool = False) -> View:
        monkeypatch.setattr(opening, "Mounts", NoMounts)
        monkeypatch.setattr(opening, "Stack", lambda **_given: world.build(monkeypatch))
        monkeypatch.setattr(opening, "Layers", lambda **_given: world.layers)
        monkeypatch.setattr(View, "check_devices", lambda _self: None)
        monkeypatch.setattr(View, "close", lambda _self: None)
        view = View(tools=Tools(), server_disks=disks, trial=trial)
        view.open()
        return view

    return make


def test_a_disk_that_the_provider_hides_makes_an_absent_device_undecided(opened: t.Callable[..., View]) -> None:
    """The server may have on it what is not here."""
    assert opened(PLAIN).patient.lookup("UUID=none").is_absent
    view = opened(PLAIN, {"target": "vdc", "hidden": True})
    found = view.patient.lookup("UUID=none")
    assert not found.is_absent
    assert found.unknown == "the server's disk vdc is not attached to the rescue system"
    assert view.patient.uncertain == (found.unknown,)


@pytest.mark.parametrize("name", HALVES)
def test_half_a_unit_is_never_written(opened: t.Callable[..., View], name: str) -> None:
    view = opened(HALVES[name])
    (half,) = view.patient.filesystems
    with pytest.raises(NotWritten, match="lacks 1 of its 2"):
        view.make_writable(half, mount=False)
    assert not view.is_written(half)


def test_a_btrfs_answers_to_each_of_its_devices(opened: t.Callable[..., View]) -> None:
    """So that root= may name any of them."""
    (whole,) = opened(BTRFS).patient.filesystems
    assert (whole.device, whole.aliases) == ("/dev/vdb", ("/dev/vdc",))


def test_a_shared_disk_is_never_written(opened: t.Callable[..., View]) -> None:
    view = opened(PLAIN, {"target": "vda", "device": "/dev/vdb", "shared": True})
    shared, own = view.patient.filesystems
    with pytest.raises(SharedDisk):
        view.make_writable(shared, mount=False)
    view.make_writable(own, mount=False)
    assert (view.is_written(shared), view.is_written(own)) == (False, True)


def test_what_is_damaged_is_written_to_by_its_repair_only(opened: t.Callable[..., View]) -> None:
    view = opened(PLAIN)
    item = view.patient.filesystems[0]
    view.patient.damaged[item.device] = "its inodes are damaged"
    with pytest.raises(StillDamaged) as caught:
        view.refuse(item)
    assert "filesystem-corrupt" in caught.value.hint
    with pytest.raises(StillDamaged) as caught:
        view.refuse(dataclasses.replace(item, fstype="xfs"))
    assert "by hand" in caught.value.hint
    view.refuse(item, damaged_too=False)


def test_a_trial_opens_nothing(opened: t.Callable[..., View]) -> None:
    view = opened(LVM, trial=True)
    view.make_writable(view.patient.filesystems[0], mount=False)
    assert LVM.layers.opened == []


def test_what_is_written_is_opened_with_its_group_until_it_is_sealed(opened: t.Callable[..., View]) -> None:
    view = opened(LVM)
    root = view.patient.device("/dev/mapper/own-root")
    view.make_writable(root, mount=False)
    assert {"vdb", "vdc"} <= {*LVM.layers.opened}
    view.seal()
    assert LVM.layers.opened == []
    assert not view.is_written(root)
