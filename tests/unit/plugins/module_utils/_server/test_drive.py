# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import threading
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import (
    ConnectionLost,
    Held,
    OpenRescueError,
    StateChanged,
)
from ansible_collections.openrescue.server.plugins.module_utils._libvirt import plan as planning
from ansible_collections.openrescue.server.plugins.module_utils._server import drive as driving
from ansible_collections.openrescue.server.plugins.module_utils._server.drive import drive, drive_all, inspect_all
from ansible_collections.openrescue.server.plugins.module_utils._server.factory import create_provider
from ansible_collections.openrescue.server.plugins.module_utils._server.marker import Marker
from ansible_collections.openrescue.server.plugins.module_utils._server.model import Job, Problem, Situation, Wish
from ansible_collections.openrescue.server.plugins.module_utils._server.provider import Provider, Run
from ansible_collections.openrescue.server.plugins.module_utils._server.result import result, summary
from ansible_collections.openrescue.server.plugins.module_utils._time import Clock, Deadline

RESCUED = Wish(state="rescued", image="/i")


def error(code: str) -> OpenRescueError:
    kinds = {kind.code: kind for kind in (ConnectionLost, Held, StateChanged)}
    return kinds.get(code, OpenRescueError)(f"it is {code}", code=code, hint="Do something")


class FakeRun(Run):
    def __init__(self, provider: FakeProvider, now: Situation, plan: planning.Plan, wish: Wish) -> None:
        self.provider, self.now, self.plan, self.wish = provider, now, plan, wish

    def do(self, step: str) -> bool:
        self.provider.done.append(step)
        failures = self.provider.failures.get(step, [])
        if failures:
            raise failures.pop(0)
        return True

    def finish(self) -> None:
        self.provider.seen = planning.predict(self.now, self.plan, self.wish)


class FakeProvider(Provider):
    """Servers that are what the last plan has made of them."""

    name = "fake"

    def __init__(self, **failures: list[Exception]) -> None:
        self.failures: dict[str, list[Exception]] = failures
        self.done: list[str] = []
        self.blockers: list[Problem] = []
        self.connected = 0
        self.seen = Situation(
            name="web1", id="u1", provider="fake", status="running", power_state="running", runs="own"
        )

    def connect(self, deadline: Deadline) -> None:
        assert deadline.left > 0
        self.connected += 1

    def close(self) -> None:
        pass

    def find(self, asked: str) -> tuple[str, str]:
        if asked == "missing":
            raise error("server_not_found")
        if asked == "defect":
            raise ZeroDivisionError
        return "u1", asked

    def observe(self, server: str) -> Situation:
        assert server == "u1"
        return self.seen

    def console_log(self, server: str) -> str:
        raise AssertionError(server)

    def preflight(self, now: Situation, wish: Wish) -> tuple[list[Problem], list[Problem]]:
        assert now and wish
        return self.blockers, [Problem("note", "mind this")]

    def plan(self, now: Situation, wish: Wish) -> planning.Plan:
        return planning.plan(now, wish)

    def predict(self, now: Situation, plan: planning.Plan, wish: Wish) -> Situation:
        return planning.predict(now, plan, wish)

    def way_back(self, now: Situation, wish: Wish) -> planning.Plan | None:
        return planning.plan_unrescue(now, wish)

    def within(self, deadline: Deadline) -> Provider:
        self.deadline = deadline
        return self

    def begin(self, now: Situation, plan: planning.Plan, job: Job, deadline: Deadline) -> Run:
        assert deadline
        self.done.append("begin")
        failures = self.failures.get("begin", [])
        if failures:
            raise failures.pop(0)
        wish = job.wish if not plan.ending else dataclasses.replace(job.wish, state="unrescued")
        return FakeRun(self, now, plan, wish)


def go(provider: Provider, wish: Wish = RESCUED, *, name: str = "web1", check: bool = False) -> Job:
    return drive(provider, name, wish, clock=Clock(), check=check)


def test_a_plan_is_followed() -> None:
    provider = FakeProvider()
    job = go(provider)
    assert job.error is None
    assert job.changed
    assert provider.done == ["begin", "create_disks", "stop_server", "start_rescue"]
    assert job.actions == ["write_marker", "create_disks", "stop_server", "start_rescue", "write_marker"]
    assert job.after is not None
    assert job.after.state == "rescued"
    assert set(job.timings) == {"preflight", "take_hold", *provider.done[1:], "let_go", "total"}
    again = go(provider)
    assert (again.changed, again.actions) == (False, [])


def test_check_mode_predicts_and_does_nothing() -> None:
    provider = FakeProvider()
    checked = go(provider, check=True)
    assert provider.done == []
    done = go(provider)
    assert checked.after == done.after
    assert (checked.changed, checked.actions) == (done.changed, done.actions)


def test_blockers_are_all_told() -> None:
    provider = FakeProvider()
    provider.blockers = [Problem("one", "it is one", "Do one"), Problem("two", "it is two", "Do two")]
    for check in (False, True):
        job = go(provider, check=check)
        assert job.error is not None
        assert job.error.code == "one"
        assert "Do two" in str(job.error)
        assert not job.changed
    assert provider.done == []


@pytest.mark.parametrize("step", ["create_disks", "stop_server", "start_rescue"])
def test_a_rescue_that_fails_is_put_back(step: str) -> None:
    provider = FakeProvider(**{step: [error("broken")]})
    marker = Marker(id="", phase=step, image="/i", since="", power="running", autostart=False, definition="")
    provider.seen = dataclasses.replace(provider.seen, marker=marker, runs="own" if step == "stop_server" else "off")
    job = go(provider)
    assert job.error is not None
    assert job.error.code == "broken"
    assert "put back as it was" in str(job.error)
    assert job.after is not None
    assert (job.after.state, job.after.runs) == ("unrescued", "own")


def test_putting_back_that_fails_too_is_said() -> None:
    provider = FakeProvider(start_rescue=[error("broken")], begin=[])
    marker = Marker(id="", phase="x", image="/i", since="", power="running", autostart=False, definition="")
    provider.seen = dataclasses.replace(provider.seen, marker=marker, runs="off")
    provider.failures["start_server"] = [error("worse")]
    job = go(provider)
    assert job.error is not None
    assert job.error.code == "broken"
    assert "it is worse" in str(job.error)
    assert "state: unrescued" in str(job.error)


def test_who_is_held_is_left_alone() -> None:
    provider = FakeProvider(begin=[error("held")])
    job = go(provider)
    assert job.error is not None
    assert job.error.code == "held"
    assert provider.done == ["begin"]
    assert not job.changed


def test_a_lost_connection_is_made_again() -> None:
    provider = FakeProvider(stop_server=[error("connection_lost"), error("connection_lost")])
    job = go(provider)
    assert job.error is None
    assert provider.connected == 2
    assert job.actions.count("reconnect") == 2
    assert job.after is not None
    assert job.after.state == "rescued"


def test_a_lost_connection_does_not_last_beyond_the_timeout() -> None:
    provider = FakeProvider(stop_server=[error("connection_lost")])
    job = go(provider, dataclasses.replace(RESCUED, timeout=0.0))
    assert job.error is not None
    assert job.error.code == "connection_lost"
    assert provider.connected == 0


def test_many_each_to_its_end_in_the_order_asked() -> None:
    names = ["missing", "a", "defect", "b", "a"]
    jobs = drive_all(FakeProvider(), names, RESCUED, clock=Clock(), check=False)
    assert [job.asked for job in jobs] == names
    codes = [None if job.error is None else job.error.code for job in jobs]
    assert codes[0] == "server_not_found"
    assert codes[2] == "unexpected"
    assert codes[1] is codes[3] is None
    assert jobs[4] is jobs[1]
    assert "2 of 5 servers failed" in summary(jobs)
    assert result(jobs[0])["error"]["code"] == "server_not_found"
    assert result(jobs[1])["state"] == "rescued"


def test_a_call_that_never_returns_costs_one_server_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driving, "GRACE", 0.05)
    stuck = threading.Event()

    class Stuck(FakeProvider):
        def find(self, asked: str) -> tuple[str, str]:
            if asked == "stuck":
                stuck.wait(30)
            return super().find(asked)

    wish = dataclasses.replace(RESCUED, timeout=0.1, shutdown_timeout=0.0)
    jobs = drive_all(Stuck(), ["stuck", "a"], wish, clock=Clock(), check=True)
    stuck.set()
    assert jobs[0].error is not None
    assert jobs[0].error.code == "timeout"
    assert jobs[1].error is None


def test_inspection_collects_what_stands_in_the_way() -> None:
    provider = FakeProvider()
    provider.blockers = [Problem("one", "it is one", "Do one")]
    fine, gone = inspect_all(provider, ["a", "missing"], RESCUED, clock=Clock())
    assert [problem.code for problem in fine.blockers] == ["one"]
    assert fine.error is None
    assert gone.error is not None
    assert provider.done == []


def test_the_option_provider_chooses() -> None:
    params: dict[str, t.Any] = {"provider": "openstack", "libvirt_uri": "qemu:///system"}
    assert create_provider(params).name == "openstack"
    assert create_provider({**params, "provider": "libvirt"}).name == "libvirt"
