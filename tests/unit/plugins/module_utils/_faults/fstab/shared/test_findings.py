# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a line is edited, and what makes two findings the same."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._faults.fstab.fstab_missing_device import (
    FSTAB_MISSING_DEVICE,
    judge_missing,
)
from ansible_collections.openrescue.server.plugins.module_utils._faults.fstab.fstab_syntax import FSTAB_SYNTAX
from ansible_collections.openrescue.server.plugins.module_utils._faults.fstab.shared.findings import repairer

from ...fakes import ROOT, FakeChange, FakePatient
from ..lines import DEBIAN, GONE, SWAP, B, R, all_findings, repair


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_repair_changes_its_line_only_and_keeps_the_old_one(patient: FakePatient, end: str) -> None:
    before = ["# made by hand\xa0\udcff", f"{R}  /  ext4  defaults 0 1", f"{GONE} /boot  ext4 defaults 0 2", ""]
    patient.put("/etc/fstab", end.join(before).encode("utf-8", "surrogateescape"))
    (finding,) = FSTAB_MISSING_DEVICE.detect(patient)
    repair(FSTAB_MISSING_DEVICE, patient, finding, FakeChange(patient))
    after = patient.tree.read_bytes("/etc/fstab")
    assert after is not None
    assert after.decode("utf-8", "surrogateescape").split(end) == [
        *before[:2],
        f"# openrescue fstab-missing-device, was: {before[2]}",
        f"{B} /boot  ext4 defaults 0 2",
        "",
    ]
    assert all_findings(patient) == []


def test_a_finding_that_is_no_longer_there_changes_nothing(patient: FakePatient) -> None:
    patient.put("/etc/fstab", f"{GONE} /boot ext4 defaults 0 2\n")
    (finding,) = FSTAB_MISSING_DEVICE.detect(patient)
    patient.put("/etc/fstab", f"{B} /boot ext4 defaults 0 2\n")
    change = FakeChange(patient)
    repairer(finding.fault, judge_missing)(patient, finding, change)
    assert change.done == []


def test_evidence_is_printable(patient: FakePatient) -> None:
    patient.filesystems = (dataclasses.replace(ROOT),)
    patient.put("/etc/fstab", f"{GONE} /\x1b[31mdata ext4 defaults 0 2\n")
    (finding,) = FSTAB_MISSING_DEVICE.detect(patient)
    assert "\x1b" not in finding.summary + (finding.evidence[0].text or "")


# A finding is all twins of a line, so that the first does not go without the second.


@pytest.mark.parametrize("line", [f"{GONE} none swap sw 0 0", f"{GONE} /d ext4 defualts 0 2", "rubbish"])
def test_identical_bad_lines_are_one_finding_and_go_together(patient: FakePatient, line: str) -> None:
    patient.put("/etc/fstab", f"{line}\n{DEBIAN}{line}\n")
    patient.filesystems = (*patient.filesystems, SWAP)
    fault = FSTAB_MISSING_DEVICE if "swap" in line else FSTAB_SYNTAX
    (found,) = fault.detect(patient)
    assert [item.line for item in found.evidence] == [1, 3]
    repair(fault, patient, found, FakeChange(patient))
    assert list(fault.detect(patient)) == []


def test_keys_differ_where_long_lines_do(patient: FakePatient) -> None:
    line = f"{GONE} /boot/{'x' * 400}%s ext4 defaults 0 2\n"
    patient.put("/etc/fstab", DEBIAN + line % "a" + line % "b")
    one, other = FSTAB_MISSING_DEVICE.detect(patient)
    assert one.key != other.key
