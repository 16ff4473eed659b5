# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filters: what goes in, and what comes out."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.filter.agent_uri import agent_uri
from ansible_collections.openrescue.server.plugins.filter.bundle_lines import bundle_lines
from ansible_collections.openrescue.server.plugins.filter.chosen_findings import chosen_findings
from ansible_collections.openrescue.server.plugins.filter.finding_lines import finding_lines
from ansible_collections.openrescue.server.plugins.filter.rescue_proof import rescue_proof
from ansible_collections.openrescue.server.plugins.filter.unknown_faults import unknown_faults

SYSTEM = "qemu:///system"
SOCKET = "qemu+unix:///session?socket=/run/lv"


@pytest.mark.parametrize(
    ("uri", "name", "variables", "expected"),
    [
        (SYSTEM, "localhost", {}, SYSTEM),
        (SOCKET, "127.0.0.1", {}, SOCKET),
        (SYSTEM, "here", {"ansible_connection": "local", "ansible_host": "10.0.0.1"}, SYSTEM),
        ("qemu+tls://hv/system", "jump", {"ansible_user": "me"}, "qemu+tls://hv/system"),
        (SYSTEM, "hv1", {}, "qemu+ssh://hv1/system?no_tty=1"),
        (SYSTEM, "hv1", {"ansible_host": "10.0.0.1"}, "qemu+ssh://10.0.0.1/system?no_tty=1"),
        (SYSTEM, "hv1", {"ansible_host": "2001:db8::7"}, "qemu+ssh://[2001:db8::7]/system?no_tty=1"),
        ("qemu:///session", "hv1", {"ansible_user": "me", "ansible_port": 2222}, "qemu+ssh://me@hv1:2222/session?no_tty=1"),
        (SYSTEM, "hv1", {"ansible_user": "me@dom"}, "qemu+ssh://me%40dom@hv1/system?no_tty=1"),
        (SYSTEM, "hv1", {"ansible_host": "new", "ansible_ssh_host": "old"}, "qemu+ssh://old/system?no_tty=1"),
        (SYSTEM, "hv1", {"ansible_ssh_user": "old", "ansible_ssh_port": "2"}, "qemu+ssh://old@hv1:2/system?no_tty=1"),
        (SYSTEM, "hv1", {"ansible_ssh_private_key_file": "/k"}, "qemu+ssh://hv1/system?no_tty=1&keyfile=/k"),
        (SYSTEM, "hv1", {"ansible_private_key_file": "/k"}, "qemu+ssh://hv1/system?no_tty=1&keyfile=/k"),
        (SOCKET, "hv1", {}, "qemu+ssh://hv1/session?no_tty=1&socket=/run/lv"),
    ],
)  # fmt: skip
def test_agent_uri(uri: str, name: str, variables: dict[str, t.Any], expected: str) -> None:
    assert agent_uri(uri, name, variables) == expected


LIBVIRT = {"provider": "libvirt", "rescue": {}}
NOVA = {"provider": "openstack", "rescue": {"image_size": 1024}}
UNSIZED = {"provider": "openstack", "rescue": {"image_size": None}}


@pytest.mark.parametrize(
    ("said", "server", "proven"),
    [
        ("disk vdb 2 openrescue-rescue", LIBVIRT, True),
        ("release\r\ndisk vdb 2 openrescue-rescue\r\n", LIBVIRT, True),
        ("disk sr0 2 openrescue-rescue\ndisk vda 4 openrescue-vda", LIBVIRT, True),
        # The patient is a rescue image itself, and the wrong disk has booted.
        ("release\ndisk vda 2 openrescue-vda", LIBVIRT, False),
        ("disk vda 2 openrescue-vda", LIBVIRT, False),
        ("disk vda 2 WD-1234", LIBVIRT, False),
        ("disk vda 2", LIBVIRT, False),
        ("release\ndisk vda 2", LIBVIRT, False),
        ("release\ndisk vda", LIBVIRT, False),
        ("release", LIBVIRT, True),
        ("", LIBVIRT, False),
        ("sh: findmnt: not found", LIBVIRT, False),
        ("disk vda many openrescue-rescue", LIBVIRT, False),
        ("disk vda 2", NOVA, True),
        ("release\ndisk vda 2", NOVA, True),
        ("disk vda 4", NOVA, False),
        ("release\ndisk vda 4", NOVA, False),
        ("release", NOVA, True),
        ("", NOVA, False),
        ("disk vda 2", UNSIZED, False),
        ("release\ndisk vda 2", UNSIZED, True),
        ("disk vda 2", {"provider": "openstack", "rescue": None}, False),
    ],
)
def test_rescue_proof(said: str, server: dict[str, t.Any], proven: bool) -> None:
    found = rescue_proof(said, server)
    assert found["proven"] is proven
    assert found["reason"]


def finding(fault: str, **given: t.Any) -> dict[str, t.Any]:
    return {
        "fault": fault,
        "severity": "error",
        "summary": "s",
        "remedy": "r",
        "remedy_safe": False,
        "evidence": [],
        **given,
    }


SAFE = finding("safe-one", remedy_safe=True, evidence=[{"path": "/etc/fstab", "line": 3, "text": "bad"}, {"text": ""}])
RISKY = finding("risky-one")
BARE = finding("bare-one", remedy=None)
NOTE = finding("note", severity="info", remedy=None)


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        ("safe", [SAFE]),
        ("all", [SAFE, RISKY]),
        ("none", []),
        ("risky-one", [RISKY]),
        # A word is a fault, and not a part of one.
        ("risky", []),
        ("safe,risky-one", [SAFE, RISKY]),
        (["risky-one", "bare-one"], [RISKY]),
        (["safe"], [SAFE]),
        ([], []),
        (None, []),
    ],
)
def test_chosen_findings(faults: t.Any, expected: list[t.Any]) -> None:
    assert chosen_findings([SAFE, RISKY, BARE], faults) == expected


def test_finding_lines() -> None:
    assert finding_lines([SAFE, RISKY, BARE]) == [
        "error safe-one: s",
        "    /etc/fstab:3  bad",
        "    remedy: r",
        "error risky-one: s",
        "    remedy (only when asked for by name): r",
        "error bare-one: s",
    ]
    assert finding_lines([SAFE, RISKY, BARE, NOTE], chosen=[SAFE]) == [
        "left as it is: risky-one; ask for it with -e repair_faults=risky-one",
        "left as it is: bare-one; no remedy is known",
    ]


@pytest.mark.parametrize(
    ("asked", "unknown"),
    [
        ("safe", []),
        ("all", []),
        ("none", []),
        ("", []),
        (None, []),
        ("fstab-syntax, space-full", []),
        (["fstab-syntax", "safe"], []),
        ("fstab-sintax", ["fstab-sintax (did you mean fstab-syntax?)"]),
        (["al", "fstab-syntax"], ["al (did you mean all?)"]),
    ],
)
def test_unknown_faults(asked: t.Any, unknown: list[str]) -> None:
    assert unknown_faults(asked) == unknown


def test_a_fault_that_is_like_no_other_is_told_what_there_is() -> None:
    [told] = unknown_faults("\x1bqqqq" + "q" * 1000)
    assert told.isprintable()
    assert "there are: safe, all, none, filesystem-corrupt" in told


def test_bundle_lines() -> None:
    entries = [{"path": f"/f{number}"} for number in range(7)]
    assert bundle_lines([
        {"id": "u1", "state": "kept", "faults": ["space-full", "fstab-syntax"], "entries": entries},
        {"id": "u2", "state": "reverted", "faults": [], "entries": [{"device": "/dev/vda1"}]},
    ]) == [
        "u1  kept  space-full, fstab-syntax  /f0, /f1, /f2, /f3, /f4, and 2 more",
        "u2  reverted  no fault  /dev/vda1",
    ]  # fmt: skip
