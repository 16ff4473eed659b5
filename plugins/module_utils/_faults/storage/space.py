# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""File systems that are full, by bytes or by inodes.

Only what the operating system itself would throw away or can fetch again is ever removed: package caches,
and /tmp where it is emptied at boot. User data and logs are shown, never touched.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import re
import stat
import typing as t

from ..._patient.write.errors import NoRoom
from ..._text import printable
from ..model import Evidence, Fault, Finding, Severity, Signature

if t.TYPE_CHECKING:
    from ..._patient.patient import Filesystem, Patient
    from ..._patient.write.change import Change

__all__ = ("SPACE_FULL", "SPACE_INODES", "fullness", "judge_bytes", "judge_inodes", "largest")

MIB = 1024 * 1024
#: with less than this, daemons and package scripts fail although the percentage looks well
LITTLE = 4 * MIB
MAX_EVIDENCE = 8
MAX_MOVED = 5000

#: what a server cannot run without room on
NEEDED = ("/", "/var", "/var/log", "/var/lib", "/var/tmp", "/tmp", "/boot")  # noqa: S108

# Files that a package manager fetches again when it needs them.
CACHES = (
    re.compile(r"^/var/cache/apt/archives/(?:partial/)?[^/]+\.deb$"),
    re.compile(r"^/var/cache/apt/archives/partial/[^/]+$"),
    re.compile(r"^/var/cache/(?:dnf|yum|libdnf5|PackageKit)/.+\.(?:d?rpm|solv|solvx|xml|xml\.(?:gz|xz|zck|zst|bz2))$"),
    re.compile(r"^/var/cache/zypp/packages/.+\.d?rpm$"),
    re.compile(r"^/var/cache/pacman/pkg/[^/]+\.pkg\.tar(?:\.\w+)?$"),
)
CACHE_ROOTS = (
    "/var/cache/apt/archives",
    "/var/cache/dnf",
    "/var/cache/yum",
    "/var/cache/libdnf5",
    "/var/cache/PackageKit",
    "/var/cache/zypp/packages",
    "/var/cache/pacman/pkg",
)


def fullness(*, total: int, free: int) -> float:
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
    elif free < max(LITTLE, total // 1000):
        return "critical"
    usable = total - (free - available)
    if fullness(total=total, free=free) >= 99 or available < LITTLE:
        return "error"
    return "info" if fullness(total=usable, free=available) >= 90 else None


def judge_inodes(mount_point: str, *, total: int, free: int) -> Severity | None:
    """File systems that make inodes as they need them report none, or as many as fit."""
    if mount_point not in NEEDED or total <= 0:
        return None
    if free < 100:
        return "critical" if mount_point != "/boot" else "error"
    used = fullness(total=total, free=free)
    return "error" if used >= 99 else "info" if used >= 90 else None


def largest(files: t.Iterable[tuple[str, int]], *, depth: int = 3, limit: int = MAX_EVIDENCE) -> list[tuple[str, int]]:
    """Where the space is: files that hold a lot each, and the directories (to a depth) of the rest."""
    sums: dict[str, int] = {}
    for path, size in files:
        parts = path.split("/")
        where = "/".join(parts[: depth + 1]) if len(parts) > depth + 1 else path
        sums[where] = sums.get(where, 0) + size
    return sorted(sums.items(), key=lambda item: (-item[1], item[0]))[:limit]


def emptied_at_boot(tmpfiles: str | None) -> bool:
    """Whether a configuration of systemd-tmpfiles empties /tmp at each boot (type D)."""
    return any(re.match(r"^D[!+=^~$-]*\s+/tmp(?:\s|$)", line) for line in (tmpfiles or "").splitlines())


def _files(patient: Patient, top: str) -> list[tuple[str, int]]:
    return [(path, found.st_blocks * 512) for path, found in patient.tree.walk(top) if stat.S_ISREG(found.st_mode)]


def _disposable(patient: Patient, item: Filesystem) -> list[tuple[str, int]]:
    """What may go, of this file system only."""
    found = [
        (path, size)
        for top in CACHE_ROOTS
        for path, size in _files(patient, top)
        if any(pattern.match(path) for pattern in CACHES)
    ]
    if _tmp_is_emptied(patient):
        found += _files(patient, "/tmp")  # noqa: S108
    mine = [(path, size) for path, size in found if size and _lies_on(patient, path, item)]
    return sorted(mine, key=lambda one: -one[1])[:MAX_MOVED]


def _lies_on(patient: Patient, path: str, item: Filesystem) -> bool:
    under = patient.covering(path)
    return under is not None and under.device == item.device


def _tmp_is_emptied(patient: Patient) -> bool:
    for path in ("/etc/tmpfiles.d/tmp.conf", "/usr/lib/tmpfiles.d/tmp.conf"):
        if patient.tree.exists(path):
            return emptied_at_boot(patient.tree.read_text(path))
    return False


def _size(count: int) -> str:
    return f"{count / MIB:.0f} MiB" if count >= MIB else f"{count / 1024:.0f} KiB"


def _mounted(patient: Patient) -> t.Iterator[Filesystem]:
    """The mounted file systems as full as they are now: a remedy may have been at work since they were opened.

    Where that goes to memory, they are as full as when they were opened.
    """
    for item in patient.filesystems:
        if item.mount_point is None:
            continue
        usage = None if patient.written_to_memory else patient.tree.usage(item.mount_point)
        if usage is None:
            yield item
            continue
        yield dataclasses.replace(
            item,
            total_bytes=usage.f_blocks * usage.f_frsize,
            free_bytes=usage.f_bfree * usage.f_frsize,
            available_bytes=usage.f_bavail * usage.f_frsize,
            total_inodes=usage.f_files,
            free_inodes=usage.f_ffree,
        )


def _detect_full(patient: Patient) -> t.Iterator[Finding]:
    for item in _mounted(patient):
        if item.total_bytes is None or item.free_bytes is None:
            continue
        available = item.available_bytes if item.available_bytes is not None else item.free_bytes
        severity = judge_bytes(
            item.mount_point or "", total=item.total_bytes, free=item.free_bytes, available=available
        )
        if severity is not None:
            yield _finding_full(patient, item, severity)


def _finding_full(patient: Patient, item: Filesystem, severity: Severity) -> Finding:
    where, free = item.mount_point or "/", item.free_bytes or 0
    spare = _disposable(patient, item) if severity != "info" else []
    shown = spare or (_files(patient, where) if severity != "info" else [])
    gain = sum(size for _path, size in spare)
    return Finding(
        fault="space-full",
        severity=severity,
        summary=f"{where} on {item.device} has {_size(free)} of {_size(item.total_bytes or 0)} left",
        evidence=(
            # What is only nearly full after a remedy is not the same finding.
            Evidence(path=where, text="nearly full" if severity == "info" else "full", device=item.device),
            *(Evidence(path=printable(path), text=_size(size), device=item.device) for path, size in largest(shown)),
        ),
        remedy=f"remove {_size(gain)} of package caches and temporary files" if gain >= MIB else None,
        remedy_safe=gain >= MIB,
    )


def _repair_full(patient: Patient, finding: Finding, change: Change) -> None:
    for item in _mounted(patient):
        if item.device == finding.evidence[0].device:
            _make_room(patient, item, change)
    change.untried = patient.written_to_memory


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
    detect=_detect_full,
    repair=_repair_full,
    safe=True,
    judged_last=True,
)


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


def _detect_inodes(patient: Patient) -> t.Iterator[Finding]:
    for item in _mounted(patient):
        if not item.total_inodes or item.free_inodes is None:
            continue
        severity = judge_inodes(item.mount_point or "", total=item.total_inodes, free=item.free_inodes)
        if severity is None:
            continue
        yield Finding(
            fault="space-inodes",
            severity=severity,
            summary=f"{item.mount_point} on {item.device} has {item.free_inodes} inodes left",
            evidence=(
                Evidence(path=item.mount_point, device=item.device),
                *(_evidence_inodes(patient, item) if severity != "info" else ()),
            ),
        )


def _evidence_inodes(patient: Patient, item: Filesystem) -> tuple[Evidence, ...]:
    """The directories with the most entries."""
    entries = ((path, 1) for path, _entry in patient.tree.walk(item.mount_point or "/"))
    return tuple(
        Evidence(path=printable(path), text=f"{count} entries", device=item.device)
        for path, count in largest(entries, depth=4)
    )


SPACE_INODES = Fault(
    id="space-inodes",
    title="A file system that the server needs room on has no inodes left",
    detect=_detect_inodes,
)
