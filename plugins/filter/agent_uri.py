# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The URI by which the controller reaches the libvirt of a hypervisor."""

from __future__ import annotations

DOCUMENTATION = r"""
name: agent_uri
short_description: The URI by which the controller reaches the libvirt of a hypervisor
version_added: 0.1.0
author:
  - The openrescue authors (@openrescue)
description:
  - The guest agent is spoken to from the controller, also where the hypervisor is another host of the inventory.
  - A URI that names a host is kept as it is. One that is local to the hypervisor is reached through SSH, with the
    address, user, port and private key by which Ansible reaches the hypervisor.
positional: name, variables
options:
  _input:
    description: The URI of libvirt as the hypervisor sees it, mostly V(qemu:///system).
    type: str
    required: true
  name:
    description: The name of the hypervisor in the inventory.
    type: str
    required: true
  variables:
    description:
      - The variables of the hypervisor, from C(hostvars). Without them it is reached by its name, as the default user.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Show how the controller reaches the domains of a hypervisor
  ansible.builtin.debug:
    msg: "{{ 'qemu:///system' | openrescue.server.agent_uri('hypervisor1', hostvars['hypervisor1']) }}"
"""

RETURN = r"""
_value:
  description: The URI as the controller has to use it.
  type: str
  sample: qemu+ssh://admin@[2001:db8::7]:2222/system?no_tty=1
"""

import os
import typing as t
import urllib.parse

__all__ = ("FilterModule", "agent_uri")

#: what a hypervisor that is the controller itself is called
_HERE = ("localhost", "127.0.0.1", "::1")
_LOCAL = ("local", "ansible.builtin.local")


def agent_uri(uri: str, name: str, variables: t.Mapping[str, t.Any] | None = None) -> str:
    """See above."""
    known = variables or {}
    parts = urllib.parse.urlsplit(uri)
    if name in _HERE or known.get("ansible_connection") in _LOCAL or parts.netloc:
        return uri
    host = str(_first(known, "ansible_ssh_host", "ansible_host") or name)
    user = _first(known, "ansible_ssh_user", "ansible_user")
    port = _first(known, "ansible_ssh_port", "ansible_port")
    key = _first(known, "ansible_private_key_file", "ansible_ssh_private_key_file")
    where = (
        (f"{urllib.parse.quote(str(user), safe='')}@" if user else "")
        + (f"[{host}]" if ":" in host else host)
        + (f":{port}" if port else "")
    )
    # Nobody is there to type a password.
    query = {"no_tty": "1", **({"keyfile": os.path.expanduser(str(key))} if key else {})}
    query.update(urllib.parse.parse_qsl(parts.query))
    driver = parts.scheme.split("+")[0]
    return f"{driver}+ssh://{where}{parts.path}?{urllib.parse.urlencode(query, safe='/')}"


def _first(variables: t.Mapping[str, t.Any], *names: str) -> t.Any:
    """The first of these that is set. The names of old win over the new ones, as they do in Ansible."""
    return next((value for name in names if (value := variables.get(name)) not in (None, "")), None)


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filter by its name."""
        return {"agent_uri": agent_uri}
