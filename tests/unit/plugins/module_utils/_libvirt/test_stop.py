# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import libvirt
import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._libvirt.connection import Connection
from ansible_collections.openrescue.server.plugins.module_utils._libvirt.stop import stop_domain
from ansible_collections.openrescue.server.plugins.module_utils._time import Clock, Deadline

from .domains import AGENT


class Time:
    """A clock that passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.clock = Clock(monotonic=lambda: self.now, wall=lambda: self.now, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Domain:
    """A guest that goes off by one of the ways, or by none."""

    def __init__(self, goes_off_by: str, *, agent: str = "disconnected", active: bool = True) -> None:
        self.goes_off_by, self.agent, self.active = goes_off_by, agent, active
        self.asked: list[str] = []

    def isActive(self) -> bool:  # noqa: N802
        return self.active

    def XMLDesc(self, _flags: int) -> str:  # noqa: N802
        return f"<domain><devices>{AGENT.format(self.agent)}</devices></domain>"

    def state(self, _flags: int) -> list[int]:
        return [libvirt.VIR_DOMAIN_RUNNING, 0]

    def _by(self, way: str) -> None:
        self.asked.append(way)
        if way == self.goes_off_by:
            self.active = False

    def shutdownFlags(self, flags: int) -> None:  # noqa: N802
        self._by("agent" if flags == libvirt.VIR_DOMAIN_SHUTDOWN_GUEST_AGENT else "power button")

    def destroyFlags(self, flags: int) -> None:  # noqa: N802
        self._by("switched off" if flags == libvirt.VIR_DOMAIN_DESTROY_GRACEFUL else "killed")


def stop(domain: Domain, *, seconds: float = 60.0) -> str:
    time = Time()
    return stop_domain(
        t.cast("t.Any", domain),
        connection=Connection("test:///default"),
        server="web1",
        deadline=Deadline(time.clock, seconds=seconds),
        clock=time.clock,
        poll_interval=0.5,
        tick=lambda: None,
    )


@pytest.mark.parametrize(
    ("way", "agent", "asked"),
    [
        ("agent", "connected", ["agent"]),
        ("power button", "connected", ["agent", "power button"]),
        ("power button", "disconnected", ["power button"]),
        ("switched off", "disconnected", ["power button", "switched off"]),
        ("killed", "disconnected", ["power button", "switched off", "killed"]),
    ],
)
def test_as_gently_as_it_lets_us(way: str, agent: str, asked: list[str]) -> None:
    domain = Domain(way, agent=agent)
    assert stop(domain) == way
    assert domain.asked == asked


def test_what_is_off_is_left_alone() -> None:
    domain = Domain("", active=False)
    assert stop(domain) == ""
    assert domain.asked == []


def test_no_time_for_asking() -> None:
    domain = Domain("switched off", agent="connected")
    assert stop(domain, seconds=0.0) == "switched off"
    assert domain.asked == ["switched off"]


def test_what_does_not_go_off_is_an_error() -> None:
    with pytest.raises(OpenRescueError) as caught:
        stop(Domain("never"))
    assert caught.value.code == "stop_failed"
