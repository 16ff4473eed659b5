# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the rest of this collection asks of a place where servers live.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import abc
import copy
import typing as t

if t.TYPE_CHECKING:
    from .._server.plan import Plan
    from .._time import Deadline
    from .model import Job, Problem, Situation, Wish

__all__ = ("Provider", "Run")


class Run(abc.ABC):
    """A server held by this run, from the first change to the last."""

    @abc.abstractmethod
    def do(self, step: str) -> bool:
        """Do one step of the plan, and say whether that changed anything: its work may have been done already."""

    @abc.abstractmethod
    def finish(self) -> None:
        """Leave the server as the plan ends: marked as rescued, or without a mark."""


class Provider(abc.ABC):
    """One cloud or hypervisor. Only :meth:`connect` and what comes after it talks to it."""

    name: t.ClassVar[str]
    #: when the calls for the server at hand give up
    deadline: Deadline

    def within(self, deadline: Deadline) -> Provider:
        """The same provider for one server, whose calls give up at that deadline."""
        bound = copy.copy(self)
        bound.deadline = deadline
        return bound

    @abc.abstractmethod
    def connect(self, deadline: Deadline) -> None:
        """Connect, or connect again after the connection was lost; raises after the deadline at the latest."""

    @abc.abstractmethod
    def close(self) -> None:
        """Leave nothing behind but what the servers need; never raises."""

    @abc.abstractmethod
    def find(self, asked: str) -> tuple[str, str]:
        """ID and name of the one server that is called so."""

    @abc.abstractmethod
    def observe(self, server: str) -> Situation:
        """The server with that ID as it is now. Only reads."""

    def describe(self) -> dict[str, t.Any]:
        """What the place itself offers: ``extension`` and ``microversion``, both None where there is no such thing."""
        return {"extension": None, "microversion": None}

    def settle(self, now: Situation, wish: Wish) -> Situation:  # noqa: ARG002
        """The server when what the provider itself is doing to it has ended; waits where the wish says so."""
        return now

    @abc.abstractmethod
    def console_log(self, server: str) -> str:
        """The end of what the server with that ID has written to its console. Only reads."""

    @abc.abstractmethod
    def preflight(self, now: Situation, wish: Wish) -> tuple[list[Problem], list[Problem]]:
        """Blockers and warnings on the way to the wish. Changes nothing."""

    @abc.abstractmethod
    def plan(self, now: Situation, wish: Wish) -> Plan:
        """What leads from here to there; raises where no way leads there."""

    @abc.abstractmethod
    def predict(self, now: Situation, plan: Plan, wish: Wish) -> Situation:
        """The server as the plan would leave it."""

    @abc.abstractmethod
    def way_back(self, now: Situation, wish: Wish) -> Plan | None:
        """What undoes a rescue that has failed; None where the server is best left for the user to decide."""

    @abc.abstractmethod
    def begin(self, now: Situation, plan: Plan, job: Job, deadline: Deadline) -> Run:
        """Take hold of the server; raises ``held`` where another run has it."""
