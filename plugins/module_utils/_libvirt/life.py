# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a running domain says of itself by its guest agent.

Nothing is run in the guest: many systems forbid that to the agent, but all answer a ping.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import time
import typing as t

from .._server.model import Life
from .._text import printable
from .connection import libvirt

try:
    import libvirt_qemu
except ImportError:
    libvirt_qemu = None

__all__ = ("ask_agent",)

#: seconds that the agent has for an answer
_PATIENCE = 5
#: Of two who ask at once, one is told that the agent is not connected.
_AGAIN = 1.0


def ask_agent(domain: t.Any) -> Life | None:
    """That the system is up, where its agent answers; None where it does not."""
    if libvirt_qemu is None:
        return None
    for pause in (_AGAIN, 0.0):
        try:
            _ask(domain, "guest-ping")
        except (libvirt.libvirtError, ValueError):
            time.sleep(pause)
        else:
            return Life("up", f"its guest agent answers{_system(domain)}", "agent")
    return None


def _system(domain: t.Any) -> str:
    try:
        told = _ask(domain, "guest-get-osinfo").get("return") or {}
        name = told.get("pretty-name") or told.get("name") or ""
    except (libvirt.libvirtError, ValueError, AttributeError):
        return ""
    return f", {printable(str(name), limit=80)}" if name else ""


def _ask(domain: t.Any, command: str) -> t.Any:
    return json.loads(libvirt_qemu.qemuAgentCommand(domain, json.dumps({"execute": command}), _PATIENCE, 0))
