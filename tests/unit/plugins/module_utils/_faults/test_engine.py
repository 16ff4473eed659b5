# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a diagnosis concludes from its checks, and which findings a repair takes."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._faults.catalog import FAULTS
from ansible_collections.openrescue.server.plugins.module_utils._faults.engine import diagnose as engine
from ansible_collections.openrescue.server.plugins.module_utils._faults.engine.diagnose import Check, Clock, Report
from ansible_collections.openrescue.server.plugins.module_utils._faults.engine.repair import Selection, finding_of
from ansible_collections.openrescue.server.plugins.module_utils._faults.model import Evidence, Fault, Finding
from ansible_collections.openrescue.server.plugins.module_utils._patient.opening import View
from ansible_collections.openrescue.server.plugins.module_utils._patient.tools import Tools

BAD = Finding("a-b", "critical", "bad", (Evidence("/etc/x", 3, "text"),), "mend it", remedy_safe=True)
RISKY = dataclasses.replace(BAD, fault="a-c", key="", remedy_safe=False)
HOPELESS = dataclasses.replace(BAD, fault="a-d", key="", remedy=None)
RAN = Check("a-b", "ran")
SKIPPED = Check("a-c", "skipped", "why")


@pytest.mark.parametrize(
    ("findings", "checks", "has_root", "verdict"),
    [
        ([], [RAN], True, "bootable"),
        ([dataclasses.replace(BAD, severity="error")], [RAN], True, "bootable"),
        ([BAD], [RAN, SKIPPED], False, "unbootable"),
        ([], [RAN, SKIPPED], True, "unknown"),
        ([], [RAN], False, "unknown"),
    ],
)
def test_verdict(findings: list[Finding], checks: list[Check], has_root: bool, verdict: str) -> None:
    report = Report(findings, checks)
    assert engine.verdict_of(report, has_root=has_root) == verdict
    assert engine.message_of(report, has_root=has_root)


@pytest.mark.parametrize(
    ("selection", "taken"),
    [
        (Selection(), {"a-b"}),
        (Selection(faults=frozenset({"a-c", "a-d"})), {"a-c"}),
        (Selection(findings=(RISKY, HOPELESS)), {"a-c"}),
        (Selection(findings=(dataclasses.replace(BAD, evidence=(Evidence("/etc/x", 9, "text"),)),)), {"a-b"}),
        (Selection(findings=(dataclasses.replace(BAD, key="", evidence=(Evidence("/etc/y", 3, "text"),)),)), set()),
        (Selection(findings=()), set()),
        (Selection(faults=frozenset()), set()),
    ],
)
def test_selection(selection: Selection, taken: set[str]) -> None:
    assert {item.fault for item in (BAD, RISKY, HOPELESS) if not selection.takes(item)} == taken


def test_a_finding_survives_its_way_through_a_task() -> None:
    assert finding_of(BAD.as_dict()).key == BAD.key
    for wrong in ({}, {"fault": "x", "evidence": ["text"]}, {"fault": "x", "evidence": 5}):
        with pytest.raises(OpenRescueError):
            finding_of(t.cast("dict[str, t.Any]", wrong))


def test_unknown_names_are_refused_before_anything_is_touched() -> None:
    engine.check_names([fault.id for fault in FAULTS], FAULTS)
    with pytest.raises(OpenRescueError, match="there is no fault nonsense"):
        engine.check_names(["nonsense"], FAULTS)


class Surprised(Fault):
    id = "a-b"
    title = "surprised"

    def detect(self, patient: t.Any) -> t.Iterator[Finding]:
        raise ValueError("\x1b[31m")


class Toolless(Surprised):
    tools = ("openrescue-no-such-tool",)


@pytest.mark.parametrize(
    ("fault", "timeout", "reason"),
    [(Surprised, 60, "ValueError: \\x1b"), (Toolless, 60, "has no openrescue"), (Surprised, 0, "the time limit")],
)
def test_a_check_that_cannot_run_says_why(fault: type[Fault], timeout: float, reason: str) -> None:
    found, check = engine.detect(fault, View(tools=Tools()), Clock(timeout=timeout))
    assert found == []
    assert check.status == "skipped"
    assert reason in check.reason
