# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._faults.model import Finding
from ansible_collections.openrescue.server.plugins.module_utils._faults.storage.shared.use import (
    Use,
    is_shared,
    use_of,
    weigh_lost,
)
from ansible_collections.openrescue.server.plugins.module_utils._patient.patient import Filesystem

from ...fakes import BOOT, ROOT, FakePatient

DATA = Filesystem("/dev/vdb5", "/dev/vdb5", "ext4", uuid="da7a0000-0000-4000-8000-000000000005")
NAMED = Use(known=True, named=True)
NEEDED = dataclasses.replace(NAMED, needed=True)
CHECKED = dataclasses.replace(NEEDED, checked=True)


@pytest.mark.parametrize(
    ("line", "use"),
    [
        ("", Use(known=True)),
        ("/data ext4 defaults 0 2", CHECKED),
        ("/data ext4 defaults 0 0", NEEDED),
        ("/data ext4", NEEDED),
        ("/data ext4 nofail 0 2", NAMED),
        ("/data ext4 noauto 0 2", NAMED),
        ("/data ext4 x-systemd.automount 0 2", NAMED),
    ],
)
def test_what_a_line_makes_of_a_device(patient: FakePatient, line: str, use: Use) -> None:
    patient.filesystems = (*patient.filesystems, DATA)
    patient.put("/etc/fstab", f"UUID={DATA.uuid} {line}\n" if line else "")
    assert use_of(patient, DATA) == use


def test_the_root_and_boot_need_no_line(patient: FakePatient) -> None:
    assert use_of(patient, ROOT) == CHECKED
    assert use_of(patient, BOOT) == NEEDED


def test_each_member_of_the_root_file_system_is_the_root(patient: FakePatient) -> None:
    assert use_of(patient, dataclasses.replace(ROOT, device="/dev/vdc1", mount_point=None)) == CHECKED


def test_without_an_operating_system_nobody_can_say(patient: FakePatient) -> None:
    patient.root = None
    assert use_of(patient, DATA) == Use(known=False)


def test_what_nobody_says_is_not_shared() -> None:
    assert not is_shared(DATA)


@pytest.mark.parametrize(
    ("use", "severity", "safe"),
    [
        (Use(known=False), "critical", False),
        (Use(known=True), "info", False),  # it may have been wiped on purpose
        (NAMED, "error", True),
        (NEEDED, "critical", True),
    ],
)
def test_a_lost_superblock_is_weighed_by_the_use_of_its_device(use: Use, severity: str, safe: bool) -> None:
    weighed = weigh_lost(Finding("filesystem-superblock", "critical", "lost", remedy="mend", remedy_safe=True), use)
    assert (weighed.severity, weighed.remedy_safe) == (severity, safe)
