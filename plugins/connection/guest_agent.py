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
  - Where that gives a task up as soon as the agent has not answered for 5 seconds, this one asks again. A rescue
    system that rebuilds an initramfs or checks a large file system can be silent for longer.
  - Where the agent stays silent, or the server is gone, the host is unreachable, as with other connections.
author:
  - The openrescue authors (@openrescue)
requirements:
  - libvirt-python
options:
  remote_addr:
    description:
      - The name of the domain.
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
      - The connection URI of libvirt.
    type: str
    default: qemu:///system
    vars:
      - name: ansible_libvirt_uri
  patience:
    description:
      - For how many seconds a silent agent is asked again.
    type: int
    default: 120
    vars:
      - name: ansible_guest_agent_patience
"""

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

__all__ = ("Connection",)

#: libvirt says so when the agent has not even taken the greeting: the command behind it was not sent
_NOT_SENT = "not available for now"
_PAUSE = 1.0


class _PatientAgent:
    """What the plugin below takes for the module ``libvirt_qemu`` of libvirt-python."""

    def __init__(self, module: t.Any, *, patience: float) -> None:
        self._module = module
        self._patience = patience

    def qemuAgentCommand(self, domain: t.Any, command: str, timeout: int, flags: int) -> str:  # noqa: N802
        """The agent's answer; a command that was not sent is sent again, any other never."""
        end = time.monotonic() + self._patience
        while True:
            try:
                return str(self._module.qemuAgentCommand(domain, command, timeout, flags))
            except libvirt_qemu.libvirt.libvirtError as exc:
                if _NOT_SENT not in str(exc) or time.monotonic() > end:
                    raise AnsibleConnectionFailure(str(exc)) from exc
            time.sleep(_PAUSE)


class Connection(_Base):
    """See above."""

    transport = "openrescue.server.guest_agent"

    def __init__(self, *args: t.Any, **kwargs: t.Any) -> None:
        if IMPORT_ERROR is not None:
            raise AnsibleError("the collection community.libvirt is not installed") from IMPORT_ERROR
        super().__init__(*args, **kwargs)

    def _connect(self) -> t.Any:
        agent = libvirt_qemu.libvirt_qemu
        if not isinstance(agent, _PatientAgent):
            # The plugin knows no other way to be told: its own timeout is a constant.
            libvirt_qemu.libvirt_qemu = _PatientAgent(agent, patience=self.get_option("patience"))
        return super()._connect()
