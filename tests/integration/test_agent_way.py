# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""The way to the guest agent of a hypervisor that is reached by SSH: it is tried before a server is stopped."""

from __future__ import annotations

import pathlib
import sys
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.filter.agent_uri import agent_uri
from openrescue_lab.base import run, state_dir
from openrescue_lab.disk import silent
from openrescue_lab.domain import Domain
from openrescue_lab.ssh_server import SshServer, ssh_server
from stand_ins import Scenario, play
from test_recover_decisions import answer, asked, failed, scenario, server

from playbooks import Play

HYPERVISOR = {
    "ansible_host": "2001:db8::7",
    "ansible_user": "admin",
    "ansible_port": 2222,
    "ansible_ssh_private_key_file": "/k",
    "ansible_pipelining": True,
    "ansible_python_interpreter": sys.executable,
}
WAY = "qemu+ssh://admin@[2001:db8::7]:2222/system?no_tty=1&keyfile=/k"
ON_HYPERVISOR = {"rescue_delegate_to": "hypervisor", "rescue_access": "agent"}
STOP = [failed("that is all")]


def told_first(name: str, way: dict[str, t.Any]) -> Scenario:
    """A server as its hypervisor tells of it, and then as it is seen by the way to its agent."""
    seen = [answer(server(name)), way]
    return scenario(name, server_rescue_info=seen, server_rescue=STOP, variables=ON_HYPERVISOR)


def test_nothing_is_asked_of_a_server_whose_agent_cannot_be_reached(tmp_path: pathlib.Path) -> None:
    another = answer({**server("another"), "id": "id-of-another"})
    table = {
        "reached": (told_first("reached", answer(server("reached"))), "that is all", ["rescued, no run"]),
        "no-way": (told_first("no-way", failed("cannot connect to libvirt")), "Nothing was stopped", []),
        "another": (told_first("another", another), "another server has that name there (id-of-another)", []),
    }
    scenarios = {name: entry for name, (entry, _error, _wanted) in table.items()}
    hosts = {**scenarios, "hypervisor": Scenario({}, HYPERVISOR)}
    told = play(tmp_path, "rescue", hosts, "-e", "rescue_hosts=all:!hypervisor")

    for name, (_entry, error, wanted) in table.items():
        assert error in told.text, told.text
        assert asked(told.calls[name]) == wanted, told.text
        uris = [given["libvirt_uri"] for module, given in told.calls[name] if module == "server_rescue_info"]
        assert uris == ["qemu:///system", WAY]


@pytest.fixture
def hypervisor(lab: str, tmp_path: pathlib.Path) -> t.Iterator[SshServer]:
    (tmp_path / "ssh").mkdir()
    with ssh_server(tmp_path / "ssh", libvirt=state_dir() / "sock") as found:
        yield found


def by_ssh(hypervisor: SshServer, directory: pathlib.Path) -> str:
    """The URI that the roles make; with an ssh that does not look for known hosts in root's home."""
    variables = {
        "ansible_host": "127.0.0.1",
        "ansible_user": "root",
        "ansible_port": hypervisor.port,
        "ansible_private_key_file": str(hypervisor.key),
    }
    (directory / "known_hosts").write_text(f"[127.0.0.1]:{hypervisor.port} {hypervisor.host_key}\n", encoding="ascii")
    ssh = directory / "ssh-here"
    ssh.write_text(f'#!/bin/sh\nexec ssh -o UserKnownHostsFile={directory}/known_hosts "$@"\n', encoding="ascii")
    ssh.chmod(0o755)
    return f"{agent_uri('qemu:///system', 'hypervisor', variables)}&command={ssh}"


OTHER_HYPERVISOR = """\
<node><domain type='test'><name>{name}</name><uuid>6695eb01-f6a4-8304-79aa-97f2502e193f</uuid>
<memory>8192</memory><os><type>hvm</type></os></domain></node>
"""


def test_the_way_is_tried_for_real(patient: Domain, play: Play, hypervisor: SshServer, tmp_path: pathlib.Path) -> None:
    patient.define(silent(tmp_path / "disk.raw")).start()
    identity = patient.virsh("domid")
    way = by_ssh(hypervisor, tmp_path)
    assert patient.name in run("virsh", "-c", way, "list", "--name")
    other = tmp_path / "other-hypervisor.xml"
    other.write_text(OTHER_HYPERVISOR.format(name=patient.name), encoding="ascii")
    ways = {
        way: ("/no/such/image",),
        way.replace(f":{hypervisor.port}/", ":1/"): ("try the way to its guest agent", "Nothing was stopped"),
        f"test://{other}": ("another server has that name there (6695eb01-", "Nothing was stopped"),
    }
    for uri, words in ways.items():
        outcome = play("rescue", patient.name, rescue_image="/no/such/image", rescue_agent_uri=uri)
        outcome.must_fail_naming(*words)
        assert ("try the way" in outcome.text) == (uri != way)
    assert patient.virsh("domid") == identity
