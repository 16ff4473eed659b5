# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import json
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._openstack import plan as nova_plan
from ansible_collections.openrescue.server.plugins.module_utils._openstack import server as shown
from ansible_collections.openrescue.server.plugins.module_utils._openstack.preflight import (
    NovaFacts,
    blockers,
    warnings,
)
from ansible_collections.openrescue.server.plugins.module_utils._server.model import Situation, Wish

RESCUED = Wish(state="rescued", image="rescue")
UNRESCUED = Wish(state="unrescued")
IMAGE = {"id": "r-1", "status": "active", "size": 1}
GOOD = NovaFacts(microversion=(2, 98), own_image="o-1", own_properties={}, image=IMAGE)
STABLE = {**IMAGE, "hw_rescue_device": "disk", "hw_rescue_bus": "virtio"}


def server(
    vm_state: str = "active", task_state: str | None = None, power: int = 1, mark: str = "", **more: t.Any
) -> Situation:
    """A server as Nova would show it; ``mark`` is the power state that a marker remembers."""
    metadata = {}
    if mark:
        value = {"version": "1", "id": "k", "power": mark, "since": "s", "image": "r-1", "asked": "rescue"}
        metadata["openrescue"] = json.dumps(value)
    status = {"active": "ACTIVE", "stopped": "SHUTOFF", "rescued": "RESCUE", "error": "ERROR"}
    body = {
        "id": "u-1",
        "name": "web1",
        "status": status.get(vm_state, vm_state.upper()),
        "metadata": metadata,
        "OS-EXT-STS:vm_state": vm_state,
        "OS-EXT-STS:task_state": task_state,
        "OS-EXT-STS:power_state": power,
        "fault": {"message": "Driver Error"},
    }
    return dataclasses.replace(shown.situation(body), **more)


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


NO_WAIT = dataclasses.replace(UNRESCUED, wait=False)
KEEP_ON = dataclasses.replace(UNRESCUED, restore_power_state=False)
PLANS = [
    (server(), RESCUED, ("write_marker", "rescue")),
    (server("stopped", power=4), RESCUED, ("write_marker", "rescue")),
    # Nova writes no metadata in ERROR
    (server("error", power=4), RESCUED, ("rescue",)),
    (server("rescued", mark="running"), RESCUED, ()),
    (server("rescued"), RESCUED, ()),
    (server("rescued", mark="running"), UNRESCUED, ("unrescue", "remove_marker")),
    (server("rescued", mark="shutdown"), UNRESCUED, ("unrescue", "stop_server", "remove_marker")),
    (server("rescued", mark="shutdown"), KEEP_ON, ("unrescue", "remove_marker")),
    (server("rescued", mark="shutdown"), NO_WAIT, ("unrescue",)),
    (server("rescued"), UNRESCUED, ("unrescue",)),
    (server(), UNRESCUED, ()),
    (server("stopped", power=4), UNRESCUED, ()),
    (server("error", power=4), UNRESCUED, ()),
    # a run that was killed after Nova's own end
    (server(mark="running"), UNRESCUED, ("remove_marker",)),
    (server(mark="shutdown", left_running=True), UNRESCUED, ("stop_server", "remove_marker")),
    (server(mark="shutdown"), UNRESCUED, ("remove_marker",)),
    (server("stopped", power=4, mark="shutdown"), UNRESCUED, ("remove_marker",)),
    # what is under way already, without waiting
    (server(task_state="rescuing"), RESCUED, ()),
    (server("rescued", "unrescuing"), UNRESCUED, ()),
]


@pytest.mark.parametrize(("now", "wish", "steps"), PLANS)
def test_plans(now: Situation, wish: Wish, steps: tuple[str, ...]) -> None:
    plan = nova_plan.plan(now, wish)
    assert plan.steps == steps
    assert plan.actions == list(steps)
    after = nova_plan.predict(now, plan, wish)
    if plan.changes and wish.wait:
        assert after.state == wish.state
        assert after.power_state == ("shutdown" if plan.power == "shutdown" and plan.ending else after.power_state)


REFUSED = [
    (server("rescued", mark="running"), dataclasses.replace(RESCUED, image="other"), "rescued_otherwise"),
    (server("rescued", power=4), RESCUED, "rescue_died"),
    (server("error", power=4, mark="running"), UNRESCUED, "server_in_error"),
    (server(task_state="unrescuing"), RESCUED, "busy"),
    (server(task_state="powering-off"), UNRESCUED, "busy"),
]


@pytest.mark.parametrize(("now", "wish", "code"), REFUSED)
def test_where_no_way_leads_there(now: Situation, wish: Wish, code: str) -> None:
    with pytest.raises(OpenRescueError) as caught:
        nova_plan.plan(now, wish)
    assert caught.value.code == code
    assert caught.value.hint


def changed(**values: t.Any) -> NovaFacts:
    return dataclasses.replace(GOOD, **values)


BLOCKED = [
    (server("paused", power=3), RESCUED, GOOD, ["paused"]),
    (server("suspended", power=7), RESCUED, GOOD, ["suspended"]),
    (server("shelved_offloaded", power=0), RESCUED, GOOD, ["shelved"]),
    (server("resized"), RESCUED, GOOD, ["resized"]),
    (server("building", power=0), RESCUED, GOOD, ["building"]),
    (server("rather_new"), RESCUED, GOOD, ["wrong_state"]),
    (server("error", power=0), RESCUED, changed(launched=False), ["never_launched"]),
    (server(), RESCUED, changed(locked=True), ["locked"]),
    (server(), RESCUED, changed(locked=True, admin=True), []),
    (server("rescued"), UNRESCUED, changed(locked=True), ["locked"]),
    (server(), dataclasses.replace(RESCUED, user_data="x"), GOOD, ["option_not_on_openstack"]),
    (server(), RESCUED, changed(vtpm=True), ["vtpm"]),
    (server(), Wish(state="rescued"), changed(own_properties=None, image=None), ["base_image_gone"]),
    (server(), RESCUED, changed(own_properties=None), []),
    (server(), RESCUED, changed(image={**IMAGE, "status": "queued", "size": None}), ["image_not_active"]),
    (server(), RESCUED, changed(image={**IMAGE, "block_device_mapping": "[]"}), ["image_without_disk"]),
    (server(), RESCUED, changed(image={**IMAGE, "size": 0}), ["image_without_disk"]),
    (server(), RESCUED, changed(image={**IMAGE, "kernel_id": "k"}), ["image_needs_kernel"]),
    (server(), RESCUED, changed(image={**IMAGE, "kernel_id": "k"}, own_properties={"kernel_id": "k"}), []),
    (server(), RESCUED, changed(image=STABLE, own_properties={"kernel_id": "k"}), ["direct_kernel_stable"]),
    (server(), RESCUED, changed(volume_backed=True, own_image="", image=STABLE), []),
    (server(), RESCUED, changed(volume_backed=True, own_image=""), ["volume_backed_image"]),
    (
        server(),
        RESCUED,
        changed(volume_backed=True, own_image="", image=STABLE, microversion=(2, 86)),
        ["volume_backed_microversion"],
    ),
    (server(), RESCUED, changed(volumes_not_in_use=("v-1 (error)",)), ["volume_not_in_use"]),
    (server("paused", power=3), RESCUED, changed(locked=True, vtpm=True), ["paused", "locked", "vtpm"]),
    (server(), RESCUED, GOOD, []),
]


@pytest.mark.parametrize(("now", "wish", "facts", "codes"), BLOCKED)
def test_blockers(now: Situation, wish: Wish, facts: NovaFacts, codes: list[str]) -> None:
    found = blockers(now, wish, facts)
    assert [problem.code for problem in found] == codes
    assert all(problem.message and problem.hint for problem in found)


WARNED = [
    (server(), RESCUED, GOOD, []),
    (server(), Wish(state="rescued"), GOOD, ["same_image"]),
    (server(), RESCUED, changed(image={**IMAGE, "id": "o-1"}), ["same_image"]),
    (server(), RESCUED, changed(volumes=2), ["volumes_hidden"]),
    (server(), RESCUED, changed(local_extra=1), ["volumes_hidden"]),
    (server(), RESCUED, changed(volumes=2, image=STABLE), []),
    (server(), RESCUED, changed(own_properties={"kernel_id": "k"}), ["kernel_of_server"]),
    (server("error", power=4), RESCUED, GOOD, ["not_remembered"]),
    (server("error", power=4, mark="shutdown"), RESCUED, GOOD, []),
    (server(), dataclasses.replace(RESCUED, admin_password="p"), GOOD, ["admin_password_ignored"]),
    (server("rescued"), NO_WAIT, GOOD, ["unfinished"]),
]


@pytest.mark.parametrize(("now", "wish", "facts", "codes"), WARNED)
def test_warnings(now: Situation, wish: Wish, facts: NovaFacts, codes: list[str]) -> None:
    assert [problem.code for problem in warnings(now, wish, facts)] == codes


def test_the_marker_fits_into_one_value_of_the_metadata() -> None:
    wish = dataclasses.replace(RESCUED, image="ä" * 255)
    marker = nova_plan.draft_marker(server("stopped", power=4), wish, image="r" * 36, key="0" * 8)
    value = shown.marker_to_metadata(marker)
    assert len(value) <= 255
    read = shown.marker_from_metadata({"openrescue": value})
    assert read == dataclasses.replace(marker, asked="")
    short = dataclasses.replace(marker, asked="rescue")
    assert shown.marker_from_metadata({"openrescue": shown.marker_to_metadata(short)}) == short


@pytest.mark.parametrize("value", ["", "x", "[]", "{}", '{"version": "2"}', '{"version": "1", "id": "k"}'])
def test_a_marker_that_makes_no_sense_is_none(value: str) -> None:
    assert shown.marker_from_metadata({"openrescue": value}) is None


@pytest.mark.parametrize(
    ("document", "versions"),
    [
        ({"version": {"id": "v2.1", "min_version": "2.1", "version": "2.104"}}, ((2, 1), (2, 104))),
        ({"versions": [{"id": "v2.0"}, {"id": "v2.1", "min_version": "2.1", "version": "2.79"}]}, ((2, 1), (2, 79))),
        ({"version": {"id": "v2.0"}}, ((2, 1), (2, 1))),
        ({"version": {"id": "v2.1", "min_version": "", "version": "new"}}, ((2, 1), (2, 1))),
        ([], ((2, 1), (2, 1))),
    ],
)
def test_versions(document: t.Any, versions: t.Any) -> None:
    assert shown.versions_in(document) == versions
