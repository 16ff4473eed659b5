# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import libvirt
import pytest
from ansible_collections.openrescue.server.plugins.module_utils._libvirt import life
from ansible_collections.openrescue.server.plugins.module_utils._libvirt.life import ask_agent


class Agent:
    """What libvirt gives back of the guest agent, in order."""

    def __init__(self, *answers: t.Any) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def qemuAgentCommand(self, _domain: t.Any, command: str, _seconds: int, _flags: int) -> str:  # noqa: N802
        self.asked.append(json.loads(command)["execute"])
        answer = self.answers.pop(0)
        if answer is None:
            raise libvirt.libvirtError("Guest agent is not responding")
        return json.dumps({"return": answer})


def ask(monkeypatch: pytest.MonkeyPatch, *answers: t.Any) -> tuple[t.Any, Agent]:
    agent = Agent(*answers)
    monkeypatch.setattr(life, "libvirt_qemu", agent)
    monkeypatch.setattr(life, "_AGAIN", 0.0)
    return ask_agent(None), agent


def test_a_ping_is_proof_and_nothing_is_run_in_the_guest(monkeypatch: pytest.MonkeyPatch) -> None:
    """RHEL and SUSE block guest-exec."""
    found, agent = ask(monkeypatch, {}, {"pretty-name": "Debian GNU/Linux 13\x1b[31m"})
    assert (found.state, found.by) == ("up", "agent")
    assert "Debian GNU/Linux 13" in found.evidence
    assert "\x1b" not in found.evidence
    assert agent.asked == ["guest-ping", "guest-get-osinfo"]


def test_an_agent_without_osinfo_is_alive_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _agent = ask(monkeypatch, {}, None)
    assert found.state == "up"


def test_two_who_ask_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found, agent = ask(monkeypatch, None, {}, {})
    assert found.state == "up"
    assert agent.asked[:2] == ["guest-ping"] * 2


def test_silence_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask(monkeypatch, None, None)[0] is None
    monkeypatch.setattr(life, "libvirt_qemu", None)
    assert ask_agent(None) is None
