# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running the faults against one patient: in which order, which not and why, how long, and what it means.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import time
import typing as t

from ..._errors import OpenRescueError
from ..._patient.opening import View
from ..._patient.write.change import Change
from ..._patient.write.undo import Bundle
from ..._text import printable
from ..model import Fault, Finding, Stage

__all__ = ("Check", "Clock", "Report", "check_names", "detect", "diagnose", "message_of", "verdict_of")

Verdict = t.Literal["bootable", "unbootable", "unknown"]
Faults = t.Sequence[type[Fault]]

NO_ROOT = "the disk holds no operating system"


@dataclasses.dataclass(frozen=True)
class Check:
    """One fault looked for, or not."""

    fault: str
    status: t.Literal["ran", "skipped"]
    reason: str = ""
    findings: int = 0
    seconds: float = 0.0


@dataclasses.dataclass
class Report:
    """What a diagnosis found."""

    findings: list[Finding] = dataclasses.field(default_factory=list)
    checks: list[Check] = dataclasses.field(default_factory=list)
    verdict: Verdict = "unknown"


class Clock:
    """Seconds per phase, and the time at which no further check begins."""

    def __init__(self, *, timeout: float) -> None:
        self._started = time.monotonic()
        self.deadline = self._started + timeout
        self.timings: dict[str, float] = {}

    def lap(self, phase: str, since: float) -> float:
        now = time.monotonic()
        self.timings[phase] = round(self.timings.get(phase, 0.0) + now - since, 3)
        self.finish()
        return now

    def finish(self) -> None:
        self.timings["total"] = round(time.monotonic() - self._started, 3)

    def is_over(self) -> bool:
        return time.monotonic() >= self.deadline


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


def detect(fault: type[Fault], view: View, clock: Clock) -> tuple[list[Finding], Check]:
    """Run one fault's detection. Whatever goes wrong in it is its own affair, and is said."""
    began = time.monotonic()
    missing = [name for name in fault.tools if not view.patient.tools.has(name)]
    if missing:
        return [], Check(fault.id, "skipped", f"the rescue system has no {', '.join(missing)}")
    if clock.is_over():
        return [], Check(fault.id, "skipped", "the time limit was reached")
    try:
        found = list(fault().detect(view.patient))
    except OpenRescueError as exc:
        reason = str(exc)
    except Exception as exc:  # a hostile disk may surprise one check; the others still count
        reason = f"this check failed: {type(exc).__name__}: {printable(str(exc))}"
    else:
        return found, Check(fault.id, "ran", "", len(found), round(time.monotonic() - began, 3))
    return [], Check(fault.id, "skipped", reason, 0, round(time.monotonic() - began, 3))


def diagnose(view: View, *, faults: Faults, clock: Clock, wanted: t.Container[str] | None = None) -> Report:
    """Look for all faults on an opened trial view, and leave its tree mounted for reading.

    Damaged file systems are repaired in their throw-away layers, so that the faults in them are seen too.

    :param wanted: fault IDs to limit to; a damaged file system is looked for in any case.
    """
    report = Report()
    began = time.monotonic()
    for fault in _of_stage(faults, "device"):
        found, check = detect(fault, view, clock)
        if wanted is None or fault.id in wanted:
            report.findings.extend(found)
            report.checks.append(check)
        _heal(fault, found, view)
    began = clock.lap("device_checks", began)
    view.mount(read_only=True)
    began = clock.lap("mount", began)
    for fault in _of_stage(faults, "tree"):
        if wanted is not None and fault.id not in wanted:
            report.checks.append(Check(fault.id, "skipped", "not asked for"))
        elif view.patient.root is None:
            report.checks.append(Check(fault.id, "skipped", NO_ROOT))
        else:
            found, check = detect(fault, view, clock)
            report.findings.extend(found)
            report.checks.append(check)
    view.check_layers()
    clock.lap("tree_checks", began)
    report.findings = drop_followers(report.findings)
    report.verdict = verdict_of(report, has_root=view.patient.root is not None)
    return report


def drop_followers(findings: t.Sequence[Finding]) -> list[Finding]:
    """Each finding once: two faults of a family may look at the same thing from two sides."""
    seen: dict[str, Finding] = {}
    for finding in findings:
        seen.setdefault(finding.key, finding)
    return list(seen.values())


def verdict_of(report: Report, *, has_root: bool) -> Verdict:
    """``bootable`` only if every check ran and none found what blocks a boot."""
    if any(finding.severity == "critical" for finding in report.findings):
        return "unbootable"
    if not has_root or any(check.status == "skipped" for check in report.checks):
        return "unknown"
    return "bootable"


def message_of(report: Report, *, has_root: bool) -> str:
    """The verdict and its reason in one sentence."""
    critical = sum(finding.severity == "critical" for finding in report.findings)
    skipped = [check.fault for check in report.checks if check.status == "skipped"]
    if critical:
        return f"The patient does not boot, {critical} critical finding{'s' if critical > 1 else ''}"
    if not has_root:
        return "The disk holds no operating system"
    if skipped:
        return f"Nothing that blocks the boot was found, but {len(skipped)} checks did not run"
    return "Nothing that blocks the boot was found"


def _of_stage(faults: Faults, stage: Stage) -> list[type[Fault]]:
    return [fault for fault in faults if fault.stage == stage]


def _heal(fault: type[Fault], found: t.Sequence[Finding], view: View) -> None:
    """Repair in the layers only; where that fails, the file system does not mount, and this is noted there."""
    curable = [finding for finding in found if finding.remedy]
    if not curable or not view.has_layers:
        return
    for finding in curable:
        try:
            fault().repair(view.patient, finding, Change(view=view, bundle=Bundle.new(keep=False)))
        except OpenRescueError as exc:
            view.patient.notes.append(f"{finding.fault} could not be tried in a layer: {exc.message}")
    view.refresh()
