# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What faults see of the graph, and the way back from it to the devices."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._patient.devices.facts import Attached, Devices
from ansible_collections.openrescue.server.plugins.module_utils._patient.devices.graph import Closed
from ansible_collections.openrescue.server.plugins.module_utils._patient.patient import Patient
from ansible_collections.openrescue.server.plugins.module_utils._patient.tools import Tools

from .test_stack import BTRFS, LVM, RAID, World


@pytest.mark.parametrize(
    ("world", "device", "covers"),
    [
        (LVM, "/dev/mapper/own-root", ["vdb"]),
        (LVM, "/dev/mapper/own-data", ["vdc"]),
        (LVM, "/dev/vdd", ["vdd"]),
        (BTRFS, "/dev/vdb", ["vdb", "vdc"]),
        (RAID, "/dev/md900", ["md900"]),
    ],
)
def test_the_layers_of_a_file_system(
    monkeypatch: pytest.MonkeyPatch, world: World, device: str, covers: list[str]
) -> None:
    devices = Devices(world.build(monkeypatch), Attached())
    item = devices.filesystem(devices.block(device))
    assert [block.kname for block in devices.covers(item)] == covers


def test_what_the_provider_says_is_in_what_faults_see(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = Attached(frozenset({"vdd"}), (Closed("absent", "the disk \x1b[1mx is not attached"),))
    devices, patient = Devices(LVM.build(monkeypatch), listed), Patient(tools=Tools())
    devices.tell(patient)
    assert [(item.device, item.shared) for item in patient.filesystems] == [
        ("/dev/mapper/own-root", False),
        ("/dev/mapper/own-data", False),
        ("/dev/vdd", True),
    ]
    assert [item.device for item in patient.members] == ["/dev/vdb", "/dev/vdc"]
    assert patient.uncertain == ("the disk \\x1b[1mx is not attached",)
    assert patient.disks == ("/dev/vdb", "/dev/vdc", "/dev/vdd")
    assert patient.around.groups == ("own",)
    root, _data, shared = patient.filesystems
    assert "other servers use" in devices.why_read_only(shared)
    assert devices.why_read_only(root) == ""
    assert devices.why_read_only(dataclasses.replace(root, shared=True)) != ""
