# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cloud at the end of the wire, and the two ways to it: one call of a module, and a look."""

from __future__ import annotations

import pathlib
import sys
import typing as t

import openstack.config
import pytest
from ansible_collections.openrescue.server.plugins.module_utils._openstack.provider import OpenStackProvider
from ansible_collections.openrescue.server.plugins.module_utils._server.fleet import change_servers, look_at_servers
from ansible_collections.openrescue.server.plugins.module_utils._server.hold import Claim
from ansible_collections.openrescue.server.plugins.module_utils._server.model import Job, Wish
from ansible_collections.openrescue.server.plugins.module_utils._time import Deadline

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from .wire import Cloud


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """The cloud that the SDK's configuration leads to."""
    made = Cloud()
    monkeypatch.setattr(openstack.config, "get_cloud_region", lambda **_options: made)
    return made


@pytest.fixture
def go(cloud: Cloud) -> t.Callable[..., Job]:
    """One call for the one server; ``look`` only looks."""

    def call(state: str, image: str = "", *, asked: str = "web1", look: bool = False, **more: t.Any) -> Job:
        clock = t.cast("t.Any", cloud.clock)
        provider = OpenStackProvider({"cloud": "unit"}, clock=clock)
        given = {"poll_interval": 2.0, "timeout": 300.0, "claim": Claim(owner="me@here"), **more}
        wish = Wish(state=state, image=image, **given)
        provider.connect(Deadline(clock, seconds=wish.timeout))
        cloud.wire.clear()
        if look:
            return look_at_servers(provider, [asked], wish, clock=clock)[0]
        return change_servers(provider, [asked], wish, clock=clock, check=False)[0]

    return call
