# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._server.hold import Claim, Hold
from ansible_collections.openrescue.server.plugins.module_utils._server.model import Job

from .wire import PROJECT, SERVER, Cloud, Response, Rule, fault

Go = t.Callable[..., Job]

ME, YOU = Claim(owner="me@here"), Claim(owner="you@there")
RUN, DEAD = Claim(owner="me@here", run="elsewhere/1/1"), Hold(owner="you@there", run="elsewhere/2/2", until=1.0)


def code(job: Job) -> str | None:
    return None if job.error is None else job.error.code


# -- finding


def test_by_name_and_by_id(cloud: Cloud, go: Go) -> None:
    assert go("rescued", look=True).id == go("rescued", asked=SERVER, look=True).id == SERVER
    missing = go("rescued", asked="web2", look=True)
    assert code(missing) == "server_not_found"
    assert "'web1'" in str(missing.error)


# -- a cell that does not answer

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


# -- who has it


def held(cloud: Cloud) -> t.Any:
    return json.loads(cloud.server["metadata"].get("openrescue_hold", "null"))


def test_a_hold_is_written_with_the_marker_and_removed_with_it(cloud: Cloud, go: Go) -> None:
    there = go("rescued", "rescue", claim=ME)
    assert there.error is None
    assert held(cloud)["owner"] == "me@here"
    assert there.after is not None and there.after.hold is not None
    assert [one for one in cloud.wire if "metadata" in one] == [f"POST /v2.1/servers/{SERVER}/metadata"]
    assert not go("rescued", "rescue", claim=ME).changed
    other = go("unrescued", claim=YOU)
    assert code(other) == "held"
    assert "me@here" in str(other.error)
    assert cloud.posts == ["rescue"]
    assert go("unrescued", claim=ME).error is None
    assert cloud.server["metadata"] == {}


def test_another_run_keeps_away(cloud: Cloud, go: Go) -> None:
    assert go("rescued", "rescue", claim=RUN).error is None
    for state in ("rescued", "unrescued"):
        assert code(go(state, claim=Claim(owner="me@here", run="elsewhere/3/3"))) == "held"
    assert go("unrescued", claim=RUN).error is None


def test_a_phase_or_a_lease_is_not_written_where_it_cannot_be(cloud: Cloud, go: Go) -> None:
    go("rescued", "rescue", claim=RUN)
    later = go("rescued", "rescue", claim=Claim(owner="me@here", run=RUN.run, phase="repair"))
    assert (later.changed, later.warnings, later.error) == (False, [], None)
    assert not [one for one in cloud.wire if "metadata" in one]


def test_a_takeover_that_cannot_be_written_is_said(cloud: Cloud, go: Go) -> None:
    cloud.server["metadata"]["openrescue_hold"] = json.dumps(DEAD.to_flat())
    cloud.be("rescued")
    there = go("rescued", "rescue", claim=RUN)
    assert there.error is None
    assert [warning.code for warning in there.warnings] == ["hold_unwritten"]
    assert "you@there" in str(there.warnings[0])
    assert go("unrescued", claim=RUN).error is None
    assert cloud.server["metadata"] == {}


def test_a_hold_that_cannot_be_read_is_somebodys(cloud: Cloud, go: Go) -> None:
    cloud.server["metadata"]["openrescue_hold"] = "mine!"
    cloud.be("rescued")
    assert code(go("unrescued", claim=ME)) == "held"
    assert go("unrescued", claim=Claim(owner="me@here", force=True)).error is None


def test_a_hold_that_was_left_behind_is_released(cloud: Cloud, go: Go) -> None:
    cloud.server["metadata"]["openrescue_hold"] = json.dumps(Hold(owner="me@here").to_flat())
    job = go("unrescued", claim=ME)
    assert (job.error, job.changed, job.actions) == (None, True, ["release_hold"])
    assert cloud.server["metadata"] == {}


def test_there_may_be_room_for_the_marker_only(cloud: Cloud, go: Go) -> None:
    cloud.metadata_limit = 1
    job = go("rescued", "rescue", claim=ME)
    assert list(cloud.server["metadata"]) == ["openrescue"]
    assert list(job.unwritten) == ["openrescue_hold"]
    assert "hold_unwritten" in [warning.code for warning in job.warnings]


def test_from_error_nobody_can_be_noted(cloud: Cloud, go: Go) -> None:
    cloud.be("error")
    job = go("rescued", "rescue", claim=ME)
    assert list(job.unwritten) == ["openrescue_hold"]
    assert {"hold_unwritten", "not_remembered"} <= {warning.code for warning in job.warnings}


def test_a_hold_on_a_server_at_rest_that_the_cloud_refuses(cloud: Cloud, go: Go) -> None:
    cloud.server["metadata"]["openrescue_hold"] = json.dumps(Hold(owner="me@here").to_flat())
    cloud.rules.append(Rule("^DELETE", answer=fault(403, "Policy doesn't allow it", "forbidden")))
    job = go("unrescued", claim=ME)
    assert job.error is None
    assert [warning.code for warning in job.warnings] == ["hold_unwritten"]


# -- what comes too late


@pytest.mark.parametrize(
    ("more", "codes"),
    [({}, []), ({"admin_password": "p"}, ["unheeded"]), ({"ssh_authorized_keys": ("k",)}, ["unheeded"])],
)
def test_what_a_second_run_asks_for_in_vain_is_said(
    cloud: Cloud, go: Go, more: dict[str, t.Any], codes: list[str]
) -> None:
    go("rescued", "rescue")
    again = go("rescued", "rescue", **more)
    assert (again.changed, again.error) == (False, None)
    assert [warning.code for warning in again.warnings] == codes


# -- whether its own system lives

LIVES = [
    ("active", 1, "unknown"),
    ("active", 4, "down"),
    ("stopped", 4, "down"),
    ("rescued", 1, "down"),
    ("error", 4, "down"),
    ("error", 7, "down"),
    # in ERROR after a resize that failed, say: it may well run
    ("error", 1, "unknown"),
    ("paused", 3, "unknown"),
]


@pytest.mark.parametrize(("vm_state", "power", "life"), LIVES)
def test_life(cloud: Cloud, go: Go, vm_state: str, power: int, life: str) -> None:
    cloud.be(vm_state, power)
    job = go("rescued", "rescue", look=True)
    assert job.life is not None
    assert job.life.state == life
    assert job.life.evidence
