# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the disk modules share: their options, the lock, and how they look at each other.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import typing as t

from .._errors import Busy, OpenRescueError
from .opening import WORK
from .syscalls import private_mounts

__all__ = ("disk_argument_spec", "exclusive", "mounted_now", "private_session", "remember_mounted")

_MOUNTED = os.path.join(WORK, "mounted.json")


def disk_argument_spec() -> dict[str, dict[str, t.Any]]:
    """Must be kept in sync with the doc fragment ``_patient``."""
    return {
        "devices": {"type": "list", "elements": "path", "default": []},
        "root": {"type": "path"},
        "timeout": {"type": "int", "default": 1800},
    }


@contextlib.contextmanager
def exclusive() -> t.Iterator[None]:
    """One at a time on one rescue system; whoever is killed gives the lock back by dying."""
    if os.geteuid() != 0:
        raise OpenRescueError(
            "only root can open foreign disks", code="not_root", hint="Run this task with 'become: true'"
        )
    os.makedirs(WORK, mode=0o700, exist_ok=True)
    with open(os.path.join(WORK, "lock"), "a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            lock.seek(0)
            raise Busy(
                f"another run works on the disks of this rescue system (process {lock.read(20).strip() or 'unknown'})",
                hint="Wait for it to end",
                retryable=True,
            ) from exc
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


@contextlib.contextmanager
def private_session() -> t.Iterator[None]:
    """For one module call that leaves nothing behind: alone, and with mounts of its own."""
    with exclusive():
        mounted = mounted_now()
        if mounted is not None:
            raise OpenRescueError(
                f"the patient is mounted at {mounted['path']}",
                code="patient_mounted",
                hint="Unmount it first, with openrescue.server.disk_mount and state 'unmounted'",
            )
        private_mounts()
        yield


def mounted_now() -> dict[str, t.Any] | None:
    """What openrescue.server.disk_mount has mounted, or has begun to."""
    if not os.path.exists(_MOUNTED):
        return None
    with open(_MOUNTED, encoding="utf-8") as file:
        found: dict[str, t.Any] = json.load(file)
    return found


def remember_mounted(values: t.Mapping[str, t.Any] | None) -> None:
    if values is None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(_MOUNTED)
        return
    with open(f"{_MOUNTED}.new", "w", encoding="utf-8") as file:
        json.dump(dict(values), file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(f"{_MOUNTED}.new", _MOUNTED)
