# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""File systems that are damaged, weighed by how the server uses them.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..model import Fault, Finding, Signature
from .shared.e2fsck import EXT, Judgement, check_ext, evidence_of, judge_ext, repair_ext, shown_devices
from .shared.use import is_shared, use_of, weigh_damage
from .shared.xfs_and_btrfs import DAMAGE, judge_btrfs, judge_unmountable, judge_xfs

if t.TYPE_CHECKING:
    from ..._patient.patient import Filesystem, Patient
    from ..._patient.write.change import Change

__all__ = ("FILESYSTEM_CORRUPT",)

ID = "filesystem-corrupt"
_JUDGES = {"xfs": judge_xfs, "btrfs": judge_btrfs}


def detect(patient: Patient) -> t.Iterator[Finding]:
    for item in patient.filesystems:
        if is_shared(item):
            continue
        if item.fstype in EXT:
            yield from _ext(patient, item)
        elif item.fstype in _JUDGES and (judgement := _JUDGES[item.fstype](patient, item)):
            yield _finding(item, judgement)


def _ext(patient: Patient, item: Filesystem) -> t.Iterator[Finding]:
    checked = check_ext(patient, item)
    judgement = judge_ext(checked)
    if judgement is not None:
        remedy = "let e2fsck repair it" if checked.preen else "let e2fsck repair it, answering yes to all it asks"
        yield dataclasses.replace(
            _finding(item, dataclasses.replace(judgement, lines=checked.lines)),
            remedy=remedy if judgement.repairable else None,
            remedy_safe=judgement.repairable and checked.preen,
        )


def _finding(item: Filesystem, judgement: Judgement) -> Finding:
    return Finding(
        fault=ID,
        severity=judgement.severity,
        summary=f"{item.fstype} on {item.device} {judgement.summary}",
        evidence=evidence_of(item, judgement.lines),
        confidence=judgement.confidence,
    )


def weigh(patient: Patient, found: t.Sequence[Finding]) -> t.Iterator[Finding]:
    """Each by how the server uses its device; and what could not be mounted, though no checker said why."""
    cannot_mount = dict(patient.unmountable)
    for finding in found:
        for item in shown_devices(patient, finding.evidence):
            told = {evidence.text for evidence in finding.evidence}
            mounts = not cannot_mount.pop(item.device, "") and not told & set(DAMAGE)
            yield weigh_damage(finding, use_of(patient, item), mounts=mounts)
    for item in patient.filesystems:
        if item.device in cannot_mount and not is_shared(item):
            finding = _finding(item, judge_unmountable(cannot_mount[item.device]))
            yield weigh_damage(finding, use_of(patient, item), mounts=False)


def repair(patient: Patient, finding: Finding, change: Change) -> None:
    for item in shown_devices(patient, finding.evidence):
        if item.fstype in EXT:
            repair_ext(item, change)


FILESYSTEM_CORRUPT = Fault(
    id=ID,
    title="A file system is damaged",
    stage="device",
    tools=("e2fsck",),
    signatures=(
        Signature(
            r"(/dev/\S{1,100}|\S{1,60}): UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY",
            "{0} is damaged, and the check at boot stopped for it",
        ),
        Signature(
            r"The (?:root )?file ?system on (/dev/\S{1,100}) requires a manual fsck",
            "{0} is damaged, and the check at boot stopped for it",
        ),
        Signature(
            r"EXT4-fs \((\S{1,40})\): (?:group descriptors corrupted|bad geometry|ext4_check_descriptors: "
            r"|no journal found|error loading journal|get root inode failed|corrupt root inode)",
            "{0} is damaged so that it cannot be mounted",
        ),
        *(
            Signature(pattern, "{0} is damaged", severity="error", survives_boot=True)
            for pattern in (
                r"EXT4-fs error \(device (\S{1,40})\)",
                r"XFS \((\S{1,40})\): (?:Metadata (?:CRC error|corruption) detected|Corruption )",
                r"BTRFS (?:critical|error) \(device (\S{1,40}?)(?: state \S{1,10})?\)",
            )
        ),
        Signature(
            # systemd cuts the name of the service in its middle.
            r"Failed to start (?:systemd-fsck\S{0,200} - )?(?:File System Check on|systemd-fs\S{0,40}…)",
            "the check of a file system failed",
            confidence="medium",
        ),
    ),
    detect=detect,
    weigh=weigh,
    repair=repair,
    safe=True,
)
