# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A provider whose servers are what the last plan has made of them."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.openrescue.server.plugins.module_utils._errors import (
    ConnectionLost,
    Held,
    OpenRescueError,
    StateChanged,
)
from ansible_collections.openrescue.server.plugins.module_utils._libvirt import plan as planning
from ansible_collections.openrescue.server.plugins.module_utils._libvirt.model import LibvirtSituation
from ansible_collections.openrescue.server.plugins.module_utils._server.change import change_server
from ansible_collections.openrescue.server.plugins.module_utils._server.fleet import Roll
from ansible_collections.openrescue.server.plugins.module_utils._server.model import Job, Problem, Wish
from ansible_collections.openrescue.server.plugins.module_utils._server.provider import Provider, Run, Session
from ansible_collections.openrescue.server.plugins.module_utils._time import Clock

if t.TYPE_CHECKING:
    from ansible_collections.openrescue.server.plugins.module_utils._server.hold import Hold
    from ansible_collections.openrescue.server.plugins.module_utils._server.plan import Plan
    from ansible_collections.openrescue.server.plugins.module_utils._time import Deadline

RESCUED = Wish(state="rescued", image="/i")
UNRESCUED = Wish(state="unrescued")


def error(code: str) -> OpenRescueError:
    kinds = {kind.code: kind for kind in (ConnectionLost, Held, StateChanged)}
    return kinds.get(code, OpenRescueError)(f"it is {code}", code=code, hint="Do something")


class FakeRun(Run):
    def __init__(self, session: FakeSession, now: LibvirtSituation, plan: Plan, job: Job) -> None:
        self.session, self.now, self.plan, self.job = session, now, plan, job

    def do(self, step: str) -> bool:
        provider = self.session.provider
        provider.done.append(step)
        failures = provider.failures.get(step, [])
        if failures:
            raise failures.pop(0)
        return True

    def finish(self) -> None:
        wish = self.job.wish if not self.plan.ending else dataclasses.replace(self.job.wish, state="unrescued")
        after = planning.predict(self.now, self.plan, wish)
        self.session.provider.seen = dataclasses.replace(after, hold=self.job.hold)


class FakeSession(Session[LibvirtSituation]):
    def __init__(self, provider: FakeProvider, deadline: Deadline) -> None:
        self.provider, self.deadline = provider, deadline

    def find(self, asked: str) -> tuple[str, str]:
        if asked == "missing":
            raise error("server_not_found")
        if asked == "defect":
            raise ZeroDivisionError
        return self.provider.ids.get(asked, f"id of {asked}"), asked

    def observe(self, server: str) -> LibvirtSituation:
        self.provider.looked_at.append(server)
        return self.provider.seen

    def console_log(self, server: str) -> str:
        raise AssertionError(server)

    def preflight(self, now: LibvirtSituation, wish: Wish) -> tuple[list[Problem], list[Problem]]:
        assert now
        assert wish
        return self.provider.blockers, [Problem("note", "mind this")]

    def plan(self, now: LibvirtSituation, wish: Wish) -> Plan:
        return planning.plan(now, wish)

    def predict(self, now: LibvirtSituation, plan: Plan, wish: Wish) -> LibvirtSituation:
        return planning.predict(now, plan, wish)

    def way_back(self, now: LibvirtSituation, wish: Wish) -> Plan | None:
        return planning.plan_unrescue(now, wish)

    def begin(self, now: LibvirtSituation, plan: Plan, job: Job) -> Run:
        self.provider.done.append("begin")
        failures = self.provider.failures.get("begin", [])
        if failures:
            raise failures.pop(0)
        return FakeRun(self, now, plan, job)

    def keep_hold(self, now: LibvirtSituation, hold: Hold | None) -> Problem | None:
        self.provider.kept.append(hold)
        self.provider.seen = dataclasses.replace(now, hold=hold)
        return self.provider.not_kept


class FakeProvider(Provider):
    name = "fake"

    def __init__(self, **failures: list[Exception]) -> None:
        self.failures: dict[str, list[Exception]] = failures
        self.done: list[str] = []
        self.looked_at: list[str] = []
        self.kept: list[Hold | None] = []
        self.not_kept: Problem | None = None
        self.ids: dict[str, str] = {}
        self.blockers: list[Problem] = []
        self.connected = 0
        self.seen = LibvirtSituation(
            name="web1", id="u1", provider="fake", status="running", power_state="running", runs="own"
        )

    def connect(self, deadline: Deadline) -> None:
        assert deadline.left > 0
        self.connected += 1

    def close(self) -> None:
        pass

    def session(self, deadline: Deadline) -> Session[t.Any]:
        return FakeSession(self, deadline)

    def rescued(self, deadline: Deadline) -> list[str]:
        return [str(deadline)]


def go(provider: FakeProvider, wish: Wish = RESCUED, *, name: str = "web1", check: bool = False) -> Job:
    return change_server(provider, name, wish, clock=Clock(), check=check, roll=Roll())
