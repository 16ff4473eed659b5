# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rescue system as a host of its own: how it is reached, in final values."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible_collections.openrescue.server.plugins.action.rescue_host import SPEC, connection_variables, host_name
from ansible_collections.openrescue.server.plugins.modules import rescue_host as documented

SERVER: dict[str, t.Any] = {"name": "web1.example", "id": "4711", "rescue": {"since": "2026-11-24T10:00:00Z"}}


def reached(*, inventory: dict[str, t.Any] | None = None, **given: t.Any) -> dict[str, t.Any]:
    defaults = {name: about.get("default") for name, about in SPEC.items()}
    return connection_variables(
        {**defaults, "server": SERVER, "access": "ssh", **given}, {"inventory_hostname": "web1", **(inventory or {})}
    )


def test_the_options_are_those_that_are_documented() -> None:
    options = yaml.safe_load(documented.DOCUMENTATION)["options"]
    assert set(options) == set(SPEC)
    for name, about in options.items():
        assert (about.get("default"), about.get("choices"), about.get("required", False)) == (
            SPEC[name].get("default"), SPEC[name].get("choices"), SPEC[name].get("required", False)
        )  # fmt: skip


def test_the_name_is_nobody_elses() -> None:
    assert host_name("web1", {"web1"}) == "web1-rescue"
    assert host_name("web1", {"web1", "web1-rescue"}) == "web1-rescue-system"


def test_by_the_agent_nothing_of_the_inventory_counts() -> None:
    found = reached(access="agent", agent_uri="qemu:///x", inventory={"ansible_host": "10.0.0.1", "ansible_user": "me"})
    assert (found["ansible_connection"], found["ansible_host"]) == ("openrescue.server.guest_agent", "web1.example")
    assert found["ansible_libvirt_uri"] == "qemu:///x"
    assert "ansible_user" not in found
    assert reached(access="agent", inventory={"ansible_guest_agent_patience": 7})["ansible_guest_agent_patience"] == 7


def addresses(*items: tuple[str, str], **more: str) -> dict[str, t.Any]:
    reach = {"addresses": [{"address": address, "type": kind} for address, kind in items], **more}
    return {**SERVER, "rescue": {**SERVER["rescue"], "reach": reach}}


MANY = addresses(("10.0.0.5", "fixed"), ("192.0.2.5", "floating"))


@pytest.mark.parametrize(
    ("given", "inventory", "expected"),
    [
        ({}, {}, "web1"),
        ({}, {"ansible_host": "a"}, "a"),
        ({}, {"ansible_ssh_host": "old", "ansible_host": "new"}, "old"),
        ({"ssh_host": "r"}, {"ansible_ssh_host": "old"}, "r"),
        ({"server": MANY}, {}, "192.0.2.5"),
        ({"server": MANY}, {"ansible_host": "a"}, "a"),
        ({"server": addresses(("10.0.0.5", "fixed"))}, {}, "10.0.0.5"),
        ({"server": addresses(("10.0.0.5", "fixed"), access_ipv4="198.51.100.1")}, {}, "198.51.100.1"),
        ({"server": addresses(access_ipv6="2001:db8::1")}, {}, "2001:db8::1"),
        ({"server": {**SERVER, "rescue": None}}, {}, "web1"),
    ],
)
def test_the_address(given: dict[str, t.Any], inventory: dict[str, t.Any], expected: str) -> None:
    found = reached(inventory=inventory, **given)
    assert found["ansible_host"] == found["ansible_ssh_host"] == expected


def test_a_name_of_old_never_wins_over_what_is_said_of_the_rescue_system() -> None:
    old = {"ansible_ssh_user": "admin", "ansible_ssh_port": 2022, "ansible_ssh_private_key_file": "/servers-key"}
    found = reached(inventory=old, ssh_user="rescuer", ssh_port=2222)
    assert (found["ansible_ssh_user"], found["ansible_user"], found["ansible_become"]) == ("rescuer", "rescuer", True)
    assert (found["ansible_ssh_port"], found["ansible_port"]) == (2222, 2222)
    # Nova gives the rescue system the key pair of the server.
    assert found["ansible_private_key_file"] == found["ansible_ssh_private_key_file"] == "/servers-key"
    assert reached(inventory=old, ssh_key="/k")["ansible_private_key_file"] == "/k"
    assert reached()["ansible_become"] is False
    assert "ansible_private_key_file" not in reached()


def test_the_way_there_is_the_users_and_the_host_key_is_the_rescues() -> None:
    theirs = {
        "ansible_ssh_common_args": "-o ProxyJump=jump -o StrictHostKeyChecking=no",
        "ansible_ssh_extra_args": "-4",
        "ansible_ssh_executable": "/opt/ssh",
        "ansible_ssh_timeout": 90,
        "ansible_ssh_args": None,
    }
    found = reached(inventory=theirs)
    common = found["ansible_ssh_common_args"]
    assert common.endswith("-o ProxyJump=jump -o StrictHostKeyChecking=no")
    # Of each option ssh takes the first.
    assert common.index("accept-new") < common.index("StrictHostKeyChecking=no")
    assert "HostKeyAlias=4711.2026-11-24T10-00-00Z" in common
    assert (found["ansible_ssh_extra_args"], found["ansible_ssh_executable"]) == ("-4", "/opt/ssh")
    assert found["ansible_ssh_timeout"] == 90
    assert "ansible_ssh_args" not in found


def test_two_rescues_share_no_connection() -> None:
    again = {**SERVER, "rescue": {"since": "2026-11-24T11:00:00Z"}}
    paths = {reached()["ansible_control_path"], reached(server=again)["ansible_control_path"]}
    assert len(paths) == 2
    assert all(len(path) < 30 for path in paths)
