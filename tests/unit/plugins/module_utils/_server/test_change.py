# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._libvirt.model import LibvirtMarker
from ansible_collections.openrescue.server.plugins.module_utils._server.hold import Claim, Hold
from ansible_collections.openrescue.server.plugins.module_utils._server.model import Problem

from .fake_provider import RESCUED, UNRESCUED, FakeProvider, error, go


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
    assert checked.after is not None
    assert done.after is not None
    assert dataclasses.replace(checked.after, hold=None) == dataclasses.replace(done.after, hold=None)
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


def cut_off(step: str) -> LibvirtMarker:
    return LibvirtMarker(id="", phase=step, image="/i", since="", power="running")


@pytest.mark.parametrize("step", ["create_disks", "stop_server", "start_rescue"])
def test_a_rescue_that_fails_is_put_back(step: str) -> None:
    provider = FakeProvider(**{step: [error("broken")]})
    runs: t.Any = "own" if step == "stop_server" else "off"
    provider.seen = dataclasses.replace(provider.seen, marker=cut_off(step), runs=runs)
    job = go(provider)
    assert job.error is not None
    assert job.error.code == "broken"
    assert "put back as it was" in str(job.error)
    assert job.after is not None
    assert (job.after.state, job.after.runs, job.after.hold) == ("unrescued", "own", None)


def test_putting_back_that_fails_too_is_said() -> None:
    provider = FakeProvider(start_rescue=[error("broken")], begin=[])
    provider.seen = dataclasses.replace(provider.seen, marker=cut_off("x"), runs="off")
    provider.failures["start_server"] = [error("worse")]
    job = go(provider)
    assert job.error is not None
    assert job.error.code == "broken"
    assert "it is worse" in str(job.error)
    assert "state: unrescued" in str(job.error)


def test_who_is_held_in_the_last_moment_is_left_alone() -> None:
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


# -- the hold

ALICE = Claim(owner="alice", run="here/1/1", reason="kernel", phase="rescue")
BOB = Claim(owner="bob", run="here/2/2")


def rescued_by(claim: Claim, *, alive: bool | None = True) -> FakeProvider:
    provider = FakeProvider()
    assert go(provider, dataclasses.replace(RESCUED, claim=claim)).error is None
    provider.seen = dataclasses.replace(provider.seen, hold_alive=alive)
    provider.done.clear()
    return provider


def test_a_rescue_is_held_until_it_ends() -> None:
    provider = rescued_by(ALICE)
    hold = provider.seen.hold
    assert hold is not None
    assert (hold.owner, hold.run, hold.reason, hold.phase) == ("alice", ALICE.run, "kernel", "rescue")
    assert hold.since
    back = go(provider, dataclasses.replace(UNRESCUED, claim=ALICE))
    assert back.error is None
    assert provider.seen.hold is None


@pytest.mark.parametrize("wish", [RESCUED, UNRESCUED])
@pytest.mark.parametrize("check", [False, True])
def test_another_run_is_told_who_holds_it_and_changes_nothing(wish: t.Any, *, check: bool) -> None:
    provider = rescued_by(ALICE)
    before = provider.seen
    job = go(provider, dataclasses.replace(wish, claim=BOB), check=check)
    assert job.error is not None
    assert job.error.code == "held"
    assert job.error.retryable
    assert all(word in str(job.error) for word in ("alice", "kernel", "force_takeover"))
    assert (provider.done, provider.kept, provider.seen) == ([], [], before)
    assert not job.changed


@pytest.mark.parametrize("alive", [False, True])
def test_a_dead_hold_is_taken_over_and_a_live_one_by_force(*, alive: bool) -> None:
    provider = rescued_by(ALICE, alive=alive)
    job = go(provider, dataclasses.replace(RESCUED, claim=dataclasses.replace(BOB, force=alive)))
    assert job.error is None
    assert job.actions == ["take_over"]
    assert job.changed
    assert provider.done == []
    assert provider.seen.hold is not None
    assert provider.seen.hold.owner == "bob"


def test_a_phase_is_told_and_is_no_change() -> None:
    provider = rescued_by(ALICE)
    job = go(provider, dataclasses.replace(RESCUED, claim=dataclasses.replace(ALICE, phase="repair")))
    assert (job.error, job.changed, job.actions) == (None, False, [])
    assert provider.seen.hold is not None
    assert (provider.seen.hold.phase, provider.seen.hold.reason) == ("repair", "kernel")
    assert len(provider.kept) == 1
    provider.kept.clear()
    go(provider, dataclasses.replace(RESCUED, claim=dataclasses.replace(ALICE, phase="repair")))
    assert provider.kept == []


def test_a_hold_that_cannot_be_written_is_a_warning() -> None:
    provider = rescued_by(ALICE)
    provider.not_kept = Problem("hold_not_written", "it is not written")
    job = go(provider, dataclasses.replace(RESCUED, claim=dataclasses.replace(ALICE, phase="repair")))
    assert job.error is None
    assert [problem.code for problem in job.warnings] == ["hold_not_written"]


def test_what_was_rescued_by_other_means_is_not_ours() -> None:
    provider = rescued_by(ALICE)
    provider.seen = dataclasses.replace(provider.seen, hold=None, hold_alive=None)
    left = go(provider, dataclasses.replace(RESCUED, claim=BOB))
    assert (left.error, left.changed, provider.kept) == (None, False, [])
    refused = go(provider, dataclasses.replace(UNRESCUED, claim=BOB))
    assert refused.error is not None
    assert refused.error.code == "not_ours"
    assert provider.done == []
    person = go(provider, dataclasses.replace(UNRESCUED, claim=Claim(owner="carol")))
    assert person.error is None
    assert provider.seen.state == "unrescued"


def test_a_hold_without_a_rescue_is_released() -> None:
    """A run that died between taking hold and the rescue."""
    provider = FakeProvider()
    provider.seen = dataclasses.replace(provider.seen, hold=Hold("alice", run="here/1/1"), hold_alive=False)
    job = go(provider, dataclasses.replace(UNRESCUED, claim=BOB))
    assert job.error is None
    assert job.actions == ["take_over", "release_hold"]
    assert provider.kept == [None]


def test_a_call_at_work_keeps_everybody_away() -> None:
    provider = rescued_by(ALICE)
    provider.seen = dataclasses.replace(provider.seen, at_work="alice@host, process 7")
    job = go(provider, dataclasses.replace(RESCUED, claim=ALICE))
    assert job.error is not None
    assert job.error.code == "held"
    assert "process 7" in str(job.error)
