# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._faults.storage.shared import damage
from ansible_collections.openrescue.server.plugins.module_utils._faults.storage.shared.e2fsck import Checked, Judgement

from ...fakes import ROOT, FakePatient

GARBAGE = Checked(4, boot=4, full=4, output="", lines=("Inode 12 is garbage",), preen=False)


@pytest.mark.parametrize(("preen", "safe"), [(True, True), (False, False)])
def test_only_what_e2fsck_repairs_without_asking_is_safe(
    patient: FakePatient, monkeypatch: pytest.MonkeyPatch, preen: bool, safe: bool
) -> None:
    monkeypatch.setattr(damage, "check_ext", lambda *_given: dataclasses.replace(GARBAGE, preen=preen))
    (finding,) = damage.damage_of(t.cast("t.Any", patient), ROOT, fault="a-b")
    assert (finding.fault, finding.remedy_safe, finding.remedy is None) == ("a-b", safe, False)
    assert finding.evidence[1].text == "Inode 12 is garbage"


@pytest.mark.parametrize("fstype", ["xfs", "btrfs"])
def test_other_types_have_no_remedy(patient: FakePatient, monkeypatch: pytest.MonkeyPatch, fstype: str) -> None:
    judgement = Judgement("error", "high", "is damaged")
    monkeypatch.setattr(damage, "_JUDGES", {fstype: lambda *_given: judgement})
    item = dataclasses.replace(ROOT, fstype=fstype)
    (finding,) = damage.damage_of(t.cast("t.Any", patient), item, fault="a-b")
    assert finding.remedy is None


def test_a_type_without_a_checker_is_not_judged(patient: FakePatient) -> None:
    assert not list(damage.damage_of(t.cast("t.Any", patient), dataclasses.replace(ROOT, fstype="vfat"), fault="a-b"))
