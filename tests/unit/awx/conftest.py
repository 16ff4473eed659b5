# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""awx/apply.yml, applied with settings of several kinds."""

from __future__ import annotations

import pathlib
import sys

import pytest
import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lab"))

from openrescue_lab import awx

URL = "https://git.example/rescue.git"
OPENSTACK = {"host": "https://cloud.example:5000/v3", "username": "u", "password": "p", "project": "web"}


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> awx.Applied:
    """When nothing but the project is set."""
    return awx.apply(tmp_path_factory.mktemp("bare"), awx_project_url=URL).must_end_well()


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory) -> awx.Applied:
    """When everything is wanted, and every question asked."""
    data = [yaml.safe_load((awx.PROJECT / name).read_text("utf-8")) for name in ("job_templates.yml", "workflow.yml")]
    may_ask = {name for entry in (*data[0]["awx_buttons"], data[1]["awx_recovery"]) for name in entry["may_ask"]}
    return awx.apply(
        tmp_path_factory.mktemp("full"),
        has={"organizations": ["Ops"], "credentials": ["rescue key"], "notification_templates": ["pager"]},
        awx_organization="Ops",
        awx_prefix="",
        awx_project_url=URL,
        awx_image="registry.example/openrescue:1",
        awx_credentials=["rescue key"],
        awx_openstack=OPENSTACK,
        awx_ask={**dict.fromkeys(may_ask), "rescue_image": "rescue-2026", "verify_by": "ssh"},
        awx_workflow=True,
        awx_teams=[
            {"name": "on call", "approve": True},
            {"name": "help desk", "press": ["Triage", data[1]["awx_recovery"]["name"]]},
        ],
        awx_notify={"error": ["chat", "pager"], "approvals": ["pager"]},
        awx_notification_templates=[
            {"name": "chat", "type": "webhook", "configuration": {"url": "https://chat.example/hook"}}
        ],
    ).must_end_well()


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> awx.Applied:
    """When the password has changed, the timetable is to go, and a team presses one button."""
    return awx.apply(
        tmp_path_factory.mktemp("other"),
        awx_project_url=URL,
        awx_openstack=OPENSTACK,
        awx_update_secrets=True,
        awx_sync_minutes=0,
        awx_teams=[{"name": "on call", "press": ["Undo"], "approve": True}],
    ).must_end_well()
