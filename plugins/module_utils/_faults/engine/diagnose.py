# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running the faults against one patient: in which order, which not and why, how long, and what it means.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import functools
import time
import typing as t

from ..._errors import OpenRescueError
from ..._patient.opening import View
from ..._patient.patient import Patient
from ..._text import printable
from ..._time import TimeBudget
from ..model import Fault, Finding, NotApplicable, Stage
from .verdict import Link, Verdict, message_of, verdict_of

__all__ = ("Check", "Report", "as_result", "check_names", "detect", "diagnose")

Chain = t.Callable[[Patient], tuple[Link, ...]]
Status = t.Literal["ran", "not_applicable", "skipped"]
Faults = t.Sequence[Fault]

MAX_FINDINGS = 100
#: so many operating systems are judged where nothing tells which one the server boots
MAX_ROOTS = 8
TIME_IS_OVER = "the time limit was reached"


@dataclasses.dataclass(frozen=True)
class Check:
    """One fault looked for, or not: ``not_applicable`` where it cannot be, ``skipped`` where nobody can tell."""

    fault: str
    status: Status
    reason: str = ""
    findings: int = 0
    seconds: float = 0.0


@dataclasses.dataclass
class Report:
    """What a diagnosis found."""

    findings: list[Finding] = dataclasses.field(default_factory=list)
    checks: list[Check] = dataclasses.field(default_factory=list)
    chain: tuple[Link, ...] = ()
    verdict: Verdict = "unknown"
    message: str = ""
    #: device -> what is wrong with its file system, so that nothing is written to it
    damaged: dict[str, str] = dataclasses.field(default_factory=dict)


def as_result(view: View, report: Report) -> dict[str, t.Any]:
    """What modules return of it."""
    patient = view.patient
    return {
        "verdict": report.verdict,
        "message": report.message,
        "chain": [dataclasses.asdict(link) for link in report.chain],
        "findings": [finding.as_dict() for finding in report.findings],
        "checks": [dataclasses.asdict(check) for check in report.checks],
        "patient": {
            "os": dataclasses.asdict(patient.os) if patient.os else None,
            "kernels": [dataclasses.asdict(kernel) for kernel in patient.kernels],
            "root": patient.root.device if patient.root else None,
            "boot": patient.boot.device if patient.boot else None,
            "esp": patient.esp.device if patient.esp else None,
            "layout": patient.layout,
            "access": view.access,
            "notes": patient.notes,
            "uncertain": list(patient.uncertain),
        },
    }


def check_names(names: t.Iterable[str], faults: Faults) -> None:
    """Refuse fault IDs that nobody knows, before any device is touched."""
    known = [fault.id for fault in faults]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise OpenRescueError(
            f"there is no fault {', '.join(printable(name) for name in unknown)}",
            code="unknown_fault",
            hint=f"Known are: {', '.join(sorted(known))}",
        )


def detect(fault: Fault, view: View, budget: TimeBudget) -> tuple[list[Finding], Check]:
    """Run one fault's detection. What goes wrong in it is its own affair, and is said; what it found before counts."""
    began = time.monotonic()
    found: list[Finding] = []
    status, reason = _run(fault, view.patient, budget, found)
    return found, Check(fault.id, status, reason, len(found), round(time.monotonic() - began, 3))


def _run(fault: Fault, patient: Patient, budget: TimeBudget, found: list[Finding]) -> tuple[Status, str]:
    missing = [name for name in fault.tools if not patient.tools.has(name)]
    if missing:
        return "skipped", f"the rescue system has no {', '.join(missing)}"
    if over := _over(patient, budget):
        return "skipped", over
    try:
        for finding in fault.detect(patient):
            found.append(_as_declared(fault, finding, found))
            if len(found) >= MAX_FINDINGS:
                return "ran", f"there are {MAX_FINDINGS} findings already, and more are not looked for"
            if over := _over(patient, budget):
                return "skipped", over
    except NotApplicable as exc:
        return "not_applicable", printable(str(exc))
    except OpenRescueError as exc:
        return "skipped", str(exc)
    except Exception as exc:  # a hostile disk may surprise one check; the others still count
        return "skipped", f"this check failed: {type(exc).__name__}: {printable(str(exc))}"
    return "ran", ""


def _over(patient: Patient, budget: TimeBudget) -> str:
    """Why no further step begins: the time, or somebody who has asked this call to stop."""
    return TIME_IS_OVER if budget.is_over() else patient.tools.limit.over


def _as_declared(fault: Fault, finding: Finding, others: t.Sequence[Finding]) -> Finding:
    """Safe only where the fault's remedy is, with a remedy only where it has one, and with a key of its own."""
    taken = {item.key for item in others}
    same = (f"{finding.key}#{number}" for number in range(2, MAX_FINDINGS + 2))
    key = finding.key if finding.key not in taken else next(name for name in same if name not in taken)
    remedy = finding.remedy if fault.repair else None
    return dataclasses.replace(
        finding, key=key, remedy=remedy, remedy_safe=finding.remedy_safe and fault.safe and remedy is not None
    )


def diagnose(
    view: View,
    *,
    faults: Faults,
    budget: TimeBudget,
    wanted: t.Container[str] | None = None,
    chain: Chain | None = None,
) -> Report:
    """Look for all faults on an opened trial view, and leave its tree mounted for reading.

    Damaged file systems are repaired in their throw-away layers, so that the faults in them are seen too.

    :param wanted: fault IDs to limit to; a damaged file system is looked for in any case.
    :param chain: follows the boot from the loader to init; without it, nothing is called bootable.
    """
    on_devices = Report()
    began = time.monotonic()
    for fault in _of_stage(faults, "device"):
        found, check = detect(fault, view, budget)
        if wanted is None or fault.id in wanted:
            on_devices.findings.extend(found)
            on_devices.checks.append(check)
        for finding in found:
            if finding.confidence == "high" and finding.evidence and finding.evidence[0].device:
                on_devices.damaged[finding.evidence[0].device] = f"{finding.summary}, and that was not repaired"
        _heal(fault, found, view)
    began = budget.lap("device_checks", began)
    view.mount(read_only=True)
    budget.lap("mount", began)
    judge = functools.partial(_judge, view, on_devices, faults=faults, budget=budget, wanted=wanted, chain=chain)
    report = judge()
    if view.patient.several is not None and chain is not None:
        _judge_others(view, report, judge, budget)
    view.check_layers()
    view.check_devices()
    return report


def _judge(
    view: View,
    on_devices: Report,
    *,
    faults: Faults,
    budget: TimeBudget,
    wanted: t.Container[str] | None,
    chain: Chain | None,
) -> Report:
    """What is to be said of the patient with the root that is mounted now."""
    began = time.monotonic()
    report = dataclasses.replace(on_devices, findings=[*on_devices.findings], checks=[*on_devices.checks])
    for fault in _of_stage(faults, "device"):
        report.findings = _weighed(fault, report.findings, view.patient)
    _look_in_tree(view, _of_stage(faults, "tree"), budget, wanted, report)
    began = budget.lap("tree_checks", began)
    if chain is not None and view.patient.root is not None:
        report.chain = _followed(chain, view.patient)
    budget.lap("chain", began)
    _conclude(report, view.patient)
    return report


def _judge_others(view: View, first: Report, judge: t.Callable[[], Report], budget: TimeBudget) -> None:
    """Say of each operating system what was found, where nothing tells which of them the server boots.

    What is returned in detail is that of the first. None is written to before somebody has chosen it.
    """
    patient, began = view.patient, time.monotonic()
    shown, notes = patient.root.device if patient.root else "", [*patient.notes]
    others = [root for root in patient.roots if root != shown]
    told = [_told_of(shown, first)]
    for root in others[: MAX_ROOTS - 1]:
        if _over(patient, budget):
            break
        try:
            view.mount(read_only=True, root=root)
            told.append(_told_of(root, judge()))
        except OpenRescueError as exc:
            told.append(f"{root} cannot be judged ({exc.message})")
    told += [f"{root} was not looked at" for root in others[len(told) - 1 :]]
    view.mount(read_only=True)
    patient.notes = notes
    first.message = f"There are several operating systems: {'; '.join(told)}. Choose one with 'root'"
    budget.lap("other_roots", began)


def _told_of(root: str, report: Report) -> str:
    """One operating system of several, in a few words."""
    verdict = verdict_of(report.findings, report.chain, unchecked=_unchecked(report))
    serious = dict.fromkeys(item.fault for item in report.findings if item.severity != "info")
    return f"{root} would be {verdict} ({', '.join(serious) or 'nothing was found'})"


def _look_in_tree(
    view: View, faults: Faults, budget: TimeBudget, wanted: t.Container[str] | None, report: Report
) -> None:
    for fault in faults:
        if wanted is not None and fault.id not in wanted:
            report.checks.append(Check(fault.id, "skipped", "not asked for"))
        elif view.patient.root is None:
            report.checks.append(Check(fault.id, "skipped", view.patient.no_root.message))
        else:
            found, check = detect(fault, view, budget)
            report.findings.extend(found)
            report.checks.append(check)


def _conclude(report: Report, patient: Patient) -> None:
    unchecked = _unchecked(report)
    report.verdict = verdict_of(report.findings, report.chain, unchecked=unchecked)
    report.message = message_of(report.findings, report.chain, unchecked=unchecked)
    unclear = patient.no_root if patient.root is None else patient.several
    if unclear is not None and (report.verdict != "unbootable" or patient.several is not None):
        report.verdict = "unknown"
        report.message = unclear.message[:1].upper() + unclear.message[1:]


def _unchecked(report: Report) -> int:
    return sum(check.status == "skipped" for check in report.checks)


def _of_stage(faults: Faults, stage: Stage) -> list[Fault]:
    return [fault for fault in faults if fault.stage == stage]


def _followed(chain: Chain, patient: Patient) -> tuple[Link, ...]:
    """The links of the boot; none where a file on its way cannot be read, so that nobody can tell."""
    try:
        return tuple(chain(patient))
    except OpenRescueError as exc:
        patient.notes.append(f"the boot cannot be followed: {exc.message}")
        return ()


def _weighed(fault: Fault, findings: t.Sequence[Finding], patient: Patient) -> list[Finding]:
    """What a fault found before the patient was mounted, judged by how the patient uses it; in doubt it is not safe."""
    if fault.weigh is None:
        return list(findings)
    others = [item for item in findings if item.fault != fault.id]
    mine = [item for item in findings if item.fault == fault.id]
    try:
        fresh: list[Finding] = []
        for finding in fault.weigh(patient, mine):
            fresh.append(_as_declared(fault, finding, fresh))
    except Exception as exc:  # the content of a hostile disk must not hide what was found on its devices
        patient.notes.append(f"{fault.id} could not be weighed: {type(exc).__name__}: {printable(str(exc))}")
        fresh = [dataclasses.replace(item, remedy_safe=False) for item in mine]
    return others + fresh


def _heal(fault: Fault, found: t.Sequence[Finding], view: View) -> None:
    """Repair in the layers only; where that fails, the file system does not mount, and this is noted there."""
    curable = [finding for finding in found if finding.remedy]
    repair = fault.repair
    if not curable or repair is None or not view.has_layers:
        return
    # Only here, since most disks need none of it: Python reads it for longer than a device takes to look at.
    from ..._patient.write.change import Change
    from ..._patient.write.undo import Bundle

    for finding in curable:
        try:
            repair(view.patient, finding, Change(view=view, bundle=Bundle.new(keep=False)))
        except OpenRescueError as exc:
            view.patient.notes.append(f"{finding.fault} could not be tried in a layer: {exc.message}")
    view.refresh()
