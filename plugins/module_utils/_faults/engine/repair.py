# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Applying remedies: which, in which order, and whether each did what it promised.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import time
import typing as t

from ..._errors import OpenRescueError
from ..._patient.opening import View
from ..._patient.write.change import Change
from ..._patient.write.revert import copy_to_patient, revert_entries
from ..._patient.write.undo import Bundle
from ..._text import printable
from ..._time import TimeBudget
from ..model import Evidence, Fault, Finding
from .diagnose import Faults, detect, diagnose

__all__ = ("Outcome", "Selection", "finding_of", "repair")


@dataclasses.dataclass(frozen=True)
class Selection:
    """What is to be repaired.

    :param faults: all findings of these faults.
    :param findings: these findings, as a diagnosis returned them; only their identity is used.
    """

    faults: frozenset[str] | None = None
    findings: tuple[Finding, ...] | None = None

    def ids(self) -> set[str] | None:
        """The faults to look for; None for all."""
        if self.faults is None and self.findings is None:
            return None
        return {*(self.faults or ()), *(finding.fault for finding in self.findings or ())}

    def takes(self, finding: Finding) -> str:
        """Empty if the finding is to be repaired, or why it is not."""
        if finding.remedy is None:
            return "no remedy is known"
        if self.ids() is None:
            return "" if finding.remedy_safe else "its remedy is not marked safe, and it was not named"
        if finding.fault in (self.faults or ()):
            return ""
        keys = {item.key for item in self.findings or ()}
        return "" if finding.key in keys else "it was not asked for"


@dataclasses.dataclass
class Outcome:
    """What a repair did."""

    applied: list[dict[str, t.Any]] = dataclasses.field(default_factory=list)
    skipped: list[dict[str, t.Any]] = dataclasses.field(default_factory=list)
    failed: list[dict[str, t.Any]] = dataclasses.field(default_factory=list)
    undo: str | None = None
    diff: str = ""
    notes: list[str] = dataclasses.field(default_factory=list)
    access: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def changed(self) -> bool:
        return bool(self.diff)


@dataclasses.dataclass
class _Run:
    """One repair under way.

    :param known: what the diagnosis before it found, by key: there the findings on devices were weighed.
    """

    view: View
    bundle: Bundle
    selection: Selection
    budget: TimeBudget
    outcome: Outcome
    known: t.Mapping[str, Finding]
    seen: set[str] = dataclasses.field(default_factory=set)


def repair(
    make_view: t.Callable[[bool], View], *, faults: Faults, selection: Selection, check: bool, budget: TimeBudget
) -> Outcome:
    """Detect afresh, repair what is selected, detect again.

    :param make_view: makes a view; its argument says whether writes are only tried.
    :param check: change nothing: everything happens in layers that are thrown away.
    """
    outcome = Outcome()
    wanted = selection.ids()
    with make_view(True).opened() as view:
        report = diagnose(view, faults=faults, budget=budget, wanted=wanted)
        outcome.access, outcome.notes = view.access, list(view.patient.notes)
    began = time.monotonic()
    chosen = [finding for finding in report.findings if not selection.takes(finding)]
    for item in report.checks:
        if item.status == "skipped" and wanted is not None and item.fault in wanted:
            outcome.failed.append(
                {"fault": item.fault, "key": item.fault, "summary": "", "reason": item.reason, "diff": ""}
            )
    if chosen:
        # One remedy can bring up a finding of its neighbours, such as the next fault of the same line.
        families = {_family(finding.fault) for finding in chosen}
        order = [item for item in faults if _family(item.id) in families and (wanted is None or item.id in wanted)]
        with make_view(check).opened() as view:
            known = {finding.key: finding for finding in report.findings}
            run = _Run(view, Bundle.new(keep=not check), selection, budget, outcome, known)
            _apply(run, order)
            if run.bundle.is_kept and run.bundle.entries:
                outcome.undo = run.bundle.id
                outcome.notes.extend(copy_to_patient(run.view, run.bundle))
            _judge_last(run, order)
            view.check_layers()
    _tell_skipped(outcome, report.findings, selection)
    budget.lap("repair", began)
    return outcome


def _family(fault: str) -> str:
    return fault.partition("-")[0]


def _apply(run: _Run, order: Faults) -> None:
    for fault in order:
        if fault.stage == "device":
            _apply_fault(run, fault)
    # A file system that was repaired is not opened for writing until something is written to it.
    run.view.seal()
    run.view.mount()
    for fault in order:
        if fault.stage == "tree" and run.view.patient.root is not None:
            _apply_fault(run, fault)


def _apply_fault(run: _Run, fault: Fault) -> None:
    """Repair the selected findings of one fault one by one; each may change what the next one is."""
    while True:
        found, _check = detect(fault, run.view, run.budget)
        todo = [item for item in found if item.key not in run.seen and not run.selection.takes(_weighed(run, item))]
        if not todo:
            return
        run.seen.add(todo[0].key)
        _apply_finding(run, fault, todo[0])


def _weighed(run: _Run, finding: Finding) -> Finding:
    """What the diagnosis made of it; on a device, what nobody has weighed is not safe."""
    if run.view.patient.opened_tree is not None:
        return finding
    return run.known.get(finding.key, dataclasses.replace(finding, remedy_safe=False))


def _judge_last(run: _Run, order: Faults) -> None:
    """What was applied, and is there again after all that was done since, is not repaired."""
    for fault in order:
        done = [item for item in run.outcome.applied if item["fault"] == fault.id]
        if not fault.judged_last or not done or run.view.is_trial or run.view.patient.root is None:
            continue
        found, _check = detect(fault, run.view, run.budget)
        for told in done:
            if told["key"] in {item.key for item in found}:
                told["reason"] = "it was gone, and is there again after the changes since"
                run.outcome.applied.remove(told)
                run.outcome.failed.append(told)


def _apply_finding(run: _Run, fault: Fault, finding: Finding) -> None:
    change = Change(view=run.view, bundle=run.bundle)
    first = len(run.bundle.entries)
    reason = ""
    try:
        if fault.repair is None:
            raise AssertionError(f"{fault.id} has no remedy")
        fault.repair(run.view.patient, finding, change)
        if run.view.patient.opened_tree is None:
            run.view.refresh()
        if not change.untried:
            again, check = detect(fault, run.view, run.budget)
            reason = check.reason if check.status == "skipped" else ""
            if any(item.key == finding.key for item in again):
                reason = "the finding is still there after the remedy"
    except OpenRescueError as exc:
        reason = str(exc)
    except Exception as exc:  # the patient's content may surprise a remedy; what it did is taken back below
        reason = f"the remedy failed: {type(exc).__name__}: {printable(str(exc))}"
    told = {**finding.as_dict(), "reason": reason, "diff": change.diff}
    if not reason:
        run.outcome.applied.append(told)
        run.outcome.diff += change.diff
        return
    run.outcome.failed.append(told)
    if run.bundle.is_kept and run.bundle.entries[first:]:
        problems = revert_entries(run.view, run.bundle, run.bundle.entries[first:])
        told["reason"] = "; ".join([reason, *problems] if problems else [reason, "what it had changed was put back"])
        if problems:
            run.outcome.diff += change.diff
        else:
            del run.bundle.entries[first:]
            run.bundle.save()


def finding_of(values: t.Mapping[str, t.Any]) -> Finding:
    """A finding as a module was given it; only what identifies it matters, so only that has to be right."""
    try:
        evidence = tuple(
            Evidence(item.get("path"), item.get("line"), item.get("text"), item.get("device"))
            for item in values.get("evidence") or ()
        )
        return Finding(
            str(values["fault"]), "info", str(values.get("summary", "")), evidence, key=str(values.get("key") or "")
        )
    except (KeyError, TypeError, AttributeError) as exc:
        raise OpenRescueError(
            "an item of 'findings' is not a finding", code="bad_finding", hint="Pass on what disk_diagnose returned"
        ) from exc


def _tell_skipped(outcome: Outcome, found: t.Sequence[Finding], selection: Selection) -> None:
    done = {item["key"] for item in (*outcome.applied, *outcome.failed)}
    for finding in found:
        told = finding.as_dict()
        if told["key"] not in done:
            reason = selection.takes(finding) or "it was gone after the repairs before it"
            outcome.skipped.append({**told, "reason": reason, "diff": ""})
    present = {finding.key for finding in found}
    for finding in selection.findings or ():
        if finding.key not in present:
            told = finding.as_dict()
            outcome.skipped.append({**told, "reason": "it is not on the disk now", "diff": ""})
