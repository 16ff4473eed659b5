# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a server's own system is up, by its console where nothing else tells, and waited for where it boots.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ._errors import ConnectionLost, OpenRescueError
from ._faults.catalog import FAULTS
from ._faults.engine.console import read_console
from ._server.model import Life

if t.TYPE_CHECKING:
    from ._faults.engine.console import ConsoleReport
    from ._server.model import Situation
    from ._server.provider import Session
    from ._time import Clock

__all__ = ("MOST_PATIENCE", "WaitFor", "Watch", "weigh_console")

WaitFor = t.Literal["settled", "agent", "running"]

#: seconds between two looks at a console, by which it is seen whether it goes on
CONSOLE_PAUSE = 2.0
#: seconds between two looks at a server that is waited for
PAUSE = 3.0
#: A console that goes on and on is waited for this many times as long as one that says nothing.
MOST_PATIENCE = 5


@dataclasses.dataclass(frozen=True)
class _Seen:
    """One look at the console.

    :param undecided: whether a later look may say more: a boot has begun, and has come to no end.
    :param goes_on: whether something was written meanwhile.
    """

    life: Life
    undecided: bool = False
    goes_on: bool = False


@dataclasses.dataclass(frozen=True)
class Watch:
    """How long a server is looked at.

    :param wait_for: ``settled``: until it is clear whether it is up; ``agent``: until the guest agent of its own system
        answers; ``running``: until it runs its own system; None: once.
    :param timeout: seconds to wait; for ``settled`` since the console last went on.
    """

    clock: Clock
    wait_for: WaitFor | None = None
    timeout: float = 0.0

    def __call__(self, session: Session[t.Any], now: Situation) -> tuple[Situation, Life]:
        """The server as it was seen last, and whether it lives."""
        began = progress = self.clock.monotonic()
        while True:
            life = session.life(now)
            if self.wait_for in (None, "settled"):
                seen = self._by_console(session, now, life)
                over = self.wait_for is None or not seen.undecided
                progress = self.clock.monotonic() if seen.goes_on else progress
            else:
                seen = _Seen(life)
                over = self._is_there(now, life)
            time = self.clock.monotonic()
            if over or time - progress >= self.timeout or time - began >= MOST_PATIENCE * self.timeout:
                break
            self.clock.sleep(PAUSE)
            now = session.observe(now.id)
        if self.wait_for == "agent" and not over:
            seen = self._by_console(session, now, life)
        return now, seen.life

    def _is_there(self, now: Situation, life: Life) -> bool:
        """Whether what is waited for is there, or will not come: a server that is off boots nothing."""
        if now.state != "unrescued":
            return False
        if self.wait_for == "running" or now.power_state == "shutdown":
            return now.power_state in ("running", "shutdown")
        return life.state == "up" and life.by == "agent"

    def _by_console(self, session: Session[t.Any], now: Situation, told: Life) -> _Seen:
        """What the console says of a server of which its provider cannot tell whether it lives."""
        if told.state != "unknown" or now.power_state != "running" or now.runs != "own":
            return _Seen(told)
        try:
            first = session.console_log(now.id)
            if not first.strip():
                return _Seen(dataclasses.replace(told, evidence=f"{told.evidence}; its console is empty"))
            self.clock.sleep(CONSOLE_PAUSE)
            later = session.console_log(now.id)
            anew = session.console_begins_anew(now.id)
        except ConnectionLost:
            raise
        except OpenRescueError as exc:
            return _Seen(dataclasses.replace(told, evidence=f"{told.evidence}; {exc.message}"))
        report = read_console(later, faults=FAULTS, tail=1)
        life = weigh_console(told, report, goes_on=later != first, anew=anew)
        begun = life.state == "booting" or (life.state == "unknown" and report.state == "booting")
        return _Seen(life, undecided=begun, goes_on=later != first)


def weigh_console(told: Life, report: ConsoleReport, *, goes_on: bool, anew: bool) -> Life:
    """What a console says of life that was looked at twice, a moment apart.

    :param goes_on: whether something was written between the two looks.
    :param anew: whether the console holds nothing from before the server was switched on. Else what it says of a boot
        may be true of an earlier one.
    """
    last = report.tail[-1] if report.tail else ""
    if report.boot == "booted" and anew:
        return Life("up", f"its console says that it has booted: {last}", "console")
    if goes_on:
        return Life("booting", f"its console goes on: {last}", "console")
    if report.boot == "failed" and anew:
        return Life("down", f"its console has stopped, and says: {_cause(report) or last}", "console")
    when = "" if anew or report.boot == "unknown" else ", which may be of an earlier start (log without append='off')"
    words = {"booted": "that it has booted", "failed": "that it has not booted"}
    said = words.get(report.boot, "neither that it has booted nor that it has not")
    return dataclasses.replace(told, evidence=f"{told.evidence}; its console says {said}{when}")


def _cause(report: ConsoleReport) -> str:
    """The first cause that the console names."""
    return report.findings[0].summary if report.findings else ""
