# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ext file systems that have lost their superblock, and still have a copy of it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..._patient.devices.lost import lost_filesystems
from ..model import Fault, Finding, Severity, Signature
from .shared.e2fsck import ANY_CODE, TIMEOUT, evidence_of, is_benign, repair_ext, shown_devices
from .shared.use import is_shared, use_of

if t.TYPE_CHECKING:
    from ..._patient.devices.lost import LostFilesystem
    from ..._patient.patient import Patient
    from ..._patient.write.change import Change

__all__ = ("FILESYSTEM_SUPERBLOCK",)

ID = "filesystem-superblock"


def detect(patient: Patient) -> t.Iterator[Finding]:
    for lost in lost_filesystems(patient):
        item = lost.filesystem
        if is_shared(item):
            continue
        done = patient.tools.run(
            ["e2fsck", "-f", "-n", *_copy(lost), item.reading_device], timeout=TIMEOUT, ok=ANY_CODE
        )
        whole = done.rc == 0 or is_benign(done.stdout)
        yield Finding(
            fault=ID,
            severity="critical" if whole else "warning",
            summary=f"{item.device} has lost the superblock of its ext file system {lost.superblock.uuid}",
            evidence=evidence_of(item, [f"a copy is at block {lost.block} of {lost.block_size} bytes"]),
            remedy=f"write the superblock anew from its copy at block {lost.block}",
            # A copy can outlive its file system: where the rest does not fit to it, a person decides.
            remedy_safe=whole,
            confidence="high" if whole else "low",
        )


def weigh(patient: Patient, found: t.Sequence[Finding]) -> t.Iterator[Finding]:
    """A disk that was wiped keeps its copies too: what the server does not name is left alone."""
    lost = {item.filesystem.device: item.names for item in lost_filesystems(patient)}
    for finding in found:
        for item in shown_devices(patient, finding.evidence):
            use = use_of(patient, item, names=lost.get(item.device, ()))
            if not use.known:
                yield dataclasses.replace(finding, remedy_safe=False)
            elif not use.named:
                what = f"{finding.summary}, or was wiped: the server does not use it"
                yield dataclasses.replace(finding, severity="info", summary=what, remedy_safe=False)
            else:
                severity: Severity = finding.severity if use.needed or finding.severity != "critical" else "error"
                yield dataclasses.replace(finding, severity=severity)


def repair(patient: Patient, finding: Finding, change: Change) -> None:
    lost = {item.filesystem.device: item for item in lost_filesystems(patient)}
    for item in shown_devices(patient, finding.evidence):
        if item.device in lost:
            repair_ext(item, change, *_copy(lost[item.device]))


def _copy(lost: LostFilesystem) -> tuple[str, ...]:
    """Options of e2fsck that name the copy."""
    return ("-b", str(lost.block), "-B", str(lost.block_size))


FILESYSTEM_SUPERBLOCK = Fault(
    id=ID,
    title="An ext file system has lost its superblock, but still has a copy of it",
    stage="device",
    tools=("dumpe2fs", "e2fsck"),
    signatures=(
        Signature(
            # A check by the wrong type says the same.
            r"Bad magic number in super-block while trying to open (/dev/\S{1,100})",
            "{0} has no superblock of an ext file system",
            confidence="medium",
        ),
        Signature(r"EXT4-fs \((\S{1,40})\): unable to read superblock", "{0} has no valid superblock"),
        Signature(
            r"ALERT!\s{1,4}(\S{1,200}) does not exist\.\s{1,4}Dropping to a shell",
            "the root file system {0} was not found",
            confidence="low",
        ),
        Signature(
            r"Warning: (/dev/(?:disk/by-|mapper/)\S{1,200}) does not exist",
            "the root file system {0} was not found",
            confidence="low",
        ),
        Signature(
            r"error: (?:\S{1,80}:\d{1,5}: ?)?no such device: ([0-9a-fA-F-]{1,40})",
            "the boot loader does not find the file system {0} that it needs",
            confidence="medium",
        ),
        Signature(
            r"error: (?:\S{1,80}:\d{1,5}: ?)?unknown filesystem",
            "the boot loader does not recognise the file system that it needs",
            confidence="medium",
        ),
    ),
    detect=detect,
    weigh=weigh,
    repair=repair,
    safe=True,
)
