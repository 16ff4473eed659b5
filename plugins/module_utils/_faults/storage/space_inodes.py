# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""File systems without inodes: nothing can be made on them although there is room.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ..._text import printable
from ..model import Evidence, Fault, Finding, Severity, Words
from .shared.space import NEEDED, largest, mounted_filesystems, percent_used

if t.TYPE_CHECKING:
    from ..._patient.patient import Filesystem, Patient

__all__ = ("SPACE_INODES", "judge_inodes")

ID = "space-inodes"

#: only these have a fixed number; the others make inodes as they need them, and what they report is an estimate
_FIXED = ("ext2", "ext3", "ext4")
#: with more than this, a server goes on for a while whatever the percentage is
_PLENTY = 10_000


def judge_inodes(mount_point: str, *, total: int, free: int) -> Severity | None:
    if mount_point not in NEEDED or total <= 0:
        return None
    if free < 100:
        return "critical" if mount_point != "/boot" else "error"
    used = percent_used(total=total, free=free)
    if used >= 99 and free < _PLENTY:
        return "error"
    return "info" if used >= 90 else None


def detect(patient: Patient) -> t.Iterator[Finding]:
    for item in mounted_filesystems(patient):
        if item.fstype not in _FIXED or not item.total_inodes or item.free_inodes is None:
            continue
        severity = judge_inodes(item.mount_point or "", total=item.total_inodes, free=item.free_inodes)
        if severity is None:
            continue
        yield Finding(
            fault=ID,
            severity=severity,
            summary=f"{item.mount_point} on {item.device} has {item.free_inodes} inodes left",
            evidence=(
                Evidence(path=item.mount_point, device=item.device),
                *(_fullest(patient, item) if severity != "info" else ()),
            ),
        )


def _fullest(patient: Patient, item: Filesystem) -> tuple[Evidence, ...]:
    """The directories with the most entries."""
    entries = ((path, 1) for path, _entry in patient.tree.walk(item.mount_point or "/"))
    return tuple(
        Evidence(path=printable(path), text=f"{count} entries", device=item.device)
        for path, count in largest(entries, depth=4)
    )


SPACE_INODES = Fault(
    id=ID,
    title="A file system that the server needs room on has no inodes left",
    detect=detect,
    words=Words(
        meaning="There is room, but an application has made millions of small files, such as sessions or a mail queue.",
        effect="The server often boots, and then nothing can be created: services say ``No space left on device`` "
        "while ``df`` shows room.",
        detection="It is critical where less than 100 inodes are left (on ``/boot`` an error), an error where one per "
        "cent and less than 10,000 are left, and ``info`` above 90 per cent. The fullest directories are listed.",
        scope="ext2, ext3 and ext4, as the other types make inodes when they need them; ``/``, ``/boot``, ``/tmp``, "
        "``/var`` and in it ``lib``, ``log`` and ``tmp``.",
    ),
)
