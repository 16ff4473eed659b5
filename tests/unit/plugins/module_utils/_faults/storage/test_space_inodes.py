# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._faults.storage.space_inodes import (
    SPACE_INODES,
    judge_inodes,
)

from ..fakes import ROOT, FakePatient


@pytest.mark.parametrize(
    ("mount_point", "total", "free", "severity"),
    [
        ("/", 655360, 500000, None),
        ("/", 655360, 60000, "info"),
        ("/", 655360, 5000, "error"),
        ("/", 655360, 0, "critical"),
        ("/boot", 128016, 0, "error"),
        ("/", 6553600, 60000, "info"),  # a hundredth of many is many
        ("/", 0, 0, None),  # btrfs makes them as it needs them
        ("/srv/data", 100, 0, None),
    ],
)
def test_inodes(mount_point: str, total: int, free: int, severity: str | None) -> None:
    assert judge_inodes(mount_point, total=total, free=free) == severity


def test_inodes_are_only_reported(patient: FakePatient) -> None:
    patient.filesystems = (dataclasses.replace(ROOT, total_inodes=1000, free_inodes=0),)
    for number in range(30):
        patient.put(f"/var/lib/app/sessions/s{number}")
    (finding,) = SPACE_INODES.detect(patient)
    assert (finding.severity, finding.remedy) == ("critical", None)
    assert finding.evidence[1].path == "/var/lib/app/sessions"


@pytest.mark.parametrize("fstype", ["xfs", "btrfs", "vfat"])
def test_what_makes_inodes_as_it_needs_them_has_none_to_run_out_of(patient: FakePatient, fstype: str) -> None:
    patient.filesystems = (dataclasses.replace(ROOT, fstype=fstype, total_inodes=1000, free_inodes=0),)
    assert list(SPACE_INODES.detect(patient)) == []
