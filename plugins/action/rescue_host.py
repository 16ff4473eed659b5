# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make the rescue system of a server a host of its own; documented as the module of this name."""

from __future__ import annotations

import hashlib
import re
import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.unsafe_proxy import wrap_var

__all__ = ("ActionModule", "connection_variables", "host_name")

GROUP = "openrescue_rescue_systems"
#: how the server is reached that holds for its rescue system as well: jump hosts, another ssh, a slow network
INHERITED = ("ansible_ssh_args", "ansible_ssh_extra_args", "ansible_ssh_executable", "ansible_ssh_timeout")
ADDRESS = ("ansible_ssh_host", "ansible_host")
KEY = ("ansible_private_key_file", "ansible_ssh_private_key_file")
#: what a person needs to know to get there
WAY = ("ansible_connection", "ansible_host", "ansible_port", "ansible_user", "ansible_libvirt_uri")

SPEC: dict[str, t.Any] = {
    "server": {"type": "dict", "required": True},
    "access": {"choices": ["agent", "ssh"], "required": True},
    "agent_uri": {"default": "qemu:///system"},
    "ssh_user": {"default": "root"},
    "ssh_host": {},
    "ssh_port": {"type": "int", "default": 22},
    "ssh_key": {"type": "path"},
}


def host_name(name: str, taken: t.Container[str]) -> str:
    """A name for the rescue system of this host that no other host has."""
    found = f"{name}-rescue"
    while found in taken:
        found += "-system"
    return found


def connection_variables(given: t.Mapping[str, t.Any], inventory: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """How the rescue system is reached, by the module's parameters and the inventory's variables of the server."""
    reached = _by_agent(given, inventory) if given["access"] == "agent" else _by_ssh(given, inventory)
    return {
        **reached,
        "ansible_become_method": "ansible.builtin.sudo",
        "ansible_become_user": "root",
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_shell_type": "sh",
        # /tmp may be emptied while the rescue system still boots.
        "ansible_remote_tmp": "/var/tmp/.ansible",  # noqa: S108
    }


def _by_agent(given: t.Mapping[str, t.Any], inventory: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    patience = inventory.get("ansible_guest_agent_patience")
    return {
        "ansible_connection": "openrescue.server.guest_agent",
        "ansible_host": given["server"]["name"],
        "ansible_libvirt_uri": given["agent_uri"],
        "ansible_become": False,
        "ansible_pipelining": False,
        **({"ansible_guest_agent_patience": patience} if patience is not None else {}),
    }


def _by_ssh(given: t.Mapping[str, t.Any], inventory: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    user = given["ssh_user"]
    address = given["ssh_host"] or _first(inventory, ADDRESS) or _address(given["server"]) or ""
    key = given["ssh_key"] or _first(inventory, KEY)
    alias = _host_key_alias(given["server"])
    options = (
        "UserKnownHostsFile=~/.ssh/known_hosts.openrescue",
        f"HostKeyAlias={alias}",
        "StrictHostKeyChecking=accept-new",
    )
    theirs = inventory.get("ansible_ssh_common_args")
    # Of each option ssh takes the first.
    common = " ".join([*(f"-o {option}" for option in options), *([str(theirs)] if theirs else [])])
    # The path of a socket may be 108 characters long, and a home directory takes its share.
    socket = hashlib.sha256(f"{alias}{user}{address}{given['ssh_port']}".encode()).hexdigest()[:10]
    named = {
        # The names of old win over the new ones, and a group of the inventory may set them for all hosts.
        **dict.fromkeys(ADDRESS, address or inventory["inventory_hostname"]),
        **dict.fromkeys(("ansible_ssh_user", "ansible_user"), user),
        **dict.fromkeys(("ansible_ssh_port", "ansible_port"), given["ssh_port"]),
        **(dict.fromkeys(KEY, key) if key else {}),
    }
    return {
        **{name: inventory[name] for name in INHERITED if inventory.get(name) is not None},
        **named,
        "ansible_connection": "ansible.builtin.ssh",
        "ansible_ssh_common_args": common,
        "ansible_ssh_retries": 3,
        "ansible_control_path": f"%(directory)s/{socket}",
        "ansible_pipelining": True,
        "ansible_become": user != "root",
    }


def _host_key_alias(server: t.Mapping[str, t.Any]) -> str:
    """Each rescue has a host key of its own: trusted when first seen, and held for as long as the rescue lasts."""
    since = (server.get("rescue") or {}).get("since") or "rescue"
    return re.sub(r"[^0-9A-Za-z.-]", "-", f"{server['id']}.{since}")


def _address(server: t.Mapping[str, t.Any]) -> str | None:
    """The address that the provider names: the one that is meant to be used, a floating one, or any."""
    reach = (server.get("rescue") or {}).get("reach") or {}
    addresses = reach.get("addresses") or []
    floating = [item["address"] for item in addresses if item.get("type") == "floating"]
    others = [item["address"] for item in addresses]
    return next(
        (found for found in (reach.get("access_ipv4"), *floating, *others, reach.get("access_ipv6")) if found), None
    )


def _first(variables: t.Mapping[str, t.Any], names: t.Sequence[str]) -> t.Any:
    return next((variables[name] for name in names if variables.get(name)), None)


class ActionModule(ActionBase):
    """See above."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: t.Any = None, task_vars: t.Any = None) -> dict[str, t.Any]:
        """The new host, as Ansible takes it from any action."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _validated, given = self.validate_argument_spec(argument_spec=SPEC)
        wanted = {"ansible_ssh_common_args", "ansible_guest_agent_patience", "inventory_hostname"}
        wanted |= {*INHERITED, *ADDRESS, *KEY}
        inventory = {name: self._templar.template(task_vars[name]) for name in wanted if name in task_vars}
        # A host of the user's own may be called so: its variables are not ours to change.
        taken = set(task_vars["groups"]["all"]) - set(task_vars["groups"].get(GROUP, []))
        name = host_name(inventory["inventory_hostname"], taken)
        variables = connection_variables(given, inventory)
        way = {key: variables[key] for key in WAY if key in variables}
        return {**result, **self._add(name, variables, task_vars), "changed": False, "rescue_host": name, "way": way}

    def _add(self, name: str, variables: t.Mapping[str, t.Any], task_vars: t.Any) -> dict[str, t.Any]:
        """What add_host does: it alone knows how, which ansible-core 2.21 has changed."""
        task = self._task.copy()
        # What the provider tells is text, and never a template.
        task.args = {"name": name, "groups": [GROUP], **{key: wrap_var(value) for key, value in variables.items()}}
        action = self._shared_loader_obj.action_loader.get(
            "ansible.builtin.add_host",
            task=task,
            connection=self._connection,
            play_context=self._play_context,
            loader=self._loader,
            templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )
        done: dict[str, t.Any] = action.run(task_vars=task_vars)
        return done
