# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which process something is the work of, in one short text that names it for ever; and whether it still runs.

The text is ``scope/pid/started``: within its scope, one boot of one system and one namespace of processes, the two
numbers name one process, though another may get the same process ID later.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import pathlib
import socket

__all__ = ("identity", "is_running", "this_user")


def this_user() -> str:
    """For people: the user and the host of this process."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def identity(pid: int) -> str:
    """The process with that ID here, as a text. Where the system tells no starting times, that part is empty."""
    return f"{_scope()}/{pid}/{_started(pid) or ''}"


def is_running(process: str) -> bool | None:
    """Whether the process that a text names still runs; None where that cannot be seen from here."""
    scope, _slash, rest = process.partition("/")
    pid, _slash, started = rest.partition("/")
    if scope != _scope() or not pid.isdecimal() or not started:
        return None
    now = _started(int(pid))
    return None if now is None else now == started


def _started(pid: int) -> str | None:
    """When a process started, in the kernel's ticks; empty where there is none such, None where that is hidden."""
    try:
        # The command name may hold spaces and brackets: what follows the last bracket is fields 3 and on.
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
        state, started = fields.split()[0], fields.split()[19]
    except (OSError, IndexError):
        # /proc may hide the processes of other users (hidepid).
        return None if _is_there(pid) else ""
    return "" if state in "ZX" else started


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


def _scope() -> str:
    """This boot and this namespace of processes, or at least this host."""
    try:
        boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        whole = f"{boot}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        whole = socket.gethostname()
    return hashlib.sha256(whole.encode()).hexdigest()[:12]
