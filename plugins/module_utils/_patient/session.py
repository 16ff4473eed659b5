# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the disk modules share: their options, the lock, and how they look at each other.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import json
import os
import time
import typing as t

from .._errors import Busy, OpenRescueError
from .._text import printable
from .limit import Limit
from .opening import WORK
from .syscalls import private_mounts
from .tools import Tools

__all__ = (
    "NotRoot",
    "PatientMounted",
    "disk_argument_spec",
    "exclusive",
    "mounted_now",
    "private_session",
    "remember_mounted",
)

_MOUNTED = os.path.join(WORK, "mounted.json")
_LOCK = os.path.join(WORK, "lock")
_LOOKING = 0.5


class NotRoot(OpenRescueError):
    """Only root can open foreign disks."""

    code = "not_root"


class PatientMounted(OpenRescueError):
    """The patient's tree is open for others, who may work in it."""

    code = "patient_mounted"


def disk_argument_spec() -> dict[str, dict[str, t.Any]]:
    """Must be kept in sync with the doc fragment ``_patient``."""
    return {
        "devices": {"type": "list", "elements": "path", "default": []},
        "root": {"type": "path"},
        "luks_passphrases": {"type": "list", "elements": "str", "default": [], "no_log": True},
        "server_disks": {"type": "list", "elements": "dict", "default": []},
        "timeout": {"type": "int", "default": 1800},
        "lock_timeout": {"type": "int", "default": 0},
    }


@contextlib.contextmanager
def exclusive(params: t.Mapping[str, t.Any], *, action: str) -> t.Iterator[Tools]:
    """One at a time on one rescue system; whoever is killed gives the lock back by dying.

    :param params: the module's, of which ``timeout`` and ``lock_timeout`` count from here on.
    :param action: what the lock is taken for, which others are told while they wait.
    :returns: the tools for this call, bounded by its time and by who asks it to stop.
    """
    if os.geteuid() != 0:
        raise NotRoot("only root can open foreign disks", hint="Run this task with 'become: true'")
    limit = Limit(seconds=params["timeout"])
    limit.heed_signals()
    os.makedirs(WORK, mode=0o700, exist_ok=True)
    with open(_LOCK, "a+", encoding="utf-8") as lock:
        _take(lock, limit, patience=params["lock_timeout"])
        _say(lock, {"pid": os.getpid(), "action": action, "since": time.time()})
        yield Tools(limit=limit)
        _say(lock, {})


@contextlib.contextmanager
def private_session(params: t.Mapping[str, t.Any], *, action: str) -> t.Iterator[Tools]:
    """For one module call that leaves nothing behind: alone, and with mounts of its own."""
    with contextlib.ExitStack() as stack:
        tools = stack.enter_context(exclusive(params, action=action))
        mounted = mounted_now()
        if mounted is not None:
            raise PatientMounted(
                f"the patient is mounted at {mounted['path']}",
                hint="Unmount it first, with openrescue.server.disk_mount and state 'unmounted'",
            )
        private_mounts()
        yield tools


def _take(lock: t.TextIO, limit: Limit, *, patience: float) -> None:
    end = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            left = min(end - time.monotonic(), limit.left)
            if left <= 0 or limit.over:
                raise _busy(lock) from None
            time.sleep(min(left, _LOOKING))
        else:
            return


def _say(lock: t.TextIO, values: t.Mapping[str, t.Any]) -> None:
    lock.seek(0)
    lock.truncate()
    lock.write(json.dumps(dict(values)))
    lock.flush()


def _busy(lock: t.TextIO) -> Busy:
    """Who works on the disks, since when and doing what, as it wrote down itself."""
    lock.seek(0)
    try:
        said = dict(json.loads(lock.read(4096)))
        began = float(said["since"])
        since = datetime.datetime.fromtimestamp(began, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        spent = max(0, round(time.time() - began))
        who = f"{printable(str(said['action']))}, process {int(said['pid'])}, since {since} ({spent} s ago)"
    except (ValueError, KeyError, TypeError, OverflowError):
        who = "it has not said what it does"
    return Busy(
        f"another run works on the disks of this rescue system: {who}",
        hint="Wait for it to end, or let this run wait with 'lock_timeout'",
        retryable=True,
    )


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
