# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which findings a repair takes, and what counts as repaired."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import types
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._faults.engine.repair import (
    Outcome,
    Selection,
    finding_of,
    repair,
)
from ansible_collections.openrescue.server.plugins.module_utils._faults.model import Evidence, Fault, Finding
from ansible_collections.openrescue.server.plugins.module_utils._patient.patient import Patient
from ansible_collections.openrescue.server.plugins.module_utils._patient.tools import Tools
from ansible_collections.openrescue.server.plugins.module_utils._patient.write import undo
from ansible_collections.openrescue.server.plugins.module_utils._time import TimeBudget

BAD = Finding("a-b", "critical", "bad", (Evidence("/etc/x", 3, "text"),), "mend it", remedy_safe=True)
RISKY = dataclasses.replace(BAD, fault="a-c", key="", remedy_safe=False)
HOPELESS = dataclasses.replace(BAD, fault="a-d", key="", remedy=None)


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


@pytest.fixture(autouse=True)
def store(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No bundle of this machine's own is any of ours."""
    monkeypatch.setattr(undo, "STORE", str(tmp_path / "store"))


class FakeView:
    """A patient on which nothing has to be mounted."""

    def __init__(self, *, trial: bool) -> None:
        self.is_trial, self.has_layers, self.access = trial, False, {}
        self.patient = Patient(tools=Tools())

    @contextlib.contextmanager
    def opened(self) -> t.Iterator[FakeView]:
        yield self

    def mount(self, *, read_only: bool = False) -> None:
        self.patient.root = t.cast("t.Any", types.SimpleNamespace(device="/dev/vdb1"))
        self.patient.opened_tree = t.cast("t.Any", types.SimpleNamespace(listdir=lambda _path: []))

    @property
    def is_mounted(self) -> bool:
        return self.patient.opened_tree is not None

    def seal(self) -> None:
        pass

    def refresh(self) -> None:
        pass

    def check_layers(self) -> None:
        pass

    def check_devices(self) -> None:
        pass


def repaired(*faults: Fault, selection: Selection, check: bool = False) -> Outcome:
    return repair(
        t.cast("t.Any", lambda trial: FakeView(trial=trial)),
        faults=faults,
        selection=selection,
        check=check,
        budget=TimeBudget(seconds=60),
    )


def run(*faults: Fault, selection: Selection, check: bool = False) -> tuple[list[str], list[str]]:
    outcome = repaired(*faults, selection=selection, check=check)
    return [item["fault"] for item in outcome.applied], [item["fault"] for item in outcome.failed]


def found_while(present: set[str], fault: str, **declared: t.Any) -> Fault:
    """A fault that is there as long as its name is."""
    finding = dataclasses.replace(BAD, fault=fault, key=fault)
    return Fault(fault, fault, lambda _patient: iter([finding] if fault in present else []), safe=True, **declared)


@pytest.mark.parametrize(("brings_back", "failed"), [(True, ["space-full"]), (False, [])])
def test_room_that_a_later_remedy_takes_again_was_not_made(brings_back: bool, failed: list[str]) -> None:
    present = {"space-full", "space-other"}

    def make_room(_patient: Patient, _finding: Finding, _change: t.Any) -> None:
        present.remove("space-full")

    def other(_patient: Patient, _finding: Finding, _change: t.Any) -> None:
        present.remove("space-other")
        present.update({"space-full"} if brings_back else ())

    space = found_while(present, "space-full", repair=make_room, judged_last=True)
    applied, not_done = run(space, found_while(present, "space-other", repair=other), selection=Selection())
    assert not_done == failed
    assert ("space-full" in applied) != brings_back


@pytest.mark.parametrize(
    ("weighed_safe", "selection", "applied"),
    [
        (True, Selection(), ["disk-bad"]),
        (False, Selection(), []),
        (False, Selection(faults=frozenset({"disk-bad"})), ["disk-bad"]),
    ],
)
def test_a_device_is_repaired_by_what_the_mounted_patient_says_of_it(
    weighed_safe: bool, selection: Selection, applied: list[str]
) -> None:
    present = {"disk-bad"}

    def weigh(patient: Patient, found: t.Sequence[Finding]) -> t.Iterator[Finding]:
        assert patient.opened_tree is not None
        return (dataclasses.replace(item, remedy_safe=weighed_safe) for item in found)

    fault = found_while(
        present, "disk-bad", stage="device", weigh=weigh, repair=lambda *_given: present.remove("disk-bad")
    )
    assert run(fault, selection=selection)[0] == applied


def twins(present: list[str]) -> t.Callable[[Patient], t.Iterator[Finding]]:
    """Findings that are equal but for their number, which moves, as with two equal lines of one file."""
    return lambda _patient: (dataclasses.replace(BAD, key="") for _item in list(present))


@pytest.mark.parametrize("selection", [Selection(), Selection(faults=frozenset({"a-b"}))])
def test_of_two_equal_bad_lines_both_are_repaired(selection: Selection) -> None:
    present = ["one", "two"]
    fault = Fault("a-b", "a", twins(present), safe=True, repair=lambda *_given: present.pop())
    assert run(fault, selection=selection) == (["a-b", "a-b"], [])
    assert present == []


def test_both_as_a_diagnosis_returned_them() -> None:
    present = ["one", "two"]
    given = (BAD, dataclasses.replace(BAD, key=f"{BAD.key}#2"))
    fault = Fault("a-b", "a", twins(present), safe=True, repair=lambda *_given: present.pop())
    outcome = repaired(fault, selection=Selection(findings=given))
    assert (len(outcome.applied), outcome.skipped, outcome.failed) == (2, [], [])


def test_a_twin_that_stays_is_not_repaired_and_nothing_is_tried_for_ever() -> None:
    present = ["one", "two"]
    fault = Fault("a-b", "a", twins(present), safe=True, repair=lambda *_given: None)
    assert run(fault, selection=Selection()) == ([], ["a-b", "a-b"])


class Ends:
    """A detection that works so many times, and then does not."""

    def __init__(self, times: int, finding: Finding) -> None:
        self.times, self.finding = times, finding

    def __call__(self, _patient: Patient) -> t.Iterator[Finding]:
        self.times -= 1
        if self.times < 0:
            raise OpenRescueError("'e2fsck' did not end within 1 seconds")
        yield self.finding


@pytest.mark.parametrize("stage", ["device", "tree"])
def test_what_nobody_can_tell_any_more_has_failed_and_was_not_gone(stage: t.Any) -> None:
    fault = Fault("a-b", "a", Ends(1, BAD), safe=True, stage=stage, repair=lambda *_given: None)
    outcome = repaired(fault, selection=Selection())
    (failed,) = outcome.failed
    assert failed["reason"] == "it was not repaired: 'e2fsck' did not end within 1 seconds"
    assert outcome.skipped == []


def test_what_was_asked_for_and_cannot_be_looked_for_has_failed() -> None:
    fault = Fault("a-b", "a", Ends(0, BAD), safe=True, repair=lambda *_given: None)
    outcome = repaired(fault, selection=Selection(findings=(BAD,)))
    assert [item["reason"] for item in outcome.failed] == [
        "it was not looked for: 'e2fsck' did not end within 1 seconds"
    ]
    assert outcome.skipped == []


def test_what_is_not_there_is_skipped() -> None:
    fault = Fault("a-b", "a", lambda _patient: iter(()), safe=True, repair=lambda *_given: None)
    outcome = repaired(fault, selection=Selection(findings=(BAD,)))
    assert [item["reason"] for item in outcome.skipped] == ["it is not on the disk now"]


def test_a_key_that_a_module_made_printable_is_the_same_key() -> None:
    finding = dataclasses.replace(BAD, key="a-b|/boot/\udcff")
    assert not Selection(findings=(dataclasses.replace(BAD, key="a-b|/boot/\\xff"),)).takes(finding)
