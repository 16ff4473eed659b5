# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""File systems that are full.

Only what the operating system itself would throw away or can fetch again is ever removed: package caches,
and /tmp where it is emptied at boot. User data and logs are shown, never touched.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from ..._patient.tree.fstab import fstab_lines
from ..._patient.write.errors import NoRoom
from ..._text import printable
from ..model import Evidence, Fault, Finding, Severity, Signature
from .shared.room import MIB, NEEDED, files_beneath, fullness, largest, mounted, size_of

if t.TYPE_CHECKING:
    from ..._patient.patient import Filesystem, Patient
    from ..._patient.write.change import Change

__all__ = ("CACHES", "SPACE_FULL", "emptied_at_boot", "judge_bytes")

#: with less than this, daemons and package scripts fail although the percentage looks well
LITTLE = 4 * MIB
#: with more than this, a server goes on for a while whatever the percentage is
PLENTY = 512 * MIB
MAX_MOVED = 5000
TMP = "/tmp"  # noqa: S108

# Files that a package manager fetches again when it needs them, and where they lie.
CACHES = (
    ("/var/cache/apt/archives", re.compile(r"^/var/cache/apt/archives/(?:(?:partial/)?[^/]+\.deb|partial/[^/]+)$")),
    *(
        (
            f"/var/cache/{name}",
            re.compile(rf"^/var/cache/{name}/.+\.(?:d?rpm|solv|solvx|xml|xml\.(?:gz|xz|zck|zst|bz2))$"),
        )
        for name in ("dnf", "yum", "libdnf5", "PackageKit")
    ),
    ("/var/cache/zypp/packages", re.compile(r"^/var/cache/zypp/packages/.+\.d?rpm$")),
    ("/var/cache/pacman/pkg", re.compile(r"^/var/cache/pacman/pkg/[^/]+\.pkg\.tar(?:\.\w+)?$")),
)
_TMPFILES = ("/etc/tmpfiles.d/tmp.conf", "/usr/lib/tmpfiles.d/tmp.conf")
_TMP_UNITS = (
    "/etc/systemd/system/local-fs.target.wants/tmp.mount",
    "/usr/lib/systemd/system/local-fs.target.wants/tmp.mount",
)


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
    if available < LITTLE or (fullness(total=total, free=free) >= 99 and free < PLENTY):
        return "error"
    return "info" if fullness(total=usable, free=available) >= 90 else None


def emptied_at_boot(tmpfiles: str | None) -> bool:
    """Whether a configuration of systemd-tmpfiles empties /tmp at each boot (type D)."""
    return any(re.match(r"^D[!+=^~$-]*\s+/tmp(?:\s|$)", line) for line in (tmpfiles or "").splitlines())


def _detect(patient: Patient) -> t.Iterator[Finding]:
    for item in mounted(patient):
        if item.total_bytes is None or item.free_bytes is None:
            continue
        available = item.available_bytes if item.available_bytes is not None else item.free_bytes
        severity = judge_bytes(
            item.mount_point or "", total=item.total_bytes, free=item.free_bytes, available=available
        )
        if severity is not None:
            yield _finding(patient, item, severity)


def _finding(patient: Patient, item: Filesystem, severity: Severity) -> Finding:
    where, free = item.mount_point or "/", item.free_bytes or 0
    spare = _disposable(patient, item) if severity != "info" else []
    shown = spare or (files_beneath(patient, where) if severity != "info" else [])
    gain = sum(size for _path, size in spare)
    return Finding(
        fault="space-full",
        severity=severity,
        summary=f"{where} on {item.device} has {size_of(free)} of {size_of(item.total_bytes or 0)} left",
        evidence=(
            # What is only nearly full after a remedy is not the same finding.
            Evidence(path=where, text="nearly full" if severity == "info" else "full", device=item.device),
            *(Evidence(path=printable(path), text=size_of(size), device=item.device) for path, size in largest(shown)),
        ),
        remedy=f"remove {size_of(gain)} of package caches and temporary files" if gain >= MIB else None,
        remedy_safe=gain >= MIB,
    )


def _disposable(patient: Patient, item: Filesystem) -> list[tuple[str, int]]:
    """What may go, of this file system only."""
    found = [
        (path, size) for top, pattern in CACHES for path, size in files_beneath(patient, top) if pattern.match(path)
    ]
    if _tmp_is_emptied(patient):
        found += files_beneath(patient, TMP)
    mine = [(path, size) for path, size in found if size and _lies_on(patient, path, item)]
    return sorted(mine, key=lambda one: -one[1])[:MAX_MOVED]


def _lies_on(patient: Patient, path: str, item: Filesystem) -> bool:
    under = patient.covering(path)
    return under is not None and under.device == item.device


def _tmp_is_emptied(patient: Patient) -> bool:
    """Not where /tmp is in memory at run time: then what lies beneath it is not what is emptied."""
    if any(entry.is_mount and entry.place == TMP for entry in fstab_lines(patient)):
        return False
    if any(patient.tree.lstat(path) for path in _TMP_UNITS):
        return False
    for path in _TMPFILES:
        if patient.tree.exists(path):
            return emptied_at_boot(patient.tree.read_text(path))
    return False


def _repair(patient: Patient, finding: Finding, change: Change) -> None:
    for item in mounted(patient):
        if item.device == finding.evidence[0].device:
            _make_room(patient, item, change)
    change.untried = patient.written_to_memory


def _make_room(patient: Patient, item: Filesystem, change: Change) -> None:
    """Move out the largest first, until a fifth is free; what the undo bundle has no room for stays."""
    wanted = (item.total_bytes or 0) // 5 - (item.free_bytes or 0)
    moved, refused = 0, None
    for path, size in _disposable(patient, item):
        if moved >= wanted:
            break
        try:
            change.move_out(path)
        except NoRoom as exc:
            refused = exc
        else:
            moved += size
    if refused is not None and not moved:
        raise refused


SPACE_FULL = Fault(
    id="space-full",
    title="A file system that the server needs room on is full",
    signatures=(
        Signature(
            re.compile(r"(?i)no space left on device"),
            "a file system is full",
            severity="error",
            survives_boot=True,
        ),
    ),
    detect=_detect,
    repair=_repair,
    safe=True,
    judged_last=True,
)
