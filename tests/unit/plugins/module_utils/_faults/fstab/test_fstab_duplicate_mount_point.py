# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._faults.fstab.fstab_duplicate_mount_point import (
    FSTAB_DUPLICATE_MOUNT_POINT,
)
from ansible_collections.openrescue.server.plugins.module_utils._faults.fstab.fstab_missing_device import (
    FSTAB_MISSING_DEVICE,
)

from ..fakes import FakeChange, FakePatient
from .lines import DEBIAN, GONE, B, X, only, repair, see_broken

# the line, severity, what is left of it after the repair
BROKEN = [
    (f"{B} / ext4 defaults 0 2", "warning", None),
]


@pytest.mark.parametrize(("line", "severity", "fixed"), BROKEN, ids=[row[0] for row in BROKEN])
def test_a_broken_line(line: str, severity: str, fixed: str | None) -> None:
    see_broken(line, "fstab-duplicate-mount-point", severity, fixed)


def test_of_two_lines_the_one_with_a_device_stays() -> None:
    kind, problem = only(f"{DEBIAN}{GONE} /boot ext4 defaults 0 2\n{B} /boot ext4 defaults 0 2\n")
    assert (kind, problem.severity, problem.lines) == ("fstab-duplicate-mount-point", "critical", (2,))


@pytest.mark.parametrize(
    ("second", "certain"),
    [
        (f"{X} /data xfs noatime 0 0", True),
        (f"{B} /data ext4 defaults 0 0", False),  # which of the two is meant, nobody here knows
        (f"{X} /data xfs subvol=@b 0 0", False),
        (f"{GONE} /data xfs defaults 0 0", True),
        (f"{GONE} /data xfs nofail 0 0", False),  # disks that take turns
        ("/srv/a /data none bind 0 0", False),
    ],
)
def test_a_later_line_for_a_place_changes_nothing_at_boot(second: str, certain: bool) -> None:
    kind, problem = only(f"{DEBIAN}{X} /data xfs defaults 0 0\n{second}\n")
    assert (kind, problem.severity, problem.certain) == ("fstab-duplicate-mount-point", "warning", certain)


def test_disks_that_take_turns_at_a_place_are_left_as_they_are() -> None:
    kind, problem = only(f"{DEBIAN}{GONE} /mnt/a ext4 nofail 0 2\n{B} /mnt/a ext4 nofail 0 2\n")
    assert (kind, problem.severity, problem.certain) == ("fstab-duplicate-mount-point", "warning", False)


def test_the_twin_of_a_mount_is_a_duplicate_and_both_go_one_by_one(patient: FakePatient) -> None:
    patient.put("/etc/fstab", f"{DEBIAN}{GONE} /boot ext4 defaults 0 2\n{GONE} /boot ext4 defaults 0 2\n")
    (duplicate,) = FSTAB_DUPLICATE_MOUNT_POINT.detect(patient)
    (missing,) = FSTAB_MISSING_DEVICE.detect(patient)
    assert ([item.line for item in duplicate.evidence], [item.line for item in missing.evidence]) == ([3], [2])
    for fault, finding in ((FSTAB_MISSING_DEVICE, missing), (FSTAB_DUPLICATE_MOUNT_POINT, duplicate)):
        repair(fault, patient, finding, FakeChange(patient))
        assert finding.key not in {item.key for item in fault.detect(patient)}
