# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._libvirt.plan import STEPS, plan, predict
from ansible_collections.openrescue.server.plugins.module_utils._libvirt.preflight import Facts, blockers, warnings
from ansible_collections.openrescue.server.plugins.module_utils._server.marker import (
    LEASE,
    Holder,
    Marker,
    holder_of_this_process,
    is_alive,
)
from ansible_collections.openrescue.server.plugins.module_utils._server.model import Situation, Wish
from ansible_collections.openrescue.server.plugins.module_utils._time import Clock, Deadline, Stopwatch, wait_until

RESCUED = Wish(state="rescued", image="/i")
UNRESCUED = Wish(state="unrescued")
MARKER = Marker(
    id="1", phase="rescued", image="/i", since="now", power="running", autostart=True, definition="d", asked="/i"
)
OFF = dataclasses.replace(MARKER, power="shutdown", autostart=False)
CUT = dataclasses.replace(MARKER, phase="stop_server")
ENDING = dataclasses.replace(MARKER, phase="stop_rescue", ending=True)


def seen(runs: t.Any = "off", marker: Marker | None = None, **more: t.Any) -> Situation:
    status = "shut off" if runs == "off" else "running"
    values: dict[str, t.Any] = {"status": status, "power_state": "shutdown" if runs == "off" else "running"}
    values.update({"definition": "d", **more})
    return Situation(name="web1", id="u", provider="libvirt", runs=runs, marker=marker, **values)


FRESH = ["create_disks", "start_rescue"]
PLANS = {
    "off": (seen(), RESCUED, FRESH),
    "running": (seen("own"), RESCUED, ["create_disks", "stop_server", "start_rescue"]),
    "with autostart": (
        seen("own", autostart=True),
        RESCUED,
        ["create_disks", "disable_autostart", "stop_server", "start_rescue"],
    ),
    "rescued": (seen("rescue", MARKER), RESCUED, []),
    "rescued, autostart came back": (seen("rescue", MARKER, autostart=True), RESCUED, ["disable_autostart"]),
    "rescue was switched off": (seen("off", MARKER), RESCUED, ["remove_disks", *FRESH]),
    "original was started by hand": (
        seen("own", MARKER),
        RESCUED,
        ["remove_disks", "create_disks", "stop_server", "start_rescue"],
    ),
    "cut off before the stop": (
        seen("own", CUT),
        RESCUED,
        ["remove_disks", "create_disks", "stop_server", "start_rescue"],
    ),
    "cut off after the start": (seen("rescue", CUT), RESCUED, []),
    "cut off on the way back": (seen("off", ENDING), RESCUED, ["remove_disks", *FRESH]),
    "never rescued": (seen("own"), UNRESCUED, []),
    "never rescued and off": (seen(), UNRESCUED, []),
    "back": (
        seen("rescue", MARKER),
        UNRESCUED,
        ["stop_rescue", "start_server", "enable_autostart", "remove_disks"],
    ),
    "back to off": (seen("rescue", OFF), UNRESCUED, ["stop_rescue", "remove_disks"]),
    "back, but running": (
        seen("rescue", OFF),
        dataclasses.replace(UNRESCUED, restore_power_state=False),
        ["stop_rescue", "start_server", "remove_disks"],
    ),
    "back after a host's reboot": (
        seen("off", MARKER),
        UNRESCUED,
        ["start_server", "enable_autostart", "remove_disks"],
    ),
    "back, cut off after the start": (seen("own", ENDING), UNRESCUED, ["enable_autostart", "remove_disks"]),
    "back, started by hand although it was off": (seen("own", OFF), UNRESCUED, ["remove_disks"]),
}


@pytest.mark.parametrize("case", PLANS)
def test_plans(case: str) -> None:
    now, wish, steps = PLANS[case]
    result = plan(now, wish)
    assert list(result.steps) == steps
    assert [STEPS.index(step) for step in steps if wish is RESCUED] == sorted(
        STEPS.index(step) for step in steps if wish is RESCUED
    )


@pytest.mark.parametrize("case", PLANS)
def test_what_a_plan_predicts_needs_no_further_plan(case: str) -> None:
    now, wish, _steps = PLANS[case]
    after = predict(now, plan(now, wish), wish)
    assert after.state == wish.state
    assert not plan(after, wish).changes


@pytest.mark.parametrize(
    ("now", "power", "autostart"),
    [
        (seen("own", autostart=True), "running", True),
        (seen(), "shutdown", False),
        # What was so before the first attempt is what counts, not what an interrupted run has left.
        (seen("off", CUT), "running", True),
        (seen("own", OFF), "running", False),
    ],
)
def test_what_will_be_restored(now: Situation, power: str, *, autostart: bool) -> None:
    result = plan(now, RESCUED)
    assert (result.power, result.autostart) == (power, autostart)


def test_a_marker_left_behind_is_put_right() -> None:
    result = plan(seen("rescue", CUT), RESCUED)
    assert result.changes
    assert result.actions == ["write_marker"]
    assert not plan(seen("rescue", MARKER), RESCUED).actions


@pytest.mark.parametrize("more", [{"image": "/other"}, {"disk_access": "read_only"}, {"kernel": "/k"}])
@pytest.mark.parametrize("runs", ["rescue", "off", "own"])
def test_another_rescue_is_refused(runs: str, more: dict[str, str]) -> None:
    with pytest.raises(OpenRescueError) as caught:
        plan(seen(runs, MARKER), dataclasses.replace(RESCUED, **more))
    assert caught.value.code == "rescued_otherwise"
    assert "web1" in str(caught.value)


@pytest.mark.parametrize(
    ("now", "state"),
    [
        (seen("own"), "unrescued"),
        (seen("rescue", MARKER), "rescued"),
        (seen("off", MARKER), "interrupted"),
        (seen("own", MARKER), "interrupted"),
        (seen("rescue", CUT), "interrupted"),
        (seen("own", CUT, held=True), "rescuing"),
        (seen("rescue", ENDING, held=True), "unrescuing"),
    ],
)
def test_states(now: Situation, state: str) -> None:
    assert now.state == state


BLOCKED: list[tuple[str, Situation, Facts]] = [
    ("owned_by_nova", seen("own"), Facts(owned_by_nova=True)),
    ("transient", seen("own"), Facts(persistent=False)),
    ("definition_gone", seen("rescue", MARKER), Facts(persistent=False)),
    ("foreign_definition", seen("foreign"), Facts()),
    ("paused", seen("own", status="paused"), Facts()),
    ("pmsuspended", seen("own", status="pmsuspended"), Facts()),
    ("managed_save_image", seen(), Facts(managed_save=True)),
    ("block_job", seen("own"), Facts(block_jobs=("vda",))),
    ("busy", seen("own"), Facts(busy=True)),
    ("image_is_disk", seen(), Facts(image_is_disk="vda")),
    ("definition_refused", seen(), Facts(definition_problem="no such bus")),
]


@pytest.mark.parametrize(("code", "now", "facts"), BLOCKED, ids=[row[0] for row in BLOCKED])
def test_blockers(code: str, now: Situation, facts: Facts) -> None:
    found = blockers(now, RESCUED, facts)
    assert [problem.code for problem in found] == [code]
    assert found[0].hint


def test_nothing_blocks_a_plain_server() -> None:
    for wish in (RESCUED, UNRESCUED):
        for now in (seen(), seen("own"), seen("rescue", MARKER), seen("own", status="crashed")):
            assert blockers(now, wish, Facts(not_read_only=("hda",))) == []
            assert warnings(now, wish, Facts()) == []


def test_read_only_is_refused_where_it_cannot_be() -> None:
    wish = dataclasses.replace(RESCUED, disk_access="read_only")
    assert [found.code for found in blockers(seen(), wish, Facts(not_read_only=("hda",)))] == ["read_only_impossible"]


def test_warnings_have_codes_and_come_before_the_rescue_only() -> None:
    facts = Facts(
        image_is_backing="/i",
        internal_snapshots=2,
        tpm=True,
        host_devices=1,
        secure_boot=True,
        live_only_disks=("vdb",),
    )
    wish = dataclasses.replace(RESCUED, admin_password="p")
    codes = [found.code for found in warnings(seen(), wish, facts)]
    assert len(codes) == len(set(codes)) == 7
    assert warnings(seen("rescue", MARKER), wish, facts) == []
    changed = warnings(seen("rescue", MARKER, definition="other"), UNRESCUED, facts)
    assert [found.code for found in changed] == ["definition_changed"]


def test_marker_there_and_back() -> None:
    holder = holder_of_this_process("t", now=5.0)
    for marker in (
        MARKER,
        OFF,
        dataclasses.replace(CUT, holder=holder, layer="/l", bare=True, disk_access="read_only"),
    ):
        flat = marker.to_flat()
        assert all(isinstance(value, str) for value in flat.values())
        assert Marker.from_flat(flat) == marker


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"version": "2"}, "marker_version"),
        ({"version": None}, "marker_version"),
        ({"image": None}, "marker_damaged"),
        ({"holder_who": "x"}, "marker_damaged"),
    ],
)
def test_marker_that_makes_no_sense(change: dict[str, str | None], code: str) -> None:
    flat = {key: value for key, value in {**MARKER.to_flat(), **change}.items() if value is not None}
    with pytest.raises(OpenRescueError) as caught:
        Marker.from_flat(flat)
    assert caught.value.code == code


def test_who_is_alive() -> None:
    me = holder_of_this_process("t", now=100.0)
    assert is_alive(me, now=100.0 + 10 * LEASE)
    # The process ID was given to another process since.
    assert not is_alive(dataclasses.replace(me, started="1"), now=100.0)
    assert not is_alive(dataclasses.replace(me, pid=2**22 + 1), now=100.0)
    elsewhere = Holder(who="a", scope="other", pid=1, started="1", token="t", until=100.0 + LEASE)
    assert is_alive(elsewhere, now=100.0)
    assert not is_alive(elsewhere, now=101.0 + LEASE)


class Fake:
    """A clock that passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.clock = Clock(monotonic=lambda: self.now, wall=lambda: self.now, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize(("comes", "seen_at"), [(0.0, 0.0), (0.5, 0.5), (9.95, 10.0), (11.0, None)])
def test_waiting(comes: float, seen_at: float | None) -> None:
    fake = Fake()
    ticks: list[float] = []
    seen = wait_until(
        lambda: fake.now + 1 if fake.now >= comes else None,
        deadline=Deadline(fake.clock, seconds=10),
        clock=fake.clock,
        poll_interval=0.25,
        tick=lambda: ticks.append(fake.now),
    )
    assert seen == (None if seen_at is None else seen_at + 1)
    assert fake.now <= 10.01
    assert bool(ticks) is (comes > 0)


def test_a_deadline_within_another() -> None:
    fake = Fake()
    outer = Deadline(fake.clock, seconds=5)
    assert outer.within(60).left == 5
    assert outer.within(2).left == 2
    fake.sleep(6)
    assert outer.left == outer.within(2).left == 0


def test_stopwatch_adds_up_and_counts_failures() -> None:
    fake = Fake()
    timings: dict[str, float] = {}
    watch = Stopwatch(fake.clock, timings)
    watch.measure("a", lambda: fake.sleep(1))
    watch.measure("a", lambda: fake.sleep(2))
    with pytest.raises(ZeroDivisionError):
        watch.measure("b", lambda: 1 // 0)
    assert timings == {"a": 3, "b": 0}
