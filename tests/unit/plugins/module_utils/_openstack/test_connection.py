# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._openstack.connection import Connection
from ansible_collections.openrescue.server.plugins.module_utils._time import Deadline

from .wire import PROJECT, Cloud


def opened(cloud: Cloud) -> Connection:
    clock = t.cast("t.Any", cloud.clock)
    connection = Connection({"cloud": "unit"}, clock=clock)
    connection.open(Deadline(clock, seconds=60))
    return connection


#: what an endpoint_override or a catalogue holds -> what is asked
ENDPOINTS = [
    ("http://nova/v2.1", "http://nova/v2.1"),
    ("http://nova/", "http://nova/v2.1"),
    ("http://nova/v2/%(tenant_id)s", f"http://nova/v2/{PROJECT}"),
    ("http://nova/v2.1/%(project_id)s/", f"http://nova/v2.1/{PROJECT}"),
    ("http://nova/v2.1/$(tenant_id)s", f"http://nova/v2.1/{PROJECT}"),
    ("http://nova/v2.1/$(project_id)s", f"http://nova/v2.1/{PROJECT}"),
    ("http://nova/%(user_id)s", "http://nova/u-1/v2.1"),
]


@pytest.mark.parametrize(("configured", "asked"), ENDPOINTS)
def test_endpoints(cloud: Cloud, configured: str, asked: str) -> None:
    cloud.endpoints["compute"] = configured
    assert opened(cloud).endpoint("compute", step="look") == asked


@pytest.mark.parametrize(
    ("configured", "code"), [(None, "endpoint_missing"), ("http://nova/%(region)s", "cloud_configuration")]
)
def test_endpoints_that_are_of_no_use(cloud: Cloud, configured: t.Any, code: str) -> None:
    cloud.endpoints["compute"] = configured
    with pytest.raises(OpenRescueError) as caught:
        opened(cloud).endpoint("compute", step="look")
    assert caught.value.code == code
    assert caught.value.hint
