# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._openstack import plan as nova_plan
from ansible_collections.openrescue.server.plugins.module_utils._openstack.plan import History
from ansible_collections.openrescue.server.plugins.module_utils._server.model import Situation, Wish

from .samples import NO_WAIT, RESCUED, UNRESCUED, server

STATES = [
    (server(), "unrescued"),
    (server(task_state="rescuing"), "rescuing"),
    (server("stopped", "rescuing", power=4), "rescuing"),
    (server("rescued"), "rescued"),
    (server("rescued", "unrescuing"), "unrescuing"),
    (server("rescued", power=4), "interrupted"),
    (server("error", power=4), "unrescued"),
    (server("error", power=4, mark="running"), "interrupted"),
    (server(mark="running"), "interrupted"),
    (server(task_state="powering-off"), "unrescued"),
]


@pytest.mark.parametrize(("now", "state"), STATES)
def test_the_state_follows_from_task_state_and_vm_state(now: Situation, state: str) -> None:
    assert now.state == state


NONE = History()
FAILED = History(failed_rescue=True, rescues=1)
LEFT = History(left_running=True)
KEEP_ON = dataclasses.replace(UNRESCUED, restore_power_state=False)
PLANS = [
    (server(), RESCUED, NONE, ("write_marker", "rescue")),
    (server("stopped", power=4), RESCUED, NONE, ("write_marker", "rescue")),
    # Nova writes no metadata in ERROR
    (server("error", power=4), RESCUED, NONE, ("rescue",)),
    (server("error", power=4), RESCUED, FAILED, ("reboot_hard", "write_marker", "rescue")),
    (server("rescued", mark="running"), RESCUED, NONE, ()),
    (server("rescued"), RESCUED, NONE, ()),
    (server("rescued", mark="running"), UNRESCUED, NONE, ("unrescue", "remove_marker")),
    (server("rescued", mark="shutdown"), UNRESCUED, NONE, ("unrescue", "stop_server", "remove_marker")),
    (server("rescued", mark="shutdown"), KEEP_ON, NONE, ("unrescue", "remove_marker")),
    (server("rescued", mark="shutdown"), NO_WAIT, NONE, ("unrescue",)),
    (server("rescued"), UNRESCUED, NONE, ("unrescue",)),
    (server(), UNRESCUED, NONE, ()),
    (server("stopped", power=4), UNRESCUED, NONE, ()),
    # in ERROR by other means
    (server("error", power=4), UNRESCUED, NONE, ()),
    (server("error", power=4, mark="running"), UNRESCUED, FAILED, ("reboot_hard", "remove_marker")),
    (server("error", power=4, mark="shutdown"), UNRESCUED, FAILED, ("reboot_hard", "stop_server", "remove_marker")),
    (server("error", power=4, mark="shutdown"), NO_WAIT, FAILED, ("reboot_hard",)),
    # a run that was killed after Nova's own end
    (server(mark="running"), UNRESCUED, NONE, ("remove_marker",)),
    (server(mark="shutdown"), UNRESCUED, LEFT, ("stop_server", "remove_marker")),
    (server(mark="shutdown"), UNRESCUED, NONE, ("remove_marker",)),
    (server("stopped", power=4, mark="shutdown"), UNRESCUED, NONE, ("remove_marker",)),
    # what is under way already, without waiting
    (server(task_state="rescuing"), RESCUED, NONE, ()),
    (server("rescued", "unrescuing"), UNRESCUED, NONE, ()),
]


@pytest.mark.parametrize(("now", "wish", "history", "steps"), PLANS)
def test_plans(now: Situation, wish: Wish, history: History, steps: tuple[str, ...]) -> None:
    plan = nova_plan.plan(now, wish, history=history)
    assert plan.steps == steps
    assert plan.actions == list(steps)
    after = nova_plan.predict(now, plan, wish)
    if plan.changes and wish.wait:
        assert after.state == wish.state
        assert after.power_state == ("shutdown" if plan.power == "shutdown" and plan.ending else after.power_state)


REFUSED = [
    (server("rescued", mark="running"), dataclasses.replace(RESCUED, image="other"), "rescued_otherwise"),
    (server("rescued", power=4), RESCUED, "rescue_died"),
    (server(task_state="unrescuing"), RESCUED, "busy"),
    (server(task_state="powering-off"), UNRESCUED, "busy"),
]


@pytest.mark.parametrize(("now", "wish", "code"), REFUSED)
def test_where_no_way_leads_there(now: Situation, wish: Wish, code: str) -> None:
    with pytest.raises(OpenRescueError) as caught:
        nova_plan.plan(now, wish, history=NONE)
    assert caught.value.code == code
    assert caught.value.hint


def test_the_same_image_by_another_name() -> None:
    now, other = server("rescued", mark="running"), dataclasses.replace(RESCUED, image="other")
    assert nova_plan.is_another_image(now, other)
    assert not nova_plan.plan(now, other, history=NONE, image="r-1").changes
    # In ERROR a marker cannot be written anew: this one is that of an earlier rescue.
    assert not nova_plan.plan(now, other, history=History(rescues=2), image="x").changes


@pytest.mark.parametrize(
    ("now", "power"),
    [
        (server("error", power=4, mark="shutdown"), "shutdown"),
        (server("error", power=4), ""),
        # A run was cut off after its hard reboot: that is why it runs.
        (server(mark="shutdown"), "shutdown"),
        (server(), "running"),
        (server("stopped", power=4), "shutdown"),
    ],
)
def test_what_unrescue_will_restore(now: Situation, power: str) -> None:
    assert nova_plan.plan(now, RESCUED, history=LEFT).power == power


def said(*actions: str) -> list[dict[str, t.Any]]:
    """The latest first; with an exclamation mark it failed."""
    return [{"action": one.rstrip("!"), "message": "Error" if one.endswith("!") else None} for one in actions]


HISTORIES = [
    ((), NONE),
    (("create",), NONE),
    (("rescue!", "create"), FAILED),
    (("rescue!", "stop", "rescue!", "create"), History(failed_rescue=True, rescues=2)),
    # a definition of its own again
    (("reboot", "rescue!"), History(left_running=True, rescues=1)),
    (("start", "rescue!"), History(rescues=1)),
    (("reboot!", "rescue!"), FAILED),
    (("rescue", "reboot", "rescue!"), History(rescues=2)),
    # rescued out of ERROR by other means
    (("rescue", "rescue!"), History(failed_rescue=True, rescues=2)),
    (("unrescue", "rescue", "rescue!"), LEFT),
    (("unrescue!", "rescue"), History(rescues=1)),
    (("stop", "unrescue", "rescue"), NONE),
]


@pytest.mark.parametrize(("actions", "history"), HISTORIES)
def test_what_was_asked_of_a_server(actions: tuple[str, ...], history: History) -> None:
    assert nova_plan.history_of(said(*actions)) == history
