# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._faults.fstab.fstab_wrong_type import FSTAB_WRONG_TYPE

from ..fakes import FakePatient
from .lines import DEBIAN, SWAP, XFS, B, S, X, all_findings, see_broken

# the line, severity, what is left of it after the repair
BROKEN = [
    (f"{B} /boot xfs defaults 0 2", "critical", f"{B} /boot ext4 defaults 0 2"),
    (f"{X} /data ext4 errors=remount-ro 0 2", "critical", f"{X} /data xfs defaults 0 2"),
    (f"{X} /data ext4 nofail 0 2", "warning", f"{X} /data xfs nofail 0 2"),
    (f"{B} /boot ext2 defaults 0 2", "critical", f"{B} /boot ext4 defaults 0 2"),
]


@pytest.mark.parametrize(("line", "severity", "fixed"), BROKEN, ids=[row[0] for row in BROKEN])
def test_a_broken_line(line: str, severity: str, fixed: str | None) -> None:
    see_broken(line, "fstab-wrong-type", severity, fixed)


# Only types that can be mounted are written.


@pytest.mark.parametrize(
    "fstype", ["crypto_LUKS", "swap", "swsuspend", "LVM2_member", "linux_raid_member", "zfs_member"]
)
def test_a_type_that_cannot_be_mounted_is_never_written(patient: FakePatient, fstype: str) -> None:
    patient.filesystems = (*patient.filesystems, dataclasses.replace(XFS, fstype=fstype))
    patient.put("/etc/fstab", f"{DEBIAN}{X} /data xfs defaults 0 0\n")
    found = all_findings(patient)
    assert [(item.fault, item.remedy, item.remedy_safe) for item in found] == [("fstab-wrong-type", None, False)]


def test_a_swap_area_with_a_hibernated_system_is_one(patient: FakePatient) -> None:
    patient.filesystems = (*patient.filesystems, dataclasses.replace(SWAP, fstype="swsuspend"))
    patient.put("/etc/fstab", f"{DEBIAN}{S} none swap sw 0 0\n")
    assert all_findings(patient) == []


def test_a_file_system_is_never_made_a_swap_area(patient: FakePatient) -> None:
    patient.filesystems = (*patient.filesystems, XFS)
    patient.put("/etc/fstab", f"{DEBIAN}{X} none swap sw 0 0\n")
    (found,) = FSTAB_WRONG_TYPE.detect(patient)
    assert (found.severity, found.remedy) == ("warning", None)
