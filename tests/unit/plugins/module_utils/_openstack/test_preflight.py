# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._openstack.preflight import (
    NovaFacts,
    blockers,
    warnings,
)
from ansible_collections.openrescue.server.plugins.module_utils._server.model import Situation, Wish

from .samples import NO_WAIT, RESCUED, UNRESCUED, server

IMAGE = {"id": "r-1", "status": "active", "size": 1}
GOOD = NovaFacts(microversion=(2, 98), own_image="o-1", own_properties={}, image=IMAGE, booted=IMAGE)
STABLE = {**IMAGE, "hw_rescue_device": "disk", "hw_rescue_bus": "virtio"}


def changed(**values: t.Any) -> NovaFacts:
    # What Nova boots is the rescue image, where one is given.
    values.setdefault("booted", values.get("image", IMAGE))
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
    (server(), Wish(state="rescued"), changed(image=None), ["base_image_gone"]),
    # of a snapshot, whose own base image is gone
    (server(), Wish(state="rescued"), changed(image=None, base_image="b-1"), ["base_image_gone"]),
    (server(), Wish(state="rescued"), changed(image=None, booted=IMAGE), []),
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
    (server(), RESCUED, changed(local_extra=True), ["volumes_hidden"]),
    (server(), RESCUED, changed(volumes=1, volumes_shared=("v-1",), image=STABLE), ["volumes_shared"]),
    # the rescue system does not see it
    (server(), RESCUED, changed(volumes=1, volumes_shared=("v-1",)), ["volumes_hidden"]),
    (server("error", power=4, mark="running"), RESCUED, changed(failed_rescue=True), ["reboot_first"]),
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
