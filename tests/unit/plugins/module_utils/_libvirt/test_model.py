# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._libvirt.model import (
    WORKER_LEASE,
    LibvirtMarker,
    Worker,
)
from ansible_collections.openrescue.server.plugins.module_utils._server.hold import Hold

from .situations import CUT, MARKER, OFF


def test_marker_there_and_back() -> None:
    worker = Worker.here("t", now=5.0)
    hold = Hold("alice@bastion", reason="kernel", run="a/1/2", since="now", phase="repair", until=7.0)
    for marker in (
        MARKER,
        OFF,
        dataclasses.replace(CUT, worker=worker, hold=hold, layer="/l", bare=True, disk_access="read_only"),
    ):
        flat = marker.to_flat()
        assert all(isinstance(value, str) for value in flat.values())
        assert LibvirtMarker.from_flat(flat) == marker


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"version": "2"}, "marker_version"),
        ({"version": None}, "marker_version"),
        ({"image": None}, "marker_damaged"),
        ({"worker_who": "x"}, "marker_damaged"),
    ],
)
def test_marker_that_makes_no_sense(change: dict[str, str | None], code: str) -> None:
    flat = {key: value for key, value in {**MARKER.to_flat(), **change}.items() if value is not None}
    with pytest.raises(OpenRescueError) as caught:
        LibvirtMarker.from_flat(flat)
    assert caught.value.code == code


def test_whether_a_call_is_still_at_work() -> None:
    me = Worker.here("t", now=100.0)
    assert me.is_alive(now=100.0 + 10 * WORKER_LEASE)
    scope, pid, started = me.process.split("/")
    # The process ID was given to another process since.
    assert not dataclasses.replace(me, process=f"{scope}/{pid}/1").is_alive(now=100.0)
    assert not dataclasses.replace(me, process=f"{scope}/{2**22 + 1}/{started}").is_alive(now=100.0)
    elsewhere = dataclasses.replace(me, process="elsewhere/1/1")
    assert elsewhere.is_alive(now=100.0)
    assert not elsewhere.is_alive(now=101.0 + WORKER_LEASE)


def test_by_what_the_rescue_system_is_known() -> None:
    """H11."""
    assert dataclasses.replace(MARKER, layer="/l").details["root_serial"] == "openrescue-rescue"
    assert MARKER.details["root_serial"] is None, "a CD may be copied to memory"
