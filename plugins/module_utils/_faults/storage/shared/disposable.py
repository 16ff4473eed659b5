# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that the operating system itself throws away or can fetch again: the only ones that a remedy ever removes.

Package caches, and /tmp where it is emptied at boot; never logs, and never what a user has made.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from ...._patient.tree.fstab import fstab_lines
from ...._patient.write.errors import NoRoom
from .space import available, files_beneath

if t.TYPE_CHECKING:
    from ...._patient.patient import Filesystem, Patient
    from ...._patient.write.change import Change

__all__ = ("CACHES", "disposable_files", "emptied_at_boot", "make_room")

MAX_FILES = 5000
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


def disposable_files(patient: Patient, item: Filesystem) -> list[tuple[str, int]]:
    """What may go, of this file system only."""
    found = [
        (path, size) for top, pattern in CACHES for path, size in files_beneath(patient, top) if pattern.match(path)
    ]
    if _tmp_is_emptied(patient):
        found += files_beneath(patient, TMP)
    mine = [(path, size) for path, size in found if size and _lies_on(patient, path, item)]
    return sorted(mine, key=lambda one: -one[1])[:MAX_FILES]


def make_room(patient: Patient, item: Filesystem, change: Change) -> None:
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


def emptied_at_boot(tmpfiles: str | None) -> bool:
    """Whether a configuration of systemd-tmpfiles empties /tmp at each boot (type D)."""
    return any(re.match(r"^D[!+=^~$-]*\s+/tmp(?:\s|$)", line) for line in (tmpfiles or "").splitlines())
