# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the rest of this collection asks of a place where servers live.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import abc
import typing as t

from .model import Life, Situation

if t.TYPE_CHECKING:
    from .._time import Deadline
    from .hold import Hold
    from .model import Job, Problem, Wish
    from .plan import Plan

__all__ = ("Provider", "Run", "Session")

#: A server as its provider sees it: each has a kind of its own, with what only it knows.
S = t.TypeVar("S", bound=Situation)


class Run(abc.ABC):
    """A server held by this call, from the first change to the last."""

    @abc.abstractmethod
    def do(self, step: str) -> bool:
        """Do one step of the plan, and say whether that changed anything: its work may have been done already."""

    @abc.abstractmethod
    def finish(self) -> None:
        """Leave the server as the plan ends: marked as rescued and held, or with nothing of ours."""


class Session(abc.ABC, t.Generic[S]):
    """One server within one call. What a provider has to remember of that server is kept here, never in it."""

    #: when the calls for this server give up
    deadline: Deadline

    @abc.abstractmethod
    def find(self, asked: str) -> tuple[str, str]:
        """ID and name of the one server that is called so."""

    @abc.abstractmethod
    def observe(self, server: str) -> S:
        """The server with that ID as it is now, with its hold. Only reads."""

    def settle(self, now: S, wish: Wish) -> S:  # noqa: ARG002
        """The server when what the provider itself is doing to it has ended; waits where the wish says so."""
        return now

    def life(self, now: S) -> Life:
        """Whether the server's own system lives, as far as the provider itself can tell. Only reads."""
        if now.runs == "rescue":
            return Life("down", "the rescue system runs in its place", "power_state")
        if now.power_state in ("shutdown", "crashed"):
            return Life("down", f"its power state is {now.power_state}", "power_state")
        return Life("unknown", f"its power state is {now.power_state}, which says nothing of its system")

    @abc.abstractmethod
    def console_log(self, server: str) -> str:
        """The end of what the server with that ID has written to its console. Only reads."""

    def console_begins_anew(self, server: str) -> bool:  # noqa: ARG002
        """Whether that holds nothing from before the server was switched on."""
        return False

    @abc.abstractmethod
    def preflight(self, now: S, wish: Wish) -> tuple[list[Problem], list[Problem]]:
        """Blockers and warnings on the way to the wish. Changes nothing."""

    @abc.abstractmethod
    def plan(self, now: S, wish: Wish) -> Plan:
        """What leads from here to there; raises where no way leads there."""

    def unheeded(self, now: S, wish: Wish) -> list[Problem]:  # noqa: ARG002
        """What of the wish a server that is rescued already does not have, and gets only by another rescue."""
        return []

    @abc.abstractmethod
    def predict(self, now: S, plan: Plan, wish: Wish) -> S:
        """The server as the plan would leave it."""

    @abc.abstractmethod
    def way_back(self, now: S, wish: Wish) -> Plan | None:
        """What undoes a rescue that has failed; None where the server is best left for the user to decide."""

    @abc.abstractmethod
    def begin(self, now: S, plan: Plan, job: Job) -> Run:
        """Begin to change the server, and keep ``job.hold`` with it; raises Held where another call is at it.

        Where a hold cannot be written that is a warning of the job, and no error.
        """

    @abc.abstractmethod
    def keep_hold(self, now: S, hold: Hold | None) -> Problem | None:
        """Keep that hold with a server at rest, or none, and change nothing else; a warning where it cannot be."""


class Provider(abc.ABC):
    """One cloud or hypervisor, for all servers of a call. Only :meth:`connect` and what comes after it talks to it."""

    name: t.ClassVar[str]

    @abc.abstractmethod
    def connect(self, deadline: Deadline) -> None:
        """Connect, or connect again after the connection was lost; raises after the deadline at the latest."""

    @abc.abstractmethod
    def close(self) -> None:
        """Leave nothing behind but what the servers need; never raises."""

    @abc.abstractmethod
    def session(self, deadline: Deadline) -> Session[t.Any]:
        """For one server, whose calls give up at that deadline."""

    @abc.abstractmethod
    def rescued(self, deadline: Deadline) -> list[str]:
        """IDs of all servers here that are rescued or held, by whatever means."""

    def leftovers(self, deadline: Deadline) -> list[dict[str, t.Any]]:  # noqa: ARG002
        """What earlier rescues have left here and no server knows of: ``kind``, ``path`` of each. Only reads."""
        return []

    def describe(self, deadline: Deadline) -> dict[str, t.Any]:  # noqa: ARG002
        """What the place itself offers: ``extension`` and ``microversion``, both None where there is no such thing."""
        return {"extension": None, "microversion": None}
