# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""community.libvirt.libvirt_qemu, with patience for a guest that is busy."""

from __future__ import annotations

DOCUMENTATION = r"""
name: guest_agent
short_description: Run tasks on a rescue system through its guest agent
version_added: 0.1.0
description:
  - Works as P(community.libvirt.libvirt_qemu#connection) does, and on top of it.
  - Where that gives a task up as soon as the agent has not answered for 5 seconds, this one waits until the agent
    answers a ping. A rescue system that rebuilds an initramfs or checks a large file system can be silent for longer.
  - A command that the agent may have taken is never sent twice.
  - Where the agent stays silent, or the server is gone, the host is unreachable, as with other connections.
author:
  - The openrescue authors (@openrescue)
requirements:
  - libvirt-python
options:
  remote_addr:
    description:
      - The name of the domain. M(openrescue.server.rescue_host) sets this and O(virt_uri).
    type: str
    default: inventory_hostname
    vars:
      - name: ansible_host
      - name: inventory_hostname
  executable:
    description:
      - The shell of the system that runs there.
    type: str
    default: /bin/sh
    vars:
      - name: ansible_shell_type
  virt_uri:
    description:
      - The connection URI of libvirt, as seen from the controller.
    type: str
    default: qemu:///system
    vars:
      - name: ansible_libvirt_uri
  patience:
    description:
      - For how many seconds a silent agent is waited for. Raise it where the hypervisor is slow or overloaded.
    type: int
    default: 120
    vars:
      - name: ansible_guest_agent_patience
"""

import json
import time
import typing as t

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.connection import ConnectionBase

try:
    from ansible_collections.community.libvirt.plugins.connection import libvirt_qemu
except ImportError as exc:
    libvirt_qemu = None
    IMPORT_ERROR: ImportError | None = exc
    _Base: t.Any = ConnectionBase
else:
    IMPORT_ERROR = None
    _Base = libvirt_qemu.Connection

__all__ = ("Connection", "PatientAgent", "runs_no_commands")

#: what may be asked again where the answer was lost: it changes nothing, neither there nor in the agent
_MAY_BE_REPEATED = frozenset(("guest-ping", "guest-info", "guest-exec-status"))
_PING = json.dumps({"execute": "guest-ping"})
#: how long libvirt waits for the answer to one question
_ANSWER = 5
_PAUSE = 1.0


class PatientAgent:
    """What the plugin below takes for the module ``libvirt_qemu`` of libvirt-python.

    An agent that does not answer in time may have taken the command all the same. So a command that does something is
    sent once, when the agent has just answered a ping, and then its answer is waited for.
    """

    def __init__(self, module: t.Any, *, errors: t.Any, patience: float, pause: float = _PAUSE) -> None:
        self._module = module
        self._errors = errors
        self._patience = patience
        self._pause = pause

    def qemuAgentCommand(self, domain: t.Any, command: str, timeout: int, flags: int) -> str:  # noqa: N802, ARG002
        """The agent's answer to a command of the base plugin, whose own time limit is a constant."""
        name = json.loads(command)["execute"]
        if name in _MAY_BE_REPEATED:
            return self._until_answered(domain, command, flags)
        self._until_answered(domain, _PING, flags)
        try:
            return str(self._module.qemuAgentCommand(domain, command, max(_ANSWER, int(self._patience)), flags))
        except self._errors.libvirtError as exc:
            why = "and may be doing it all the same, so it is not sent again"
            raise AnsibleConnectionFailure(f"the guest agent did not answer {name} {why}: {exc}") from exc

    def _until_answered(self, domain: t.Any, command: str, flags: int) -> str:
        end = time.monotonic() + self._patience
        silent = {self._errors.VIR_ERR_AGENT_UNRESPONSIVE, self._errors.VIR_ERR_AGENT_UNSYNCED}
        while True:
            try:
                return str(self._module.qemuAgentCommand(domain, command, _ANSWER, flags))
            except self._errors.libvirtError as exc:
                if exc.get_error_code() not in silent or time.monotonic() > end:
                    raise AnsibleConnectionFailure(str(exc)) from exc
            time.sleep(self._pause)


def runs_no_commands(capabilities: t.Sequence[t.Mapping[str, t.Any]] | None) -> bool:
    """Whether the agent has told what it can do, and running commands is not enabled there."""
    enabled = {item.get("name") for item in capabilities or () if item.get("enabled")}
    return bool(capabilities) and "guest-exec" not in enabled


class Connection(_Base):
    """See above."""

    transport = "openrescue.server.guest_agent"

    def __init__(self, *args: t.Any, **kwargs: t.Any) -> None:
        if IMPORT_ERROR is not None:
            raise AnsibleError("the collection community.libvirt is not installed") from IMPORT_ERROR
        super().__init__(*args, **kwargs)

    def _connect(self) -> t.Any:
        agent = libvirt_qemu.libvirt_qemu
        if not isinstance(agent, PatientAgent):
            # The plugin knows no other way to be told: its own timeout is a constant.
            libvirt_qemu.libvirt_qemu = PatientAgent(
                agent, errors=libvirt_qemu.libvirt, patience=self.get_option("patience")
            )
        try:
            return super()._connect()
        except AnsibleConnectionFailure as exc:
            if runs_no_commands(getattr(self, "capabilities", None)):
                raise AnsibleConnectionFailure("the guest agent runs no commands: guest-exec is not enabled") from exc
            raise

    def reset(self) -> None:
        """Ask anew at the next task. Without this Ansible warns after each wait for a connection."""
        self.close()
