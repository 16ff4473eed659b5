# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the patient's configuration names a path: what is named there is used, and misses what lies in it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import stat
import typing as t

from ...._errors import OpenRescueError

if t.TYPE_CHECKING:
    from ...._patient.patient import Patient

__all__ = ("is_mentioned",)

#: where services, jobs and containers are told their paths
_FOLDERS = (
    "/etc",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/usr/local/etc",
    "/usr/local/lib/systemd",
    "/var/spool/cron",
    "/var/lib/docker/containers",
    "/var/lib/libvirt",
    "/opt",
    "/root",
)
#: what names a mount point without using what lies there
_NOT_USERS = re.compile(r"^/etc/(?:fstab.*|mtab|updatedb\.conf|.*[~-])$|\.log$")
_MAX_ENTRIES = 10_000
_MAX_FILES = 4_000
_LARGEST = 64 * 1024


def is_mentioned(patient: Patient, path: str) -> bool:
    """Whether something names this path, or there is too much to look at."""
    texts = patient.once("configuration-texts", lambda: _read(patient))
    if texts is None:
        return True
    wanted = re.compile(rb"(?<![\w.-])" + re.escape(path.encode("utf-8", "surrogateescape")) + rb"(?![\w-])")
    return any(wanted.search(text) for text in texts)


def _read(patient: Patient) -> list[bytes] | None:
    """The beginning of each file, or None if there are too many."""
    texts: list[bytes] = []
    for folder in _FOLDERS:
        for seen, (path, found) in enumerate(patient.tree.walk(folder, limit=_MAX_ENTRIES), 1):
            if seen >= _MAX_ENTRIES or len(texts) >= _MAX_FILES:
                return None
            if stat.S_ISREG(found.st_mode) and found.st_size and not _NOT_USERS.search(path):
                texts.append(_beginning(patient, path))
    return texts


def _beginning(patient: Patient, path: str) -> bytes:
    try:
        file = patient.tree.open(path)
        if file is None:
            return b""
        with file:
            return file.read(_LARGEST)
    except (OSError, OpenRescueError):
        return b""
