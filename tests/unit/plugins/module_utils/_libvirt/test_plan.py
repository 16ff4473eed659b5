# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._libvirt.model import LibvirtSituation
from ansible_collections.openrescue.server.plugins.module_utils._libvirt.plan import STEPS, plan, predict, unheeded
from ansible_collections.openrescue.server.plugins.module_utils._libvirt.seed import fingerprint

from .situations import CUT, ENDING, MARKER, OFF, RESCUED, UNRESCUED, seen

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
def test_what_will_be_restored(now: LibvirtSituation, power: str, *, autostart: bool) -> None:
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


KEYS = fingerprint(["a", "b"], "")
SEEDS = [
    (KEYS, {"ssh_authorized_keys": ("b", "a")}, []),
    (KEYS, {"ssh_authorized_keys": ("a",)}, ["unheeded"]),
    (KEYS, {"ssh_authorized_keys": ("a", "b"), "user_data": "x"}, ["unheeded"]),
    ("", {"ssh_authorized_keys": ("a",)}, ["unheeded"]),
    # who asks for none is content with any
    (KEYS, {}, []),
]


@pytest.mark.parametrize(("holds", "wish", "codes"), SEEDS)
def test_other_keys_on_a_second_run(holds: str, wish: dict[str, t.Any], codes: list[str]) -> None:
    marker = dataclasses.replace(MARKER, seed="/seed" if holds else "", seed_holds=holds)
    found = unheeded(seen("rescue", marker), dataclasses.replace(RESCUED, **wish))
    assert [problem.code for problem in found] == codes


def test_a_seed_of_an_older_release_says_nothing() -> None:
    now = seen("rescue", dataclasses.replace(MARKER, seed="/seed"))
    assert unheeded(now, dataclasses.replace(RESCUED, user_data="x")) == []


@pytest.mark.parametrize(
    ("now", "state"),
    [
        (seen("own"), "unrescued"),
        (seen("rescue", MARKER), "rescued"),
        (seen("off", MARKER), "interrupted"),
        (seen("own", MARKER), "interrupted"),
        (seen("rescue", CUT), "interrupted"),
        (seen("own", CUT, at_work="root@host, process 1"), "rescuing"),
        (seen("rescue", ENDING, at_work="root@host, process 1"), "unrescuing"),
    ],
)
def test_states(now: LibvirtSituation, state: str) -> None:
    assert now.state == state
