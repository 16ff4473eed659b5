# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import typing as t

import pytest
from ansible.module_utils.common.parameters import PASS_VARS
from ansible_collections.openrescue.server.plugins.module_utils._server.options import secrets_in

AUTH = {
    "auth_url": "https://keystone.example.com:5000/v3",
    "username": "rescue",
    "password": "s3cret-a",
    "project_name": "web",
    "passcode": 123456,
    "application_credential_id": "ac-1",
    "application_credential_secret": "s3cret-b",
    "access_token_endpoint": "https://idp.example.com/token",
    "access_token_type": "access",
    "access_token": "s3cret-c",
    "token": "",
    "lock_password": True,
}
SECRETS = {"s3cret-a", "123456", "s3cret-b", "s3cret-c"}


@pytest.mark.parametrize(
    "params",
    [
        {"auth": AUTH, "cloud": None},
        {"auth": None, "cloud": {"auth": AUTH, "region_name": "one"}},
        {"auth": None, "cloud": {"profiles": [{"auth": AUTH}]}},
        {"auth": json.dumps(AUTH)},
    ],
)
def test_only_what_is_named_like_a_secret_is_one(params: dict[str, t.Any]) -> None:
    assert secrets_in(params) == SECRETS


@pytest.mark.parametrize(
    ("params", "secrets"),
    [
        ({"cloud": "password"}, set()),
        ({"auth": "username=rescue,password=s3cret"}, {"s3cret"}),
        ({"auth": "username=rescue password=s3cret"}, {"s3cret"}),
        ({"cloud": {"client_secret": {"file": "s3cret"}}}, {"s3cret"}),
        ({"cloud": {"tokens": ["x"], "api_key": "s3cret"}}, {"s3cret"}),
        ({}, set()),
    ],
)
def test_texts_and_odd_shapes(params: dict[str, t.Any], secrets: set[str]) -> None:
    assert secrets_in(params) == secrets


def test_a_configuration_without_end_is_not_followed() -> None:
    endless: dict[str, t.Any] = {"password": "s3cret"}
    endless["auth"] = endless
    assert secrets_in({"cloud": endless}) == {"s3cret"}


# -- what a module shows, also of options that AnsibleModule itself refuses

UNREACHABLE = {"auth_url": "http://127.0.0.1:9/v3"}
CASES: dict[str, tuple[str, dict[str, t.Any]]] = {
    "cloud": ("server_rescue_info", {"cloud": {"auth": {**AUTH, **UNREACHABLE}}}),
    "auth": ("server_rescue_info", {"auth": {**AUTH, **UNREACHABLE}}),
    "a wrong option": ("server_rescue", {"cloud": {"auth": AUTH}, "state": "rescued", "rescue_imag": "x"}),
    "a wrong value": ("server_rescue", {"auth": AUTH, "state": "gone"}),
    "the console": ("console_diagnose", {"cloud": {"auth": {**AUTH, **UNREACHABLE}}}),
    "user data": ("server_rescue", {"state": "gone", "user_data": "#cloud-config\npassword: s3cret-a\n"}),
}


@pytest.mark.parametrize("case", CASES)
def test_no_secret_is_shown_and_all_else_is(case: str) -> None:
    module, params = CASES[case]
    name = f"ansible_collections.openrescue.server.plugins.modules.{module}"
    given = {"server": "web1", "timeout": 3, **params}
    # A newer ansible-core shows the options only where it is asked to.
    if "inject_invocation" in PASS_VARS:
        given["_ansible_inject_invocation"] = True
    if module == "console_diagnose":
        given["tail"] = 1
    ended = subprocess.run(
        [sys.executable, "-m", name],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": given}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OS_CLIENT_CONFIG_FILE": "/none"},
        cwd=pathlib.Path("/"),
    )
    text = ended.stdout + ended.stderr
    assert '"failed": true' in text, text
    for secret in SECRETS:
        assert secret not in text
    if case != "user data":
        assert '"username": "rescue"' in text
        assert '"project_name": "web"' in text
        assert AUTH["access_token_endpoint"] in text
