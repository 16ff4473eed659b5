# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What awx/apply.yml tells AWX, and what it refuses before it tells it anything."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from openrescue_lab import awx

URL = "https://git.example/rescue.git"
BUTTONS = ["Triage", "Recover", "Rescue", "Diagnose", "Repair", "Collect", "Unrescue", "Undo"]
WORKFLOW = "Recover, ask before the repair"


def test_every_call_is_one_that_the_modules_take(full: awx.Applied) -> None:
    assert {name for name, _given in full.calls} == set(awx.MODULES)


@pytest.mark.parametrize("given", [{"name": "x", "job_type": "fly"}, {"name": "x", "no_such": 1}, {"job_type": "run"}])
def test_a_call_that_they_do_not_take_is_seen(given: dict[str, t.Any]) -> None:
    [spec] = awx.argument_specs("job_template").values()
    assert ArgumentSpecValidator(spec["argument_spec"]).validate(given).error_messages


def test_nothing_is_made_that_nobody_has_asked_for(bare: awx.Applied) -> None:
    made = [name for name, _given in bare.calls]
    assert set(made) == {"label", "inventory", "project", "job_template"}
    assert [given["name"] for given in bare.of("job_template")] == [f"openrescue: {name}" for name in BUTTONS]
    # Who is told of a job may have been set by hand.
    assert not any(option.startswith("notification") for given in bare.of("job_template") for option in given)


def test_what_others_need_is_made_before_them(full: awx.Applied) -> None:
    at = {name: [n for n, call in enumerate(full.calls) if call[0] == name] for name in awx.MODULES}
    for first, then in (
        ("label", "job_template"),
        ("notification_template", "inventory_source"),
        ("execution_environment", "inventory_source"),
        ("credential", "inventory_source"),
        ("inventory_source", "schedule"),
        ("project", "job_template"),
        ("job_template", "workflow_job_template_node"),
        ("workflow_job_template", "workflow_job_template_node"),
        ("workflow_job_template_node", "role"),
    ):
        assert max(at[first]) < min(at[then]), (first, then)
    labels = {given["name"] for given in full.of("label")}
    assert labels == {label for given in full.of("job_template") for label in given["labels"]}


def test_no_button_waits_for_the_cloud_or_falls_with_it(full: awx.Applied) -> None:
    [source] = full.of("inventory_source")
    assert source["update_on_launch"] is False
    [schedule] = full.of("schedule")
    assert schedule["rrule"] == "DTSTART:20260101T000000Z RRULE:FREQ=MINUTELY;INTERVAL=15"
    assert (schedule["unified_job_template"], schedule["state"]) == (source["name"], "present")
    assert "inventory" not in schedule, "the API refuses it"


def test_servers_without_an_address_are_listed_and_meant_by_their_id(full: awx.Applied) -> None:
    [source] = full.of("inventory_source")
    assert source["source_vars"] == {
        "show_all": True,
        "legacy_groups": False,
        "compose": {"rescue_provider": "'openstack'", "rescue_server": "openstack.id"},
    }


def test_a_timetable_that_is_not_wanted_goes(other: awx.Applied) -> None:
    [schedule] = other.of("schedule")
    assert schedule["state"] == "absent"
    assert "rrule" not in schedule


def test_a_changed_secret_is_sent_when_that_is_wanted(full: awx.Applied, other: awx.Applied) -> None:
    assert [given["update_secrets"] for given in full.of("credential")] == [False]
    assert [given["update_secrets"] for given in other.of("credential")] == [True]
    assert '"password"' not in full.text + other.text


def test_a_team_may_press_what_it_shall_and_sees_the_servers(full: awx.Applied) -> None:
    roles = [{key: value for key, value in given.items() if value} for given in full.of("role")]
    assert all(given["lookup_organization"] == "Ops" for given in roles)
    rights = [
        (given["team"], given["role"], given.get("job_templates", []), given.get("workflows", []))
        for given in roles
        if "inventories" not in given
    ]
    assert rights == [
        ("on call", "execute", BUTTONS, [WORKFLOW]),
        ("on call", "approval", [], [WORKFLOW]),
        ("help desk", "execute", ["Triage"], [WORKFLOW]),
    ]
    sees = [(given["team"], given["role"], given["inventories"]) for given in roles if "inventories" in given]
    assert sees == [(team, "read", ["openrescue servers"]) for team in ("on call", "help desk")]


def test_a_team_gets_buttons_by_their_whole_names(other: awx.Applied) -> None:
    """And nothing of a workflow that is not made."""
    execute, read = other.of("role")
    assert (execute["job_templates"], execute["workflows"]) == (["openrescue: Undo"], [])
    assert read["inventories"] == ["openrescue servers"]


def test_who_is_told_is_told_of_jobs_and_of_looks_for_servers(full: awx.Applied) -> None:
    told = [*full.of("job_template"), *full.of("inventory_source"), *full.of("workflow_job_template")]
    assert len(told) == len(BUTTONS) + 2
    assert all(given["notification_templates_error"] == ["chat", "pager"] for given in told)
    assert not any("notification_templates_success" in given for given in told)
    assert [given.get("notification_templates_approvals") for given in told] == [None] * (len(told) - 1) + [["pager"]]
    assert [given["name"] for given in full.of("notification_template")] == ["chat"], "the other one is AWX's"


#: Settings that are wrong, and what is said of them.
WRONG = [
    ({"awx_project_url": ""}, "Set awx_project_url"),
    ({"awx_ask": {"ansible_user": "root"}}, "awx_ask takes recover_serial"),
    ({"awx_ask": {"rescue_image": None}}, "rescue_image and verify_by need an answer"),
    ({"awx_ask": {"verify_timeout": "120"}}, 'offers "120" for verify_timeout, which is integer from 1 to 86400'),
    ({"awx_ask": {"rescue_timeout": 0}}, "offers 0 for rescue_timeout"),
    ({"awx_ask": {"rescue_timeout": True}}, "offers true for rescue_timeout"),
    ({"awx_ask": {"verify_by": "ping"}}, 'offers "ping" for verify_by, which is multiplechoice agent, ssh, console'),
    ({"awx_ask": {"rescue_image": ""}}, 'offers "" for rescue_image, which is text from 1 to 1024'),
    ({"awx_ask": {"recover_serial": 5}}, "offers 5 for recover_serial"),
    ({"awx_sync_minutes": "often"}, "awx_sync_minutes"),
    ({"awx_openstack": {"host": "https://cloud.example", "username": "u"}}, "awx_openstack has no password, project"),
    ({"awx_teams": [{"press": ["Triage"]}]}, "missing required arguments: name"),
    ({"awx_teams": [{"name": "on call", "press": ["Explode"]}]}, "Explode"),
    ({"awx_teams": [{"name": "on call", "press": [WORKFLOW]}]}, WORKFLOW),
    ({"awx_notify": {"failure": ["chat"]}}, "failure"),
    ({"awx_notification_templates": [{"name": "chat", "type": "webhook"}]}, "configuration"),
    ({"awx_organization": "Nobody"}, "AWX has no organization 'Nobody'"),
    ({"awx_credentials": ["rescue key"]}, "AWX has no credential 'rescue key'"),
    ({"awx_notify": {"error": ["chat"]}}, "AWX has no notification template 'chat'"),
]


#: Answers that may be offered.
RIGHT = [{"rescue_timeout": 1}, {"rescue_timeout": 86400}, {"verify_by": "console"}, {"recover_serial": "20%"}, {}]


def test_what_is_wrong_is_told_and_nothing_else(tmp_path: pathlib.Path) -> None:
    wrong = [settings for settings, _said in WRONG]
    told = awx.complaints(
        tmp_path, [{"awx_project_url": URL, **one} for one in [*wrong, *({"awx_ask": r} for r in RIGHT)]]
    )
    for (settings, said), text in zip(WRONG, told):
        assert said in text.replace('\\"', '"'), (settings, text)
    assert told[len(WRONG) :] == [""] * len(RIGHT)


def test_it_is_told_before_the_first_change(tmp_path: pathlib.Path) -> None:
    done = awx.apply(tmp_path, awx_project_url=URL, awx_ask={"verify_timeout": "120"})
    assert done.code != 0
    assert done.calls == []
