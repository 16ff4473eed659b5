# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a diagnosis concludes from its checks."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._faults.catalog import FAULTS
from ansible_collections.openrescue.server.plugins.module_utils._faults.engine import diagnose as engine
from ansible_collections.openrescue.server.plugins.module_utils._faults.engine.diagnose import (
    Chain,
    Check,
    Report,
)
from ansible_collections.openrescue.server.plugins.module_utils._faults.engine.verdict import Link
from ansible_collections.openrescue.server.plugins.module_utils._faults.model import (
    Evidence,
    Fault,
    Finding,
    NotApplicable,
)
from ansible_collections.openrescue.server.plugins.module_utils._patient.opening import View
from ansible_collections.openrescue.server.plugins.module_utils._patient.patient import Filesystem, Patient
from ansible_collections.openrescue.server.plugins.module_utils._patient.rootless import SeveralRoots
from ansible_collections.openrescue.server.plugins.module_utils._patient.tools import Tools
from ansible_collections.openrescue.server.plugins.module_utils._time import TimeBudget

BAD = Finding("a-b", "critical", "bad", (Evidence("/etc/x", 3, "text"),), "mend it", remedy_safe=True)


def test_unknown_names_are_refused_before_anything_is_touched() -> None:
    engine.check_names([fault.id for fault in FAULTS], FAULTS)
    with pytest.raises(OpenRescueError, match="there is no fault nonsense"):
        engine.check_names(["nonsense"], FAULTS)


def surprised(_patient: t.Any) -> t.Iterator[Finding]:
    yield BAD
    raise ValueError("\x1b[31m")


def elsewhere(_patient: t.Any) -> t.Iterator[Finding]:
    raise NotApplicable("the patient does not boot by GRUB")
    yield BAD  # pylint: disable=unreachable


def damaged(_patient: t.Any) -> t.Iterator[Finding]:
    raise OpenRescueError("/etc/x cannot be read")
    yield BAD  # pylint: disable=unreachable


SURPRISED = Fault("a-b", "surprised", surprised)
TOOLLESS = dataclasses.replace(SURPRISED, tools=("openrescue-no-such-tool",))


def detect(fault: Fault, *, seconds: float = 60) -> tuple[list[Finding], Check]:
    return engine.detect(fault, View(tools=Tools()), TimeBudget(seconds=seconds))


@pytest.mark.parametrize(
    ("fault", "seconds", "status", "reason"),
    [
        (SURPRISED, 60, "skipped", "ValueError: \\x1b"),
        (TOOLLESS, 60, "skipped", "has no openrescue"),
        (SURPRISED, 0, "skipped", "the time limit"),
        (Fault("a-b", "damaged", damaged), 60, "skipped", "/etc/x cannot be read"),
        (Fault("a-b", "elsewhere", elsewhere), 60, "not_applicable", "does not boot by GRUB"),
    ],
)
def test_a_check_that_cannot_run_says_why(fault: Fault, seconds: float, status: str, reason: str) -> None:
    _found, check = detect(fault, seconds=seconds)
    assert check.status == status
    assert reason in check.reason


def test_what_was_found_before_a_check_failed_is_kept() -> None:
    found, check = detect(SURPRISED)
    assert [item.key for item in found] == [BAD.key]
    assert (check.status, check.findings) == ("skipped", 1)


def yields(*findings: Finding, **declared: t.Any) -> Fault:
    return Fault("a-b", "title", lambda _patient: iter(findings), **declared)


def test_findings_have_keys_of_their_own() -> None:
    found, _check = detect(yields(BAD, BAD, BAD))
    assert [item.key for item in found] == [BAD.key, f"{BAD.key}#2", f"{BAD.key}#3"]


def no_repair(patient: t.Any, finding: Finding, change: t.Any) -> None:
    raise AssertionError


@pytest.mark.parametrize(
    ("finding", "declared", "remedy", "safe"),
    [
        (BAD, {"repair": no_repair, "safe": True}, "mend it", True),
        (BAD, {"repair": no_repair}, "mend it", False),
        (BAD, {"safe": True}, None, False),
        (dataclasses.replace(BAD, confidence="medium"), {"repair": no_repair, "safe": True}, "mend it", False),
    ],
)
def test_a_remedy_is_no_safer_than_its_fault_declares(
    finding: Finding, declared: dict[str, t.Any], remedy: str | None, safe: bool
) -> None:
    ((found,), _check) = detect(yields(finding, **declared))
    assert (found.remedy, found.remedy_safe) == (remedy, safe)


def test_findings_without_end_are_cut() -> None:
    found, check = detect(yields(*(dataclasses.replace(BAD, key=str(number)) for number in range(1000))))
    assert len(found) == engine.MAX_FINDINGS
    assert "not looked for" in check.reason


def test_what_could_not_be_weighed_is_kept_and_not_safe() -> None:
    def weigh(_patient: t.Any, _found: t.Any) -> t.Iterator[Finding]:
        raise ValueError("no such table")
        yield BAD  # pylint: disable=unreachable

    patient = View(tools=Tools()).patient
    fault = yields(BAD, stage="device", weigh=weigh)
    (kept,) = engine._weighed(fault, [BAD], patient)
    assert (kept.key, kept.remedy_safe) == (BAD.key, False)
    assert "no such table" in patient.notes[0]


def test_a_boot_that_cannot_be_followed_ends_nothing() -> None:
    def chain(_patient: t.Any) -> tuple[t.Any, ...]:
        raise OpenRescueError("/etc/fstab is larger than 8388608 bytes")

    patient = View(tools=Tools()).patient
    assert engine._followed(chain, patient) == ()
    assert "is larger than" in patient.notes[0]


class TwoRoots(View):
    """Of two operating systems the second lacks what the fault looks for."""

    def __init__(self, *roots: str) -> None:
        super().__init__(tools=Tools())
        self.mounted: list[str | None] = []
        self.patient.roots = roots or ("/dev/vdb1", "/dev/vdb2")

    def mount(self, *, read_only: bool = False, root: str | None = None) -> None:
        assert read_only
        self.mounted.append(root)
        if root == "/dev/lost":
            raise OpenRescueError("it cannot be mounted")
        patient = self.patient
        patient.root = Filesystem(root or "/dev/vdb1", "", "ext4")
        patient.several = None if root else SeveralRoots("there are several operating systems")
        patient.notes.append(f"{patient.root.device} was mounted")


def judge_two(chain: Chain | None, *roots: str) -> tuple[TwoRoots, Report]:
    def detect_second(patient: Patient) -> t.Iterator[Finding]:
        if patient.root is not None and patient.root.device == "/dev/vdb2":
            yield BAD

    view = TwoRoots(*roots)
    faults = [Fault("a-b", "a title", detect_second, stage="tree")]
    return view, engine.diagnose(view, faults=faults, budget=TimeBudget(seconds=60), chain=chain)


def test_of_several_roots_each_is_judged_and_none_is_believed() -> None:
    """What is returned is the first one's, and the verdict is nobody's."""
    view, report = judge_two(lambda _patient: (Link("kernel", "ok", "x"),))
    assert (report.verdict, report.findings, [link.status for link in report.chain]) == ("unknown", [], ["ok"])
    assert report.message == (
        "There are several operating systems: /dev/vdb1 would be bootable (nothing was found); "
        "/dev/vdb2 would be unbootable (a-b). Choose one with 'root'"
    )
    assert view.mounted == [None, "/dev/vdb2", None], "the first one is what is open at the end"
    assert view.patient.notes == ["/dev/vdb1 was mounted"]
    assert view.patient.several is not None, "so that nothing is written to"


def test_the_first_of_several_roots_speaks_for_none_of_the_others() -> None:
    _view, report = judge_two(lambda _patient: (Link("kernel", "broken", "x"),))
    assert report.verdict == "unknown"
    assert "/dev/vdb1 would be unbootable (nothing was found); /dev/vdb2" in report.message


def test_a_root_that_cannot_be_mounted_hides_none_of_the_others() -> None:
    view, report = judge_two(lambda _patient: (), "/dev/vdb1", "/dev/lost", "/dev/vdb2")
    assert "; /dev/lost cannot be judged (it cannot be mounted); /dev/vdb2 would be unbootable (a-b)" in report.message
    assert view.mounted[-1] is None


def test_of_very_many_roots_some_are_judged() -> None:
    roots = [f"/dev/vdb{number}" for number in range(1, 100)]
    view, report = judge_two(lambda _patient: (), *roots)
    assert len(view.mounted) == engine.MAX_ROOTS + 1
    assert "/dev/vdb8 would be unknown (nothing was found); /dev/vdb9 was not looked at" in report.message


def test_before_a_repair_only_the_first_is_looked_at() -> None:
    """It is refused there, whatever the others hold."""
    view, report = judge_two(None)
    assert (view.mounted, report.verdict, report.message) == ([None], "unknown", "There are several operating systems")
