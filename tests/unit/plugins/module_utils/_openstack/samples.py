# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server as Nova would show it, as a value."""

from __future__ import annotations

import dataclasses
import json
import typing as t

from ansible_collections.openrescue.server.plugins.module_utils._openstack import server as shown
from ansible_collections.openrescue.server.plugins.module_utils._server.model import Situation, Wish

RESCUED = Wish(state="rescued", image="rescue")
UNRESCUED = Wish(state="unrescued")
NO_WAIT = dataclasses.replace(UNRESCUED, wait=False)


def server(
    vm_state: str = "active", task_state: str | None = None, power: int = 1, mark: str = "", **more: t.Any
) -> Situation:
    """A server as Nova would show it; ``mark`` is the power state that a marker remembers."""
    metadata = {}
    if mark:
        value = {"version": "1", "id": "k", "power": mark, "since": "s", "image": "r-1", "asked": "rescue"}
        metadata["openrescue"] = json.dumps(value)
    status = {"active": "ACTIVE", "stopped": "SHUTOFF", "rescued": "RESCUE", "error": "ERROR"}
    body = {
        "id": "u-1",
        "name": "web1",
        "status": status.get(vm_state, vm_state.upper()),
        "metadata": metadata,
        "OS-EXT-STS:vm_state": vm_state,
        "OS-EXT-STS:task_state": task_state,
        "OS-EXT-STS:power_state": power,
        "fault": {"message": "Driver Error"},
    }
    return dataclasses.replace(shown.situation(body), **more)
