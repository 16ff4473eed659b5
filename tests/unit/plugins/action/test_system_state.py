# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server's own system is asked until it has something to say, or the time is up."""

from __future__ import annotations

import pytest
import yaml
from ansible.errors import AnsibleAuthenticationFailure, AnsibleConnectionFailure
from ansible_collections.openrescue.server.plugins.action.system_state import COMMAND, SPEC, Answer, ask
from ansible_collections.openrescue.server.plugins.module_utils._time import Clock
from ansible_collections.openrescue.server.plugins.modules import system_state as documented

DEAD = AnsibleConnectionFailure("Connection refused")


class Server:
    """Says one thing after another, the last one for ever; each attempt takes a second."""

    def __init__(self, *says: str | Exception) -> None:
        self._says = list(says)
        self.time = 0.0

    def attempt(self) -> str:
        self.time += 1
        said = self._says.pop(0) if len(self._says) > 1 else self._says[0]
        if isinstance(said, Exception):
            raise said
        return said

    def _sleep(self, seconds: float) -> None:
        self.time += seconds

    def asked(self, timeout: float = 60) -> Answer:
        return ask(
            self.attempt, timeout=timeout, interval=5, clock=Clock(monotonic=lambda: self.time, sleep=self._sleep)
        )


def test_the_options_are_those_that_are_documented() -> None:
    options = yaml.safe_load(documented.DOCUMENTATION)["options"]
    assert {name: (about["type"], about["default"]) for name, about in options.items()} == {
        name: (about["type"], about["default"]) for name, about in SPEC.items()
    }


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        (Server("running\n"), Answer(True, "running")),
        (Server("degraded\ndegraded\n"), Answer(True, "degraded")),
        (Server("Welcome!\r\nrescue\r\n"), Answer(True, "rescue")),
        (Server(DEAD, DEAD, "starting\n", "running\n"), Answer(True, "running")),
        (Server(AnsibleAuthenticationFailure("Permission denied"), "running"), Answer(True, "running")),
        (Server("starting\n"), Answer(True, "starting")),
        (Server(""), Answer(True, "")),
        (Server(DEAD), Answer(False, reason="Connection refused")),
        (Server("\x1b[31mred\x07"), Answer(True, "\\x1b[31mred\\x07")),
    ],
)
def test_answers(server: Server, expected: Answer) -> None:
    assert server.asked() == expected
    assert server.time <= 61


def test_a_rescue_system_need_not_have_started() -> None:
    server = Server(DEAD, "starting")
    answer = ask(server.attempt, timeout=60, interval=1, clock=Clock(sleep=lambda _seconds: None), started=False)
    assert answer == Answer(True, "starting")
    assert server.time == 2


def test_an_agent_that_runs_no_commands_is_not_asked_again() -> None:
    server = Server(AnsibleConnectionFailure("the guest agent runs no commands: guest-exec is not enabled"))
    assert not server.asked().answers
    assert server.time == 1


def test_without_time_it_is_asked_once() -> None:
    server = Server(DEAD, "running")
    assert not server.asked(0).answers
    assert server.time == 1


def test_what_is_said_is_short() -> None:
    assert len(Server("x" * 10_000).asked().system) <= 80


@pytest.mark.parametrize("error", [RuntimeError("a bug")])
def test_a_bug_is_no_silence(error: Exception) -> None:
    with pytest.raises(RuntimeError):
        Server(error).asked()


def test_the_shell_is_named_and_gets_one_word() -> None:
    assert COMMAND.startswith("/bin/sh -c '")
    assert COMMAND.count("'") == 2
