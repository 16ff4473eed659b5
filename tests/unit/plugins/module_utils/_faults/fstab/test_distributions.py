# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fstab that each distribution writes, on a healthy server: no fault finds anything in it."""

from __future__ import annotations

import pathlib
import re

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._faults.catalog import FAULTS
from ansible_collections.openrescue.server.plugins.module_utils._faults.model import Fault, Finding
from ansible_collections.openrescue.server.plugins.module_utils._formats.filesystem_types import is_local
from ansible_collections.openrescue.server.plugins.module_utils._formats.fstab import parse_fstab
from ansible_collections.openrescue.server.plugins.module_utils._patient.patient import Filesystem, Found

from ..fakes import FakePatient

TABLES = sorted((pathlib.Path(__file__).parents[2] / "_formats/data/fstab").glob("*.fstab"))
FAMILY = [fault for fault in FAULTS if fault.id.startswith("fstab-")]
SERIOUS = ("critical", "error", "warning")


class Server(FakePatient):
    """A server that has every device which its fstab names, and maybe more than it shows."""

    devices: dict[str, Filesystem]

    def lookup(self, spec: str) -> Found:
        found = self.devices.get(spec)
        return Found(found, "" if found else "; ".join(self.uncertain))


def server(root: pathlib.Path, table: pathlib.Path) -> Server:
    patient = Server(root)
    text = table.read_text(encoding="utf-8")
    patient.put("/etc/fstab", text)
    patient.devices = {}
    for number, entry in enumerate(parse_fstab(text)):
        if not is_local(entry.fstype) or not re.match(r"/dev/|\w+=", entry.spec):
            continue
        # Names by the bus are another bus's here, and media are not in the drive.
        if re.match(r"/dev/(?:disk/by-(?:path|id)|sr0|cdrom|usbdisk|zram)", entry.spec):
            continue
        fstype = {"auto": "ext4"}.get(entry.fstype, entry.fstype.split(",")[0])
        where = entry.place if entry.is_mount else None
        device = Filesystem(f"/dev/vdz{number}", f"/dev/vdz{number}", fstype, uuid=f"{number:08d}", mount_point=where)
        patient.devices.setdefault(entry.spec, device)
    patient.filesystems = tuple(patient.devices.values())
    patient.root = next((item for item in patient.filesystems if item.mount_point == "/"), patient.root)
    return patient


def found(patient: FakePatient, faults: list[Fault] = FAMILY) -> list[Finding]:
    return [finding for fault in faults for finding in fault.detect(patient)]


def test_there_are_many_distributions() -> None:
    assert len(TABLES) > 30
    listed = (TABLES[0].parent / "README.md").read_text(encoding="utf-8")
    assert {path.name for path in TABLES} == set(re.findall(r"`([\w-]+\.fstab)`", listed))


@pytest.mark.parametrize("table", TABLES, ids=lambda path: path.stem)
def test_a_healthy_server(tmp_path: pathlib.Path, table: pathlib.Path) -> None:
    assert [finding.summary for finding in found(server(tmp_path, table))] == []


@pytest.mark.parametrize("table", TABLES, ids=lambda path: path.stem)
def test_a_server_of_which_only_the_root_is_open(tmp_path: pathlib.Path, table: pathlib.Path) -> None:
    patient = server(tmp_path, table)
    patient.devices = {spec: item for spec, item in patient.devices.items() if item.mount_point == "/"}
    patient.filesystems = tuple(patient.devices.values())
    patient.uncertain = ("/dev/vda2 (crypto_LUKS) is locked",)
    findings = found(patient)
    assert [item.summary for item in findings if item.severity in SERIOUS] == []
    assert [item.summary for item in findings if item.remedy or item.remedy_safe] == []


@pytest.mark.parametrize("table", TABLES, ids=lambda path: path.stem)
def test_a_server_that_lost_all_but_the_root_gets_nothing_that_could_lose_data(
    tmp_path: pathlib.Path, table: pathlib.Path
) -> None:
    patient = server(tmp_path, table)
    patient.devices = {spec: item for spec, item in patient.devices.items() if item.mount_point == "/"}
    patient.filesystems = tuple(patient.devices.values())
    safe = [item for item in found(patient) if item.remedy_safe]
    # What is added is nofail, and only where nothing lives; swap is not waited for.
    assert all(re.search(r" for (?:/mnt/|/media/|none|swap)", item.summary) for item in safe), safe
    assert [item.summary for item in found(patient) if item.confidence != "high" and item.remedy_safe] == []
