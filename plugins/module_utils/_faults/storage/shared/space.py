# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much space the patient's file systems have, and what takes it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import stat
import typing as t

from .use import is_shared

if t.TYPE_CHECKING:
    from ...._patient.patient import Filesystem, Patient
    from ...model import Severity

__all__ = (
    "MIB",
    "NEEDED",
    "available",
    "files_beneath",
    "judge_bytes",
    "largest",
    "mounted_filesystems",
    "percent_used",
    "shown_size",
)

MIB = 1024 * 1024
MAX_EVIDENCE = 8
#: with less than this, daemons and package scripts fail although the percentage looks well
LITTLE = 4 * MIB
#: with more than this, a server goes on for a while whatever the percentage is
PLENTY = 512 * MIB

#: what a server cannot run without room on
NEEDED = ("/", "/var", "/var/log", "/var/lib", "/var/tmp", "/tmp", "/boot")  # noqa: S108
#: always full, since nobody writes to them
_READ_ONLY = ("squashfs", "erofs", "iso9660", "udf", "cramfs", "romfs")


def percent_used(*, total: int, free: int) -> float:
    """How much is used, in percent."""
    return 100.0 * (total - free) / total if total else 0.0


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


def available(item: Filesystem) -> int:
    """Bytes for everybody: of what is free much is reserved, or, on btrfs, no place for files."""
    return (item.free_bytes or 0) if item.available_bytes is None else item.available_bytes


def mounted_filesystems(patient: Patient) -> t.Iterator[Filesystem]:
    """The mounted file systems as full as they are now: a remedy may have been at work since they were opened.

    Where that goes to memory, they are as full as when they were opened.
    """
    for item in patient.filesystems:
        if item.mount_point is None or item.fstype in _READ_ONLY or is_shared(item):
            continue
        usage = None if patient.written_to_memory else patient.tree.usage(item.mount_point, fstype=item.fstype)
        if usage is None:
            yield item
            continue
        yield dataclasses.replace(item, **dataclasses.asdict(usage))


def files_beneath(patient: Patient, top: str) -> list[tuple[str, int]]:
    """Regular files with the bytes that they take."""
    return [(path, found.st_blocks * 512) for path, found in patient.tree.walk(top) if stat.S_ISREG(found.st_mode)]


def largest(files: t.Iterable[tuple[str, int]], *, depth: int = 3, limit: int = MAX_EVIDENCE) -> list[tuple[str, int]]:
    """Where the space is: files that hold a lot each, and the directories (to a depth) of the rest."""
    sums: dict[str, int] = {}
    for path, size in files:
        parts = path.split("/")
        where = "/".join(parts[: depth + 1]) if len(parts) > depth + 1 else path
        sums[where] = sums.get(where, 0) + size
    return sorted(sums.items(), key=lambda item: (-item[1], item[0]))[:limit]


def shown_size(count: int) -> str:
    return f"{count / MIB:.0f} MiB" if count >= MIB else f"{count / 1024:.0f} KiB"
