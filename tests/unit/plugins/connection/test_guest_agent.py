# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is sent to a guest agent that is slow or silent: never the same command twice."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible_collections.openrescue.server.plugins.connection.guest_agent import PatientAgent, runs_no_commands


class LibvirtError(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(f"error {code}")
        self.code = code

    def get_error_code(self) -> int:
        return self.code


class Errors:
    """The names of the module libvirt that are used."""

    libvirtError = LibvirtError  # noqa: N815
    VIR_ERR_AGENT_UNRESPONSIVE = 86
    VIR_ERR_AGENT_UNSYNCED = 97


SILENT, UNSYNCED, GONE = 86, 97, 55


class Agent:
    """Answers in turn; a number is an error."""

    def __init__(self, *answers: t.Any) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    def qemuAgentCommand(self, domain: t.Any, command: str, timeout: int, flags: int) -> str:  # noqa: N802
        self.asked.append((json.loads(command)["execute"], timeout))
        answer = self.answers.pop(0)
        if isinstance(answer, int):
            raise LibvirtError(answer)
        return str(answer)


def ask(agent: Agent, name: str, *, patience: float = 60) -> str:
    patient = PatientAgent(agent, errors=Errors, patience=patience, pause=0)
    return patient.qemuAgentCommand(None, json.dumps({"execute": name}), 5, 0)


@pytest.mark.parametrize(
    "name", ["guest-exec", "guest-file-write", "guest-file-read", "guest-file-open", "guest-shutdown"]
)
def test_a_command_that_may_have_been_taken_is_not_sent_again(name: str) -> None:
    agent = Agent("pong", SILENT, "done")
    with pytest.raises(AnsibleConnectionFailure, match=f"did not answer {name} and may be doing it all the same"):
        ask(agent, name)
    assert agent.asked == [("guest-ping", 5), (name, 60)]


def test_a_silent_agent_is_waited_for_before_anything_is_sent() -> None:
    agent = Agent(SILENT, UNSYNCED, SILENT, "pong", "done")
    assert ask(agent, "guest-exec") == "done"
    assert [name for name, _timeout in agent.asked] == ["guest-ping"] * 4 + ["guest-exec"]


@pytest.mark.parametrize("name", ["guest-info", "guest-exec-status", "guest-ping"])
def test_a_question_is_asked_again(name: str) -> None:
    agent = Agent(SILENT, "answer")
    assert ask(agent, name) == "answer"
    assert [asked for asked, _timeout in agent.asked] == [name, name]


def test_a_server_that_is_gone_is_not_waited_for() -> None:
    agent = Agent(GONE, "done")
    with pytest.raises(AnsibleConnectionFailure, match="error 55"):
        ask(agent, "guest-exec")
    assert len(agent.asked) == 1


def test_patience_ends() -> None:
    with pytest.raises(AnsibleConnectionFailure, match="error 86"):
        ask(Agent(SILENT, SILENT), "guest-exec", patience=-1)


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        # RHEL and SUSE: known, and not enabled.
        ([{"name": "guest-ping", "enabled": True}, {"name": "guest-exec", "enabled": False}], True),
        ([{"name": "guest-ping", "enabled": True}], True),
        ([{"name": "guest-ping", "enabled": True}, {"name": "guest-exec", "enabled": True}], False),
        # It has not answered at all.
        (None, False),
        ([], False),
    ],
)
def test_an_agent_that_runs_no_commands_is_told_from_one_that_is_silent(
    capabilities: list[dict[str, t.Any]] | None, expected: bool
) -> None:
    assert runs_no_commands(capabilities) is expected
