# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which devices are set read-only and opened again, and when a layer is not to be believed any more."""

from __future__ import annotations

import dataclasses
import pathlib
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._patient.devices import layers as layers_module
from ansible_collections.openrescue.server.plugins.module_utils._patient.devices.layers import Layers
from ansible_collections.openrescue.server.plugins.module_utils._patient.tools import Completed, Tools

from .test_stack import block

FLAG = {"vdb1": False, "vdb2": True}  # the second one was read-only before we came


class Dmsetup(Tools):
    """Says what it is given, or is not there."""

    def __init__(self, status: str | None = None) -> None:
        super().__init__()
        self.status = status

    def has(self, name: str) -> bool:
        return self.status is not None

    def run(self, argv: t.Sequence[str], **_options: t.Any) -> Completed:
        assert argv[1] == "status"
        return Completed(tuple(argv), 0, self.status or "", "", 0.0)


@pytest.fixture
def flags(monkeypatch: pytest.MonkeyPatch) -> dict[str, bool]:
    """Path of a device -> whether the kernel lets nothing be written to it."""
    told: dict[str, bool] = {}
    monkeypatch.setattr(layers_module, "set_read_only", lambda path, *, value: told.update({path: value}))
    return told


def made(folder: pathlib.Path, tools: Tools) -> Layers:
    return Layers(tools=tools, tag="run", folder=str(folder), state=str(folder / "state.json"))


def test_only_what_was_writable_before_is_opened_and_given_back(tmp_path: pathlib.Path, flags: dict[str, bool]) -> None:
    blocks = [dataclasses.replace(block(name), read_only=flag) for name, flag in FLAG.items()]
    layers = made(tmp_path, Dmsetup())
    layers.protect(blocks)
    assert flags == {"/dev/vdb1": True}
    layers.open_up(blocks)
    assert flags == {"/dev/vdb1": False}
    flags.clear()
    made(tmp_path, Dmsetup()).remove()
    assert flags == {"/dev/vdb1": False}, "also by one that comes after a killed run"
    assert not (tmp_path / "state.json").exists()


def test_without_device_mapper_there_are_none_and_it_is_said(tmp_path: pathlib.Path) -> None:
    layers = made(tmp_path, Dmsetup())
    layers.lay([block("vdb1")])
    assert (layers.reason, layers.snapshots) == ("the rescue system has no dmsetup", {})


@pytest.mark.parametrize(
    ("status", "full"),
    [
        ("openrescue-run-vdb1: 0 81920 snapshot 16/81920 16\n", False),
        ("openrescue-run-vdb1: 0 81920 snapshot Invalid\n", True),
        ("openrescue-run-vdb1: 0 81920 snapshot Overflow\n", True),
        ("openrescue-mount-vdb1: 0 81920 snapshot Invalid\n", False),  # another's
        ("No devices found\n", False),
    ],
)
def test_a_layer_without_memory_is_not_believed(tmp_path: pathlib.Path, status: str, full: bool) -> None:
    layers = made(tmp_path, Dmsetup(status))
    layers.check()  # there are none yet
    layers.snapshots = {"vdb1": "/dev/dm-0"}
    if not full:
        layers.check()
        return
    with pytest.raises(OpenRescueError, match="layer over vdb1 is used up") as caught:
        layers.check()
    assert caught.value.code == "overlay_full"
