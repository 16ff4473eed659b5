# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Applying remedies: which, in which order, and whether each did what it promised.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import collections
import dataclasses
import time
import typing as t

from ..._errors import OpenRescueError
from ..._patient.opening import View
from ..._patient.rootless import SharedDisk
from ..._patient.write.bundles import unfinished_on_patient
from ..._patient.write.change import Change
from ..._patient.write.home import Home
from ..._patient.write.recover import finish_here, finish_on_patient
from ..._patient.write.revert import revert_entries
from ..._patient.write.undo import Bundle
from ..._text import printable, printable_result
from ..._time import TimeBudget
from ..model import Evidence, Fault, Finding
from .diagnose import Faults, Report, detect, diagnose

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
        # Keys come back as a module has shown them.
        keys = {printable_result(item.key) for item in self.findings or ()}
        return "" if printable_result(finding.key) in keys else "it was not asked for"


@dataclasses.dataclass
class Outcome:
    """What a repair did.

    :param recovered: what was brought to an end of runs that were killed before: the ID of each bundle, and what was
        done.
    """

    applied: list[dict[str, t.Any]] = dataclasses.field(default_factory=list)
    skipped: list[dict[str, t.Any]] = dataclasses.field(default_factory=list)
    failed: list[dict[str, t.Any]] = dataclasses.field(default_factory=list)
    recovered: list[dict[str, t.Any]] = dataclasses.field(default_factory=list)
    undo: str | None = None
    diff: str = ""
    notes: list[str] = dataclasses.field(default_factory=list)
    access: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def changed(self) -> bool:
        return bool(self.diff or self.recovered)


@dataclasses.dataclass
class _Run:
    """One repair under way.

    :param known: what the diagnosis before it found, by key: there the findings on devices were weighed.
    :param tried: how often a finding of this kind was taken on, by what makes it the same.
    :param twins: how many of them there were at once.
    :param unchecked: faults of which nobody can tell any more, and why.
    """

    view: View
    bundle: Bundle
    home: Home
    selection: Selection
    budget: TimeBudget
    outcome: Outcome
    known: t.Mapping[str, Finding]
    tried: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    twins: dict[str, int] = dataclasses.field(default_factory=dict)
    unchecked: dict[str, str] = dataclasses.field(default_factory=dict)


def repair(
    make_view: t.Callable[[bool], View], *, faults: Faults, selection: Selection, check: bool, budget: TimeBudget
) -> Outcome:
    """Bring to an end what killed runs have left, detect afresh, repair what is selected, detect again.

    :param make_view: makes a view; its argument says whether writes are only tried.
    :param check: change nothing: everything happens in layers that are thrown away.
    """
    outcome = Outcome(recovered=finish_here(make_view, check=check))
    report, left = _diagnosed(make_view, faults, selection, outcome, budget)
    if left:
        outcome.recovered += finish_on_patient(make_view, left, check=check)
        report, _left = _diagnosed(make_view, faults, selection, outcome, budget)
    began = time.monotonic()
    chosen = [finding for finding in report.findings if not selection.takes(finding)]
    unchecked: dict[str, str] = {}
    if chosen:
        with make_view(check).opened() as view:
            bundle = Bundle.new(keep=not check)
            known = {finding.key: finding for finding in report.findings}
            view.patient.damaged = dict(report.damaged)
            run = _Run(view, bundle, Home(view=view, bundle=bundle), selection, budget, outcome, known)
            order = _order(faults, chosen, selection.ids())
            _apply(run, order)
            _keep_undo(run)
            _judge_last(run, order)
            view.check_layers()
            unchecked = run.unchecked
    _tell_rest(outcome, report, selection, unchecked)
    outcome.notes += [f"{item['undo']}: {line}" for item in outcome.recovered for line in item["done"]]
    budget.lap("repair", began)
    return outcome


def _diagnosed(
    make_view: t.Callable[[bool], View], faults: Faults, selection: Selection, outcome: Outcome, budget: TimeBudget
) -> tuple[Report, list[str]]:
    """What is on the disks now, and the bundles there whose run was killed."""
    with make_view(True).opened() as view:
        report = diagnose(view, faults=faults, budget=budget, wanted=selection.ids())
        left = unfinished_on_patient(view)
        outcome.access, outcome.notes = view.access, list(view.patient.notes)
        return report, left


def _order(faults: Faults, chosen: t.Sequence[Finding], wanted: t.Container[str] | None) -> list[Fault]:
    """One remedy can bring up a finding of its neighbours, such as the next fault of the same line."""
    families = {_family(finding.fault) for finding in chosen}
    return [item for item in faults if _family(item.id) in families and (wanted is None or item.id in wanted)]


def _keep_undo(run: _Run) -> None:
    run.home.finish()
    if run.bundle.is_kept and run.bundle.entries:
        run.outcome.undo = run.bundle.id
        run.outcome.notes.extend(run.home.notes)
    else:
        run.bundle.remove()


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
        if fault.stage == "tree" and run.view.patient.root is None:
            run.unchecked[fault.id] = "; ".join(["the patient cannot be mounted any more", *run.view.patient.notes])
        elif fault.stage == "tree":
            _apply_fault(run, fault)


def _apply_fault(run: _Run, fault: Fault) -> None:
    """Repair the selected findings of one fault one by one; each may change what the next one is."""
    while True:
        found, check = detect(fault, run.view, run.budget)
        if check.status == "skipped":
            run.unchecked[fault.id] = check.reason
        alike = collections.Counter(_sameness(item) for item in found)
        for name, count in alike.items():
            run.twins[name] = max(count, run.twins.get(name, 0))
        todo = [
            item
            for item in found
            if run.tried[_sameness(item)] < run.twins[_sameness(item)] and not run.selection.takes(_weighed(run, item))
        ]
        if not todo:
            return
        run.tried[_sameness(todo[0])] += 1
        _apply_finding(run, fault, todo[0], alike=alike[_sameness(todo[0])])


def _sameness(finding: Finding) -> str:
    """What twins have in common: two equal bad lines differ by their number only, and that moves."""
    return dataclasses.replace(finding, key="").key


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


def _apply_finding(run: _Run, fault: Fault, finding: Finding, *, alike: int) -> None:
    change = Change(view=run.view, bundle=run.bundle, home=run.home)
    first = len(run.bundle.entries)
    if fault.id not in run.bundle.faults:
        run.bundle.faults.append(fault.id)
    try:
        reason = _tried(run, fault, finding, change, alike=alike)
    except SharedDisk as exc:
        reason = str(exc)
        if not run.bundle.entries[first:]:  # nobody has failed at what nobody may do
            run.outcome.skipped.append({**finding.as_dict(), "reason": reason, "diff": ""})
            return
    except OpenRescueError as exc:
        reason = str(exc)
    except Exception as exc:  # the patient's content may surprise a remedy; what it did is taken back below
        reason = f"the remedy failed: {type(exc).__name__}: {printable(str(exc))}"
    told = {**finding.as_dict(), "reason": reason, "diff": change.diff}
    if not reason:
        run.view.patient.damaged.pop(finding.evidence[0].device or "" if finding.evidence else "", None)
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


def _tried(run: _Run, fault: Fault, finding: Finding, change: Change, *, alike: int) -> str:
    """Apply one remedy and look again; why it has not helped, empty if it has."""
    if fault.repair is None:
        raise AssertionError(f"{fault.id} has no remedy")
    fault.repair(run.view.patient, finding, change)
    if run.view.patient.opened_tree is None:
        run.view.refresh()
    if change.untried:
        return ""
    again, check = detect(fault, run.view, run.budget)
    left = sum(_sameness(item) == _sameness(finding) for item in again)
    if any(item.key == finding.key for item in again) and not left < alike > 1:
        return "the finding is still there after the remedy"
    return check.reason if check.status == "skipped" else ""


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


def _tell_rest(outcome: Outcome, report: Report, selection: Selection, unchecked: t.Mapping[str, str]) -> None:
    """What was found and not repaired: left out for a reason, failed since nobody can tell, or gone by itself."""
    skipped = {item.fault: item.reason for item in report.checks if item.status == "skipped"}
    for finding in _not_handled(outcome, report.findings):
        told = {**finding.as_dict(), "diff": ""}
        why_not = selection.takes(finding)
        if not why_not and finding.fault in unchecked:
            outcome.failed.append({**told, "reason": f"it was not repaired: {unchecked[finding.fault]}"})
        else:
            outcome.skipped.append({**told, "reason": why_not or "it was gone after the repairs before it"})
    present = {printable_result(finding.key) for finding in report.findings}
    missing = [item for item in selection.findings or () if printable_result(item.key) not in present]
    for finding in missing:
        told = {**finding.as_dict(), "diff": ""}
        if finding.fault in skipped:
            outcome.failed.append({**told, "reason": f"it was not looked for: {skipped.pop(finding.fault)}"})
        else:
            outcome.skipped.append({**told, "reason": "it is not on the disk now"})
    for fault in sorted(skipped.keys() & (selection.ids() or set())):
        reason = skipped[fault]
        outcome.failed.append({"fault": fault, "key": fault, "summary": "", "reason": reason, "diff": ""})


def _not_handled(outcome: Outcome, found: t.Sequence[Finding]) -> list[Finding]:
    """Those of which nothing is told yet; of twins, as many as are left."""
    rest = list(found)
    for told in (*outcome.applied, *outcome.failed, *outcome.skipped):
        same = [item for item in rest if item.key == told["key"]] or [
            item for item in rest if _sameness(item) == told["key"].partition("#")[0]
        ]
        if same:
            rest.remove(same[0])
    return rest
