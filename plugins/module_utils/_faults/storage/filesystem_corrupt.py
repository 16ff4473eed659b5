# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""File systems that are damaged, weighed by how the server uses them.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ..._patient.tree.replay import replay_journal
from ..._text import printable
from ..model import Evidence, Fault, Finding, Severity, Signature
from .shared.e2fsck import ANY_CODE, EXT, TIMEOUT, check_ext, evidence_of, judge_ext, repair_ext, shown_devices
from .shared.use import Use, is_shared, use_of

if t.TYPE_CHECKING:
    from ..._patient.patient import Filesystem, Patient
    from ..._patient.write.change import Change

__all__ = ("FILESYSTEM_CORRUPT",)

FAULT = "filesystem-corrupt"
#: what the kernel says where what is on the device contradicts itself, or cannot be read at all
_DAMAGE = ("Structure needs cleaning", "Bad message", "Input/output error")
_BAD_LINE = re.compile(r"(?i)\b(?:bad|error|corrupt|mismatch|would )")
#: what says that a check did not see the whole of a file system, so that nothing follows from it
_NOT_JUDGED = re.compile(
    r"ALERT: The filesystem has valuable metadata changes|(?i:cannot open|couldn't open|could not open|no such device|"
    r"missing device|devices missing|unsupported|unable to read chunk)"
)


def _detect(patient: Patient) -> t.Iterator[Finding]:
    for item in patient.filesystems:
        if is_shared(item):
            continue
        if item.fstype in EXT:
            yield from _ext(patient, item)
        elif item.fstype == "xfs" and patient.tools.has("xfs_repair"):
            yield from _xfs(patient, item)
        elif item.fstype == "btrfs" and patient.tools.has("btrfs"):
            yield from _reported(patient, item, ["btrfs", "check", "--readonly", item.reading_device])


def _ext(patient: Patient, item: Filesystem) -> t.Iterator[Finding]:
    checked = check_ext(patient, item)
    judgement = judge_ext(boot=checked.boot, full=checked.full, output=checked.output)
    if judgement is None:
        return
    remedy = "let e2fsck repair it" if checked.preen else "let e2fsck repair it, answering yes to all it asks"
    yield Finding(
        fault=FAULT,
        severity=judgement.severity,
        summary=f"{item.fstype} on {item.device} {judgement.summary}",
        evidence=evidence_of(item, checked.lines),
        remedy=remedy if judgement.repairable else None,
        remedy_safe=judgement.repairable and checked.preen,
        confidence=judgement.confidence,
    )


def _xfs(patient: Patient, item: Filesystem) -> t.Iterator[Finding]:
    """xfs_repair looks past a log that was not replayed: every guest that was switched off has one."""
    reason = replay_journal(item) if item.writable else ""
    if reason in _DAMAGE:
        yield _unmountable(item, reason, "error")
        return
    yield from _reported(patient, item, ["xfs_repair", "-n", item.reading_device])


def _reported(patient: Patient, item: Filesystem, argv: t.Sequence[str]) -> t.Iterator[Finding]:
    """File systems whose repair is left to a person."""
    done = patient.tools.run(argv, timeout=TIMEOUT, ok=ANY_CODE)
    output = done.stdout + done.stderr
    if _NOT_JUDGED.search(output):
        summary = f"{item.fstype} on {item.device} cannot be judged: its journal was not replayed, or a part is missing"
        yield Finding(FAULT, "info", summary, evidence_of(item, ()), confidence="low")
    elif done.rc == 1:
        lines = [line for line in output.splitlines() if _BAD_LINE.search(line)]
        summary = f"{item.fstype} on {item.device} is damaged"
        yield Finding(FAULT, "error", summary, evidence_of(item, lines), confidence="medium")


def _unmountable(item: Filesystem, reason: str, severity: Severity) -> Finding:
    damaged = reason in _DAMAGE
    what = (
        "is damaged, and cannot be mounted" if damaged else "cannot be mounted here: damaged, or newer than this kernel"
    )
    evidence = (Evidence(device=item.device), Evidence(device=item.device, text=printable(reason)))
    return Finding(
        FAULT, severity, f"{item.fstype} on {item.device} {what}", evidence, confidence="high" if damaged else "low"
    )


def _weigh(patient: Patient, found: t.Sequence[Finding]) -> t.Iterator[Finding]:
    """What stops the boot is critical; what the server does not use is a warning, and never repaired unasked."""
    cannot_mount = dict(patient.unmountable)
    for finding in found:
        for item in shown_devices(patient, finding.evidence):
            told = {evidence.text for evidence in finding.evidence}
            mounts = not cannot_mount.pop(item.device, "") and not told & set(_DAMAGE)
            yield _weighed(finding, use_of(patient, item), mounts=mounts)
    for item in patient.filesystems:
        if item.device in cannot_mount and not is_shared(item):
            reason = cannot_mount[item.device]
            yield _weighed(_unmountable(item, reason, "error"), use_of(patient, item), mounts=False)


def _weighed(finding: Finding, use: Use, *, mounts: bool) -> Finding:
    if finding.severity == "info":
        return finding
    severity: Severity = "error"
    if not mounts and finding.confidence == "low":
        severity = "warning"  # nobody can tell whether it is damaged at all
    elif not use.known:
        severity = "critical" if not mounts else finding.severity
    elif not use.named:
        severity = "warning"
    elif (use.needed and not mounts) or (use.checked and finding.severity == "critical"):
        severity = "critical"
    return dataclasses.replace(finding, severity=severity, remedy_safe=finding.remedy_safe and use.named)


def _repair(patient: Patient, finding: Finding, change: Change) -> None:
    for item in shown_devices(patient, finding.evidence):
        if item.fstype in EXT:
            repair_ext(item, change)


FILESYSTEM_CORRUPT = Fault(
    id="filesystem-corrupt",
    title="A file system is damaged",
    stage="device",
    tools=("e2fsck",),
    signatures=(
        Signature(
            re.compile(r"(/dev/\S{1,100}|\S{1,60}): UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY"),
            "{0} is damaged, and the check at boot stopped for it",
        ),
        Signature(
            re.compile(r"The (?:root )?file ?system on (/dev/\S{1,100}) requires a manual fsck"),
            "{0} is damaged, and the check at boot stopped for it",
        ),
        Signature(
            re.compile(r"EXT4-fs error \(device (\S{1,40})\)"),
            "{0} is damaged",
            severity="error",
            survives_boot=True,
        ),
        Signature(
            re.compile(
                r"EXT4-fs \((\S{1,40})\): (?:group descriptors corrupted|bad geometry|ext4_check_descriptors: "
                r"|no journal found|error loading journal|get root inode failed|corrupt root inode)"
            ),
            "{0} is damaged so that it cannot be mounted",
        ),
        Signature(
            re.compile(r"XFS \((\S{1,40})\): (?:Metadata (?:CRC error|corruption) detected|Corruption )"),
            "{0} is damaged",
            severity="error",
            survives_boot=True,
        ),
        Signature(
            re.compile(r"BTRFS (?:critical|error) \(device (\S{1,40}?)(?: state \S{1,10})?\)"),
            "{0} is damaged",
            severity="error",
            survives_boot=True,
        ),
        Signature(
            # systemd cuts the name of the service in its middle.
            re.compile(r"Failed to start (?:systemd-fsck\S{0,200} - )?(?:File System Check on|systemd-fs\S{0,40}…)"),
            "the check of a file system failed",
            confidence="medium",
        ),
    ),
    detect=_detect,
    weigh=_weigh,
    repair=_repair,
    safe=True,
)
