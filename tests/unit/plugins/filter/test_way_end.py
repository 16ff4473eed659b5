# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a server is at the end, and what comes next."""

from __future__ import annotations

import shlex
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.filter.way_end import STEPS, way_end

AGENT = shlex.join([
    "ansible", "all", "-i", "web1,", "-c", "openrescue.server.guest_agent", "-e", "ansible_libvirt_uri=x:///y",
    "-m", "ansible.builtin.raw", "-a", "openrescue-shell -c 'cat /etc/fstab'",
])  # fmt: skip
GO = {"go": True, "said": "", "unsure": False}
UP = {"go": False, "said": "web1 is up and was left alone", "unsure": False}
UNSURE = {"go": False, "said": "nobody can tell", "unsure": True}
CRITICAL = {"fault": "fstab-syntax", "severity": "critical", "key": "k"}
ERROR = {**CRITICAL, "severity": "error"}
RUNS = {"server": {"name": "web1", "power_state": "running"}, "changed": True}
OFF = {"server": {"name": "web1", "power_state": "shutdown"}, "changed": True}
FOUND = {"findings": [CRITICAL]}
#: what disk_repair returns of what it took back has neither fault nor key
TAKEN_BACK = {"applied": [{"path": "/etc/fstab"}]}


def end(steps: dict[str, t.Any], decision: dict[str, t.Any] | None = None, **more: t.Any) -> dict[str, t.Any]:
    return way_end(steps, decision=decision or GO, host="web1", **more)


#: results, decision, more -> outcome, whether there is an error
TABLE: dict[str, tuple[dict[str, t.Any], dict[str, t.Any], dict[str, t.Any], tuple[str, bool]]] = {
    "back": ({"unrescue": RUNS, "verify": {"proof": "p"}}, GO, {}, ("back", False)),
    "off as before": ({"unrescue": OFF}, GO, {}, ("off", False)),
    "off, and repaired": (
        {"unrescue": OFF, "diagnose": FOUND, "repair": {"applied": [CRITICAL]}}, GO, {}, ("off", False)
    ),
    "off, and left as found": ({"unrescue": OFF, "diagnose": FOUND}, GO, {}, ("failed", True)),
    "off, with what stops no boot": ({"unrescue": OFF, "diagnose": {"findings": [ERROR]}}, GO, {}, ("off", False)),
    "off, and only to be looked at": (
        {"unrescue": OFF, "diagnose": FOUND}, GO, {"repair_faults": "none"}, ("off", False)
    ),
    "back, with what did not stop it": (
        {"unrescue": RUNS, "verify": {"proof": "p"}, "diagnose": FOUND}, GO, {}, ("back", False)
    ),
    "taken back": ({"unrescue": OFF, "repair": TAKEN_BACK}, GO, {}, ("off", False)),
    "kept rescued": ({"rescue": RUNS}, GO, {}, ("rescued", False)),
    "collected": ({"unrescue": OFF, "collect": {"archive": "/a"}}, GO, {}, ("collected", False)),
    "collected, and left rescued": ({"collect": {"archive": "/a"}}, GO, {}, ("collected", False)),
    "nothing collected": ({"unrescue": OFF, "collect": {"archive": ""}}, GO, {"error": "no"}, ("failed", True)),
    "failed": ({"rescue": RUNS}, GO, {"error": "no"}, ("failed", True)),
    "up": ({}, UP, {}, ("left_alone", False)),
    "nobody can tell": ({}, UNSURE, {}, ("left_alone", True)),
    "checked": ({"rescue": RUNS}, GO, {"check": True}, ("checked", False)),
    "checked, and up": ({}, UP, {"check": True}, ("left_alone", False)),
    **{f"step {step}": ({step: RUNS}, GO, {"step": step}, (word, False)) for step, word in STEPS.items()},
    "step rescue, checked": ({"rescue": RUNS}, GO, {"step": "rescue", "check": True}, ("checked", False)),
    "step rescue, checked, and rescued": (
        {"rescue": {**RUNS, "changed": False}}, GO, {"step": "rescue", "check": True}, ("rescued", False)
    ),
    "step triage, checked": ({}, GO, {"step": "triage", "check": True}, ("triaged", False)),
    "step failed": ({"rescue": RUNS}, GO, {"step": "rescue", "error": "no"}, ("failed", True)),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLE)
def test_ends(case: str) -> None:
    steps, decision, more, expected = TABLE[case]
    found = end(steps, decision, **more)
    assert (found["outcome"], bool(found["error"])) == expected
    assert "web1" in found["said"] or found["said"] == "nobody can tell"


def test_what_is_left_is_named_once() -> None:
    other = {**CRITICAL, "fault": "kernel-missing", "key": "o"}
    error = end({"unrescue": OFF, "diagnose": {"findings": [CRITICAL, CRITICAL, other]}})["error"]
    assert "fstab-syntax, kernel-missing were found" in error


def test_an_error_names_the_server() -> None:
    assert end({}, error="'x' is undefined")["error"] == "server 'web1': 'x' is undefined"
    assert end({}, error="server 'w1': no")["error"] == "server 'w1': no"


def test_how_to_leave_what_is_kept() -> None:
    found = end({"rescue": RUNS})
    assert any("openrescue.server.unrescue -e rescue_hosts=web1" in command for command in found["next"])


@pytest.mark.parametrize(
    ("way", "command"),
    [
        (
            {"ansible_connection": "ansible.builtin.ssh", "ansible_host": "192.0.2.7", "ansible_user": "root"},
            "ssh -t root@192.0.2.7 openrescue-shell",
        ),
        (
            {
                "ansible_connection": "ansible.builtin.ssh",
                "ansible_host": "h",
                "ansible_user": "me",
                "ansible_port": 2222,
            },
            "ssh -t -p 2222 me@h openrescue-shell",
        ),
        (
            {
                "ansible_connection": "openrescue.server.guest_agent",
                "ansible_host": "web1",
                "ansible_libvirt_uri": "x:///y",
            },
            AGENT,
        ),
    ],
)
def test_how_to_get_into_what_is_kept(way: dict[str, t.Any], command: str) -> None:
    assert end({"rescue": RUNS}, way=way)["next"][0] == command
    assert end({"rescue": RUNS}, step="rescue", way=way)["next"][0] == command


def test_the_plan_says_what_is_known() -> None:
    assert "nobody can tell yet" in end({}, check=True)["said"]
    known = end({"diagnose": FOUND, "repair": {"applied": [CRITICAL]}}, check=True)["said"]
    assert "fstab-syntax" in known
    assert "none" in end({"diagnose": {"findings": []}}, check=True)["said"]
