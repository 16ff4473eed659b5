# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers on OpenStack: not built yet, and says so.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .._errors import OpenRescueError
from .base import Provider, Run

if t.TYPE_CHECKING:
    from .._rescue.model import Job, Problem, Situation, Wish
    from .._rescue.plan import Plan
    from .._rescue.wait import Deadline

__all__ = ("OpenStackProvider",)


def _refusal() -> OpenRescueError:
    return OpenRescueError(
        "this release of openrescue.server cannot rescue servers on OpenStack yet",
        code="provider_not_available",
        hint="Set provider to libvirt, or use 'openstack server rescue' by hand",
        step="connect",
    )


class OpenStackProvider(Provider):
    """Refuses every call with the same plain words."""

    name = "openstack"

    def connect(self, deadline: Deadline) -> None:  # noqa: ARG002
        raise _refusal()

    def close(self) -> None:
        """There is nothing to leave."""

    def find(self, asked: str) -> tuple[str, str]:  # noqa: ARG002
        raise _refusal()

    def observe(self, server: str) -> Situation:  # noqa: ARG002
        raise _refusal()

    def console_log(self, server: str) -> str:  # noqa: ARG002
        raise _refusal()

    def preflight(self, now: Situation, wish: Wish) -> tuple[list[Problem], list[Problem]]:  # noqa: ARG002
        raise _refusal()

    def plan(self, now: Situation, wish: Wish) -> Plan:  # noqa: ARG002
        raise _refusal()

    def begin(self, now: Situation, plan: Plan, job: Job, deadline: Deadline) -> Run:  # noqa: ARG002
        raise _refusal()
