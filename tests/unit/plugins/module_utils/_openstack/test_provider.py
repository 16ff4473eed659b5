# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.openrescue.server.plugins.module_utils._openstack.provider import OpenStackProvider
from ansible_collections.openrescue.server.plugins.module_utils._server.model import Job
from ansible_collections.openrescue.server.plugins.module_utils._time import Deadline
from wire import PROJECT, SERVER, Cloud, Response, Rule

Go = t.Callable[..., Job]


def code(job: Job) -> str | None:
    return None if job.error is None else job.error.code


# -- finding


def test_by_name_and_by_id(cloud: Cloud, go: Go) -> None:
    assert go("rescued", look=True).id == go("rescued", asked=SERVER, look=True).id == SERVER
    missing = go("rescued", asked="web2", look=True)
    assert code(missing) == "server_not_found"
    assert "'web1'" in str(missing.error)


# -- a cell that does not answer (T19)

#: as Nova 34 shows a server of a down cell, in a list and by its ID
LISTED = {"id": SERVER, "status": "UNKNOWN"}
SHOWN = {**LISTED, "tenant_id": PROJECT, "created": "x", "image": "", "flavor": {}, "OS-EXT-STS:power_state": 0}


def test_a_server_of_a_down_cell_by_its_id(cloud: Cloud, go: Go) -> None:
    cloud.rules.append(Rule(f"^GET .*/servers/{SERVER}$", answer=Response(200, {"server": SHOWN}), times=9))
    for look in (False, True):
        job = go("rescued", asked=SERVER, look=look)
        assert code(job) == "cell_down"
        assert job.error is not None and job.error.retryable
        assert SERVER in str(job.error)


def test_a_server_of_a_down_cell_by_its_name(cloud: Cloud, go: Go) -> None:
    """Nova leaves it out where it looks by name, and lists it without one."""
    cloud.server["name"] = "other"
    servers = [LISTED, {"id": "x", "name": "other"}]
    cloud.rules.append(Rule(r"^GET .*/servers$", answer=Response(200, {"servers": servers})))
    job = go("rescued", look=True)
    assert code(job) == "cell_down"
    assert "1 of this project" in str(job.error)


def test_a_cell_that_goes_down_during_a_rescue(cloud: Cloud, go: Go) -> None:
    cloud.rules.append(Rule(f"^GET .*/servers/{SERVER}$", answer=Response(200, {"server": SHOWN}), times=1))
    job = go("rescued", "rescue")
    assert code(job) == "cell_down"
    assert go("rescued", "rescue").error is None, "the next run finishes"


# -- each server by itself (W2)


def test_what_is_known_of_one_server_is_not_known_of_the_next(cloud: Cloud) -> None:
    clock = t.cast("t.Any", cloud.clock)
    provider = OpenStackProvider({"cloud": "unit"}, clock=clock)
    provider.connect(Deadline(clock, seconds=60))
    one, two = (provider.session(Deadline(clock, seconds=60)) for _server in range(2))
    one.find("web1")
    one.memory.committed = True
    assert (two.memory.shown, two.memory.committed) == ({}, False)
    assert one.connection is two.connection
