# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import threading

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._server import fleet
from ansible_collections.openrescue.server.plugins.module_utils._server.fleet import (
    Roll,
    change_servers,
    look_at_servers,
)
from ansible_collections.openrescue.server.plugins.module_utils._server.look import look_at_server
from ansible_collections.openrescue.server.plugins.module_utils._server.marker import Marker
from ansible_collections.openrescue.server.plugins.module_utils._server.model import Life, Problem
from ansible_collections.openrescue.server.plugins.module_utils._server.result import result, summary
from ansible_collections.openrescue.server.plugins.module_utils._time import Clock

from .fake_provider import RESCUED, FakeProvider, FakeSession


def test_many_each_to_its_end_in_the_order_asked() -> None:
    names = ["missing", "a", "defect", "b", "a"]
    jobs = change_servers(FakeProvider(), names, RESCUED, clock=Clock(), check=False)
    assert [job.asked for job in jobs] == names
    codes = [None if job.error is None else job.error.code for job in jobs]
    assert codes[0] == "server_not_found"
    assert codes[2] == "unexpected"
    assert codes[1] is codes[3] is None
    assert jobs[4] is jobs[1]
    assert "2 of 5 servers failed" in summary(jobs)
    assert result(jobs[0])["error"]["code"] == "server_not_found"
    assert result(jobs[1])["state"] == "rescued"


def test_one_server_by_two_names_is_changed_once() -> None:
    """By its name and by its ID, each in a thread of its own."""
    provider = FakeProvider()
    provider.ids = {"web1": "u1", "U1": "u1", "u1": "u1"}
    jobs = change_servers(provider, ["web1", "u1", "U1", "other"], RESCUED, clock=Clock(), check=False)
    assert len(jobs) == 4
    assert jobs[0] is jobs[1] is jobs[2]
    assert jobs[3] is not jobs[0]
    assert all(job.error is None for job in jobs)
    looked = look_at_servers(provider, ["web1", "u1"], RESCUED, clock=Clock())
    assert looked[0] is looked[1]


def test_a_call_that_never_returns_costs_one_server_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "GRACE", 0.05)
    monkeypatch.setattr(fleet, "PUT_BACK", 0.05)
    stuck = threading.Event()
    find = FakeSession.find

    def never(self: FakeSession, asked: str) -> tuple[str, str]:
        if asked == "stuck":
            stuck.wait(30)
        return find(self, asked)

    monkeypatch.setattr(FakeSession, "find", never)
    wish = dataclasses.replace(RESCUED, timeout=0.1, shutdown_timeout=0.0)
    jobs = change_servers(FakeProvider(), ["stuck", "a"], wish, clock=Clock(), check=True)
    stuck.set()
    assert jobs[0].error is not None
    assert jobs[0].error.code == "timeout"
    assert jobs[1].error is None


def test_inspection_collects_what_stands_in_the_way() -> None:
    provider = FakeProvider()
    provider.blockers = [Problem("one", "it is one", "Do one")]
    fine, gone = look_at_servers(provider, ["a", "missing"], RESCUED, clock=Clock())
    assert [problem.code for problem in fine.blockers] == ["one"]
    assert fine.error is None
    assert gone.error is not None
    assert provider.done == []


def test_what_a_module_knows_better_of_life_is_taken() -> None:
    up = Life("up", "somebody saw it", "console")
    job = look_at_server(
        FakeProvider(),
        "web1",
        RESCUED,
        clock=Clock(),
        roll=Roll(),
        watch=lambda _session, now: (now, up),
    )
    assert job.life is up


def test_a_marker_says_what_all_providers_return() -> None:
    marker = Marker(id="1", image="/i", since="now", power="running")
    assert (marker.previous, marker.details) == ({"power_state": "running", "autostart": False}, {})
