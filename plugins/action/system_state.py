# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask a server's own system how it is; documented as the module of this name."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible_collections.openrescue.server.plugins.module_utils._text import printable
from ansible_collections.openrescue.server.plugins.module_utils._time import Clock

__all__ = ("COMMAND", "ActionModule", "Answer", "ask")

SPEC: dict[str, t.Any] = {
    "timeout": {"type": "int", "default": 0},
    "interval": {"type": "int", "default": 5},
    "system": {"type": "str", "choices": ["own", "rescue"], "default": "own"},
}

#: The guest agent runs programs, not command lines, so the shell is named. An old systemd knows no --wait.
COMMAND = (
    "/bin/sh -c 'if test -e /etc/openrescue-release; then echo rescue; "
    "elif test -d /run/systemd/system; then "
    "systemctl is-system-running --wait 2>/dev/null || systemctl is-system-running; "
    "else echo running; fi'"
)
#: an answer that no waiting changes
FINAL = "runs no commands"
#: what a system says of itself before it knows
UNDECIDED = ("", "initializing", "starting")


@dataclasses.dataclass(frozen=True)
class Answer:
    """What came of asking.

    :param answers: whether anybody could be asked.
    :param system: what was said.
    :param reason: why nobody could be asked.
    """

    answers: bool
    system: str = ""
    reason: str = ""


def ask(attempt: t.Callable[[], str], *, timeout: float, interval: float, clock: Clock, started: bool = True) -> Answer:
    """Ask until there is a clear answer, or the time is up; at least once.

    :param attempt: what the system says; raises AnsibleConnectionFailure where it cannot be reached.
    :param started: whether only a system that has started is a clear answer.
    """
    end = clock.monotonic() + timeout
    while True:
        try:
            answer = Answer(True, _last_line(attempt()))
        except AnsibleConnectionFailure as exc:
            answer = Answer(False, reason=printable(" ".join(str(exc).split()), limit=300) or "no reason given")
        clear = answer.answers and not (started and answer.system in UNDECIDED)
        over = clear or FINAL in answer.reason
        if over or clock.monotonic() + interval > end:
            return answer
        clock.sleep(interval)


def _last_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return printable(lines[-1], limit=80) if lines else ""


class ActionModule(ActionBase):
    """See above."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: t.Any = None, task_vars: t.Any = None) -> dict[str, t.Any]:
        """That nobody answers is an answer, and no failure."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _validated, given = self.validate_argument_spec(argument_spec=SPEC)
        answer = ask(
            self._attempt,
            timeout=given["timeout"],
            interval=given["interval"],
            clock=Clock(),
            started=given["system"] == "own",
        )
        return {**result, **dataclasses.asdict(answer), "changed": False}

    def _attempt(self) -> str:
        try:
            # To be let in is proof enough: no other user is needed for it, and no password of sudo.
            return str(self._low_level_execute_command(COMMAND, sudoable=False).get("stdout", ""))
        except AnsibleConnectionFailure:
            reset = getattr(self._connection, "reset", None)
            if reset:
                reset()
            raise
