# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record of one server, and the schema that says what is in it."""

from __future__ import annotations

import json
import pathlib
import typing as t

import jsonschema
import pytest
from ansible_collections.openrescue.server.plugins.filter.run_record import run_record
from ansible_collections.openrescue.server.plugins.filter.way_end import STEPS

SCHEMA = json.loads((pathlib.Path(__file__).parents[4] / "docs/run_record.schema.json").read_text(encoding="utf-8"))
BACK = {"outcome": "back", "error": "", "said": "web1 is back", "next": []}
FAILED = {"outcome": "failed", "error": "", "said": "", "next": []}
SAFE = {"fault": "safe-one", "severity": "error", "summary": "s", "remedy": "r", "remedy_safe": True}
RISKY = {**SAFE, "fault": "risky-one", "remedy_safe": False}
BARE = {**SAFE, "fault": "bare-one", "remedy": None}


def record(steps: dict[str, t.Any], end: dict[str, t.Any] | None = None, **given: t.Any) -> dict[str, t.Any]:
    found = run_record(steps, **{"name": "web1", "provider": "libvirt", "end": end or BACK, **given})
    jsonschema.validate(found, SCHEMA)
    return found


def test_a_record_of_nothing_is_one_of_a_server_that_nobody_found() -> None:
    empty = record({"rescue": {}, "diagnose": None}, {**FAILED, "error": "the image is gone"})
    assert empty["outcome"] == "failed"
    assert (empty["name"], empty["id"], empty["changed"], empty["error"]) == ("web1", None, False, "the image is gone")
    assert record({}, FAILED)["error"] == "no reason given"


def test_the_last_word_on_the_server_counts() -> None:
    rescued = {"server": {"name": "web1.example", "state": "rescued"}, "changed": True}
    unrescued = {"server": {"name": "web1.example", "state": "unrescued", "id": "4"}}
    found = record({"rescue": rescued, "unrescue": unrescued}, run="s/1/1")
    assert (found["name"], found["state"], found["id"]) == ("web1.example", "unrescued", "4")
    assert (found["changed"], found["error"], found["run"]) == (True, None, "s/1/1")
    assert record({"rescue": rescued})["state"] == "rescued"


def test_each_reason_is_told_once_and_in_order() -> None:
    steps = {
        "unrescue": {"failed": True, "msg": "c"},
        "diagnose": {"failed": True, "msg": "b"},
        "repair": {"failed": True, "msg": "b"},
        "rescue": {"failed": False, "msg": "no"},
    }
    assert record(steps, {**FAILED, "error": "a"})["error"] == "a | b | c"
    assert record({"rescue": {"failed": True, "msg": "no"}}, {**FAILED, "error": "server 'x': no"})["error"] == (
        "server 'x': no"
    )


def test_the_findings_of_the_disks_win() -> None:
    found = record({"triage": {"findings": [BARE]}, "diagnose": {"findings": [SAFE], "verdict": "unbootable"}})
    assert (found["findings"][0]["fault"], found["verdict"]) == ("safe-one", "unbootable")
    assert record({"triage": {"findings": [BARE], "boot": "failed"}})["findings"] == [
        {"fault": "bare-one", "severity": "error", "summary": "s"}
    ]
    repaired = record({"repair": {"applied": [SAFE], "failed_findings": [RISKY], "undo": "u1", "changed": True}})
    assert (repaired["applied"], repaired["not_repaired"], repaired["undo"]) == (["safe-one"], ["risky-one"], "u1")


def test_earlier_repairs_are_those_that_were_not_taken_back() -> None:
    bundles = [{"id": "u1", "state": "kept"}, {"id": "u2", "state": "reverted"}, {"id": "u3", "state": "unfinished"}]
    assert record({"diagnose": {"findings": [], "bundles": bundles}})["earlier"] == ["u1"]


def test_what_comes_next_is_kept() -> None:
    end = {"outcome": "rescued", "error": "", "said": "", "next": ["ansible-playbook openrescue.server.unrescue"]}
    assert record({}, end)["next"] == end["next"]


@pytest.mark.parametrize("outcome", [*STEPS.values(), "back", "off", "left_alone", "collected", "checked", "failed"])
def test_the_schema_knows_every_outcome(outcome: str) -> None:
    assert record({}, {**BACK, "outcome": outcome})["outcome"] == outcome


def test_the_schema_says_what_each_field_means() -> None:
    assert set(SCHEMA["properties"]) == set(SCHEMA["required"]) == set(record({}))
    assert all(about["description"] for about in SCHEMA["properties"].values())
    assert SCHEMA["additionalProperties"] is False
