# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._openstack.provider import OpenStackProvider
from ansible_collections.openrescue.server.plugins.module_utils._time import Deadline

from .wire import SERVER, Cloud, Response, Rule


def connected(cloud: Cloud) -> tuple[OpenStackProvider, Deadline]:
    clock = t.cast("t.Any", cloud.clock)
    provider, deadline = OpenStackProvider({"cloud": "unit"}, clock=clock), Deadline(clock, seconds=60)
    provider.connect(deadline)
    return provider, deadline


# -- each server by itself


def test_what_is_known_of_one_server_is_not_known_of_the_next(cloud: Cloud) -> None:
    provider, deadline = connected(cloud)
    one, two = (provider.session(deadline) for _server in range(2))
    one.find("web1")
    one.memory.committed = True
    assert (two.memory.shown, two.memory.committed) == ({}, False)
    assert one.connection is two.connection


# -- all servers that are rescued or held

OURS: list[tuple[str, dict[str, str], bool]] = [
    ("active", {}, False),
    ("active", {"theirs": "x"}, False),
    ("error", {}, False),
    ("rescued", {}, True),
    ("active", {"openrescue": "{}"}, True),
    ("stopped", {"openrescue_hold": "{}"}, True),
]


@pytest.mark.parametrize(("vm_state", "metadata", "listed"), OURS)
def test_rescued_or_held(cloud: Cloud, vm_state: str, metadata: dict[str, str], listed: bool) -> None:
    cloud.be(vm_state)
    cloud.server["metadata"] = metadata
    provider, deadline = connected(cloud)
    assert provider.rescued(deadline) == ([SERVER] if listed else [])


def page(*servers: dict[str, t.Any], more: bool) -> Response:
    return Response(200, {"servers": list(servers), **({"servers_links": [{"rel": "next"}]} if more else {})})


def test_all_pages_are_read(cloud: Cloud) -> None:
    cloud.be("rescued")
    other = {**cloud.server, "id": "other"}
    partial = {"id": "in-a-down-cell", "status": "UNKNOWN"}
    cloud.rules.append(Rule(r"detail\?limit=\d+$", answer=page(partial, cloud.server, more=True)))
    cloud.rules.append(Rule(rf"detail\?limit=\d+&marker={SERVER}$", answer=page(other, more=False)))
    provider, deadline = connected(cloud)
    assert provider.rescued(deadline) == [SERVER, "other"]


def test_a_list_without_end_is_given_up(cloud: Cloud) -> None:
    cloud.rules.append(Rule(r"detail\?limit", answer=page(cloud.server, more=True), times=1000))
    provider, deadline = connected(cloud)
    with pytest.raises(OpenRescueError) as caught:
        provider.rescued(deadline)
    assert caught.value.code == "too_many_servers"
