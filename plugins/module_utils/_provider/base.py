# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the rest of this collection asks of a place where servers live.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import abc
import typing as t

if t.TYPE_CHECKING:
    from .._rescue.model import Job, Problem, Situation, Wish
    from .._rescue.plan import Plan
    from .._rescue.wait import Deadline

__all__ = ("Provider", "Run")


class Run(abc.ABC):
    """A server held by this run, from the first change to the last."""

    @abc.abstractmethod
    def do(self, step: str) -> None:
        """Do one step of the plan. A step whose work is done already does nothing."""

    @abc.abstractmethod
    def finish(self) -> None:
        """Leave the server as the plan ends: marked as rescued, or without a mark."""


class Provider(abc.ABC):
    """One cloud or hypervisor. Only :meth:`connect` and what comes after it talks to it."""

    name: t.ClassVar[str]

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
    def begin(self, now: Situation, plan: Plan, job: Job, deadline: Deadline) -> Run:
        """Take hold of the server; raises ``held`` where another run has it."""
