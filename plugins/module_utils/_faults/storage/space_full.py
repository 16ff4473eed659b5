# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""File systems that are full.

Only what the operating system itself throws away or can fetch again is ever removed. User data and logs are shown,
never touched.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ..._patient.write.errors import NoRoom
from ..._text import printable
from ..model import Evidence, Fault, Finding, Severity, Signature
from .shared.disposable import disposable_files
from .shared.space import MIB, NEEDED, available, files_beneath, largest, mounted_filesystems, percent_used, shown_size

if t.TYPE_CHECKING:
    from ..._patient.patient import Filesystem, Patient
    from ..._patient.write.change import Change

__all__ = ("SPACE_FULL", "judge_bytes")

ID = "space-full"

#: with less than this, daemons and package scripts fail although the percentage looks well
LITTLE = 4 * MIB
#: with more than this, a server goes on for a while whatever the percentage is
PLENTY = 512 * MIB


def judge_bytes(mount_point: str, *, total: int, free: int, available: int) -> Severity | None:
    """How bad a full file system is.

    :param free: for root, the blocks reserved for it included.
    :param available: for everybody else.
    """
    if mount_point not in NEEDED or total < 16 * MIB:
        return None
    # Only root writes to /boot, and a server boots with a full one: it just takes no new kernel.
    if mount_point == "/boot":
        available = free
    elif free < max(LITTLE, min(total // 1000, PLENTY // 16)):
        return "critical"
    usable = total - (free - available)
    if available < LITTLE or (percent_used(total=total, free=free) >= 99 and free < PLENTY):
        return "error"
    return "info" if percent_used(total=usable, free=available) >= 90 else None


def detect(patient: Patient) -> t.Iterator[Finding]:
    for item in mounted_filesystems(patient):
        total, free = item.total_bytes, item.free_bytes
        if total is None or free is None:
            continue
        severity = judge_bytes(item.mount_point or "", total=total, free=free, available=available(item))
        if severity is not None:
            yield _finding(patient, item, severity)


def _finding(patient: Patient, item: Filesystem, severity: Severity) -> Finding:
    where, free = item.mount_point or "/", item.free_bytes or 0
    spare = disposable_files(patient, item) if severity != "info" else []
    files = spare or (files_beneath(patient, where) if severity != "info" else [])
    gain = sum(size for _path, size in spare)
    return Finding(
        fault=ID,
        severity=severity,
        summary=f"{where} on {item.device} has {shown_size(free)} of {shown_size(item.total_bytes or 0)} left",
        evidence=(
            # What is only nearly full after a remedy is not the same finding.
            Evidence(path=where, text="nearly full" if severity == "info" else "full", device=item.device),
            *(Evidence(printable(path), text=shown_size(size), device=item.device) for path, size in largest(files)),
        ),
        remedy=f"remove {shown_size(gain)} of package caches and temporary files" if gain >= MIB else None,
        remedy_safe=gain >= MIB,
    )


def repair(patient: Patient, finding: Finding, change: Change) -> None:
    for item in mounted_filesystems(patient):
        if item.device == finding.evidence[0].device:
            _make_room(patient, item, change)
    change.untried = patient.written_to_memory


def _make_room(patient: Patient, item: Filesystem, change: Change) -> None:
    """Move out the largest first, until a fifth is free; what the undo bundle has no room for stays."""
    wanted = (item.total_bytes or 0) // 5 - available(item)
    moved, refused = 0, None
    for path, size in disposable_files(patient, item):
        if moved >= wanted:
            break
        try:
            change.move_out(path)
            moved += size
        except NoRoom as exc:
            refused = exc
    if refused is not None and not moved:
        raise refused
    change.settle(item.mount_point or "/")


SPACE_FULL = Fault(
    id=ID,
    title="A file system that the server needs room on is full",
    signatures=(
        Signature(r"(?i)no space left on device", "a file system is full", severity="error", survives_boot=True),
    ),
    detect=detect,
    repair=repair,
    safe=True,
    judged_last=True,
)
