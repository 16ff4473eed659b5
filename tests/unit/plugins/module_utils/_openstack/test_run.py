# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest
import requests
from ansible_collections.openrescue.server.plugins.module_utils._server.model import Job
from ansible_collections.openrescue.server.plugins.module_utils._server.result import result

from .wire import RESCUE, Cloud, Response, Rule, fault

ACTION = r"^POST .*/action$"
MARK = r"^POST .*/metadata$"
SHOW = r"^GET /v2\.1/servers/[0-9a-f-]{36}$"

Go = t.Callable[..., Job]


def well(job: Job) -> Job:
    assert job.error is None, job.error
    return job


def code(job: Job) -> str | None:
    return None if job.error is None else job.error.code


def test_there_and_back(cloud: Cloud, go: Go) -> None:
    there = well(go("rescued", "rescue"))
    assert (there.actions, there.changed, there.request_id) == (["write_marker", "rescue"], True, "req-1")
    assert there.password == "made-up"
    assert cloud.bodies[-1] == {"rescue": {"rescue_image_ref": RESCUE}}
    assert not well(go("rescued", "rescue")).changed
    back = well(go("unrescued"))
    assert back.actions == ["unrescue", "remove_marker"]
    assert not well(go("unrescued")).changed
    assert cloud.posts == ["rescue", "unrescue"]
    assert cloud.server["metadata"] == {}


def test_a_server_that_was_off_is_off_again(cloud: Cloud, go: Go) -> None:
    cloud.be("stopped")
    assert well(go("rescued", "rescue")).after.state == "rescued"  # type: ignore[union-attr]
    assert well(go("unrescued")).actions == ["unrescue", "stop_server", "remove_marker"]
    assert cloud.server["status"] == "SHUTOFF"


# -- an answer that is lost


LOST: dict[str, tuple[Rule, int]] = {
    "before": (Rule(ACTION, answer=requests.exceptions.ConnectionError("reset")), 2),
    "after": (Rule(ACTION, answer=requests.exceptions.ConnectionError("reset"), forward=True), 1),
    "502 after": (Rule(ACTION, answer=Response(502, "<html>"), forward=True), 1),
    "429": (Rule(ACTION, answer=Response(429, "", **{"Retry-After": "7"})), 2),
    "503": (Rule(ACTION, answer=Response(503, "")), 2),
}


@pytest.mark.parametrize("case", LOST)
def test_an_action_is_never_sent_twice_unseen(cloud: Cloud, go: Go, case: str) -> None:
    rule, sent = LOST[case]
    cloud.rules.append(rule)
    assert well(go("rescued", "rescue")).request_id == "req-1"
    assert cloud.posts == ["rescue"] * sent
    assert len(cloud.actions) == 1
    first = next(index for index, one in enumerate(cloud.wire) if one.endswith("/action"))
    assert cloud.wire[first + 1].startswith("GET "), "it is looked at before it is asked again"


# -- an answer that is older than what it tells of


def test_a_stale_answer_to_a_rescue_is_not_believed(cloud: Cloud, go: Go) -> None:
    cloud.rules.append(Rule(SHOW, stale=True, times=3))
    assert well(go("rescued", "rescue")).after.state == "rescued"  # type: ignore[union-attr]


def test_a_stale_answer_to_an_unrescue_is_not_believed(cloud: Cloud, go: Go) -> None:
    go("rescued", "rescue")
    cloud.rules.append(Rule(SHOW, stale=True, times=3))
    assert well(go("unrescued")).after.status == "ACTIVE"  # type: ignore[union-attr]
    assert cloud.posts.count("unrescue") == 1


def test_a_stale_answer_to_a_stop_is_not_believed(cloud: Cloud, go: Go) -> None:
    cloud.be("stopped")
    go("rescued", "rescue")
    stopped = {"asked": False}
    cloud.rules.append(Rule(ACTION, skip=1, before=lambda: stopped.update(asked=True)))
    # After unrescue two looks at what it does, and one before the stop; the next ones are of before the stop.
    cloud.rules.append(Rule(SHOW, stale=True, skip=3, times=3))
    assert well(go("unrescued")).after.status == "SHUTOFF"  # type: ignore[union-attr]
    assert stopped["asked"]
    assert cloud.posts.count("os-stop") == 1


def test_a_rescue_that_nova_gives_up_without_a_word(cloud: Cloud, go: Go) -> None:
    cloud.ends["rescue"] = ["reverted"]
    job = go("rescued", "rescue")
    assert code(job) == "rescue_reverted"
    assert "put back as it was" in str(job.error)
    assert cloud.server["metadata"] == {}
    assert cloud.clock.now - 1_700_000_000 < 30


def test_an_unrescue_that_nova_gives_up_without_a_word(cloud: Cloud, go: Go) -> None:
    go("rescued", "rescue")
    cloud.ends["unrescue"] = ["reverted"]
    assert code(go("unrescued")) == "unrescue_reverted"
    well(go("unrescued"))


# -- metadata that cannot be written


@pytest.mark.parametrize("why", ["quota", "policy"])
def test_where_no_metadata_can_be_written_the_rescue_goes_on(cloud: Cloud, go: Go, why: str) -> None:
    cloud.be("stopped")
    if why == "quota":
        cloud.metadata_limit = 0
    else:
        cloud.rules.append(Rule(MARK, times=9, answer=fault(403, "Policy doesn't allow it", "forbidden")))
    job = well(go("rescued", "rescue"))
    assert cloud.server["status"] == "RESCUE"
    assert "unwritten" in [warning.code for warning in job.warnings]
    told = result(job)["unwritten"]["openrescue"]
    assert json.loads(told)["power"] == "shutdown"
    assert well(go("unrescued")).actions == ["unrescue"]


# -- from ERROR after a rescue that failed


def failed_rescue(cloud: Cloud, go: Go) -> None:
    cloud.be("stopped")
    cloud.ends["rescue"] = ["error"]
    job = go("rescued", "rescue")
    assert code(job) == "server_in_error"
    assert "state: unrescued" in str(job.error)


def test_after_a_failed_rescue_it_is_rebooted_before_the_next(cloud: Cloud, go: Go) -> None:
    failed_rescue(cloud, go)
    there = well(go("rescued", "rescue"))
    assert there.actions == ["reboot_hard", "write_marker", "rescue"]
    assert "reboot_first" in [warning.code for warning in there.warnings]
    assert cloud.posts == ["rescue", "reboot", "rescue"]
    back = well(go("unrescued"))
    assert "unproven" not in [warning.code for warning in back.warnings]
    assert cloud.server["status"] == "SHUTOFF", "what it was before the first rescue"


def test_after_a_failed_rescue_its_own_system_can_be_had(cloud: Cloud, go: Go) -> None:
    failed_rescue(cloud, go)
    assert well(go("unrescued")).actions == ["reboot_hard", "stop_server", "remove_marker"]
    assert (cloud.server["status"], cloud.server["metadata"]) == ("SHUTOFF", {})


def test_an_error_of_somebody_elses_needs_no_reboot(cloud: Cloud, go: Go) -> None:
    cloud.be("error")
    cloud.acted("resize", "Error")
    assert well(go("rescued", "rescue")).actions == ["rescue"]


def test_a_rescue_after_a_failed_one_of_somebody_elses_is_not_proven(cloud: Cloud, go: Go) -> None:
    cloud.be("rescued")
    cloud.acted("rescue", "Error")
    cloud.acted("rescue")
    job = well(go("unrescued"))
    assert [warning.code for warning in job.warnings] == ["unproven"]
    assert "reboot it hard" in str(job.warnings[0])


@pytest.mark.parametrize("again", ["rescued", "unrescued"])
def test_a_run_that_ends_after_the_reboot_is_finished(cloud: Cloud, go: Go, again: str) -> None:
    failed_rescue(cloud, go)
    cloud.rules.append(Rule(MARK, answer=Response(418, "")))
    cloud.rules.append(Rule(r"^DELETE", answer=Response(418, "")))
    assert code(go("rescued", "rescue")) == "api_error"
    assert cloud.server["status"] == "ACTIVE"
    if again == "rescued":
        well(go("rescued", "rescue"))
    well(go("unrescued"))
    assert (cloud.server["status"], cloud.server["metadata"]) == ("SHUTOFF", {})


# -- what the result tells of the disks and the image


def test_without_a_rescue_image_the_size_is_that_of_the_servers_own(cloud: Cloud, go: Go) -> None:
    job = well(go("rescued"))
    assert cloud.bodies[-1] == {"rescue": None}
    assert result(job)["rescue"]["image_size"] == 1000
    assert result(well(go("rescued")))["rescue"]["image_size"] == 1000


def test_the_size_of_a_raw_image_is_its_size(cloud: Cloud, go: Go) -> None:
    cloud.images[RESCUE].update(virtual_size=None, disk_format="raw", size=77)
    assert result(well(go("rescued", "rescue")))["rescue"]["image_size"] == 77


@pytest.mark.parametrize("stable", [False, True])
def test_disks_that_the_rescue_system_does_not_see(cloud: Cloud, go: Go, stable: bool) -> None:
    volume = "44444444-4444-4444-8444-444444444444"
    cloud.attach(volume, multiattach=True)
    cloud.server["flavor"].update(ephemeral=1, swap=512)
    if stable:
        cloud.images[RESCUE].update(hw_rescue_device="disk", hw_rescue_bus="virtio")
    # The second run knows it from the marker.
    for job in (go("rescued", "rescue"), go("rescued", "rescue")):
        disks = result(well(job))["rescue"]["disks"]
        assert [(disk["source"], disk["hidden"], disk["shared"]) for disk in disks] == [
            (volume, not stable, True),
            ("ephemeral", not stable, False),
            ("swap", not stable, False),
        ]
        assert (disks[0]["device"] is None) != stable
    assert not [one for one in cloud.wire if "/volumes/" in one]


def test_disks_of_a_server_that_was_rescued_by_other_means(cloud: Cloud, go: Go) -> None:
    volume = "44444444-4444-4444-8444-444444444444"
    cloud.attach(volume, multiattach=True)
    cloud.be("rescued")
    [disk] = result(well(go("rescued", "rescue")))["rescue"]["disks"]
    assert (disk["hidden"], disk["shared"]) == (True, True), "with what image nobody knows"
    # From a volume Nova rescues in one way only.
    cloud.server["image"] = ""
    [disk] = result(well(go("rescued", "rescue")))["rescue"]["disks"]
    assert (disk["hidden"], disk["shared"]) == (False, True)


# -- refusals that come with the request


def test_a_refusal_tells_what_to_do(cloud: Cloud, go: Go) -> None:
    cloud.rules.append(Rule(ACTION, answer=fault(409, "Instance x is locked", "conflictingRequest")))
    job = go("rescued", "rescue")
    assert code(job) == "locked"
    assert cloud.server["metadata"] == {}


def test_somebody_else_was_faster(cloud: Cloud, go: Go) -> None:
    def theirs() -> None:
        cloud.request("http://nova/v2.1/servers/x/action", "POST", json={"rescue": None})

    cloud.rules.append(Rule(ACTION, before=theirs))
    assert well(go("rescued", "rescue")).after.state == "rescued"  # type: ignore[union-attr]
