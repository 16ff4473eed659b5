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

from ..._text import printable
from ..model import Evidence, Fault, Finding, Severity, Signature, Words
from .shared.disposable import disposable_files, make_room
from .shared.space import MIB, available, files_beneath, judge_bytes, largest, mounted_filesystems, shown_size

if t.TYPE_CHECKING:
    from ..._patient.patient import Filesystem, Patient
    from ..._patient.write.change import Change

__all__ = ("SPACE_FULL",)

ID = "space-full"


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
            make_room(patient, item, change)
    change.untried = patient.written_to_memory


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
    words=Words(
        meaning="Logs, packages or an application's data have filled it, often while an update was under way.",
        effect="The server often boots, and then services fail with ``No space left on device``, nobody can log in, "
        "or an update stops half-way and leaves an empty initramfs behind.",
        detection="It is critical where root itself has less than 4 MiB left (up to 32 MiB of a large file system), an "
        "error where everybody else has less than 4 MiB, or one per cent and less than 512 MiB is left, and ``info`` "
        "above 90 per cent. On ``/boot`` it is an error at most, since a server boots with a full one. What takes "
        "the most room is listed.",
        scope="``/``, ``/boot``, ``/tmp``, ``/var`` and in it ``lib``, ``log`` and ``tmp``, where they are file "
        "systems of their own.",
        remedy="Package files in the caches of apt, dnf, yum, zypper, pacman and PackageKit, and what lies in "
        "``/tmp`` where the server empties that at boot, are moved away, the largest first, until a fifth is free. "
        "Logs and data are never touched.",
        safety="Safe. There is no remedy for ``info``, nor where less than 1 MiB can be won like that: then a person "
        "has to choose what goes.",
        undo="What was moved away lies on the rescue system only, and is gone with the rescue. Until the server is "
        "unrescued it can be put back.",
    ),
)
