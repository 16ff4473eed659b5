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

from .domains import AGENT, disk


class Time:
    """A clock that passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.clock = Clock(monotonic=lambda: self.now, wall=lambda: self.now, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Domain:
    """A guest that goes off by one of the ways, or by none.

    :param touches_at: when it touches its disk, in seconds.
    :param off_at: when a shutdown that takes long is over.
    """

    def __init__(
        self,
        goes_off_by: str,
        *,
        agent: str = "disconnected",
        active: bool = True,
        off_on_reboot: bool = True,
        touches_at: t.Sequence[float] = (),
        off_at: float = 1e9,
    ) -> None:
        self.goes_off_by, self.agent, self.active, self.off_on_reboot = goes_off_by, agent, active, off_on_reboot
        self.touches_at, self.off_at = touches_at, off_at
        self.asked: list[str] = []
        self.time = Time()

    def isActive(self) -> bool:  # noqa: N802
        return self.active and self.time.now < self.off_at

    def XMLDesc(self, _flags: int) -> str:  # noqa: N802
        return f"<domain><devices>{disk('vda', 'virtio')}{AGENT.format(self.agent)}</devices></domain>"

    def blockStats(self, _target: str) -> tuple[int, ...]:  # noqa: N802
        return (sum(moment <= self.time.now for moment in self.touches_at), 0, 0, 0, 0)

    def state(self, _flags: int) -> list[int]:
        return [libvirt.VIR_DOMAIN_RUNNING, 0]

    def _by(self, way: str) -> None:
        self.asked.append(way)
        if way == self.goes_off_by:
            self.active = False

    def shutdownFlags(self, flags: int) -> None:  # noqa: N802
        self._by("agent" if flags == libvirt.VIR_DOMAIN_SHUTDOWN_GUEST_AGENT else "power button")

    def setLifecycleAction(self, event: int, action: int, flags: int) -> None:  # noqa: N802
        assert (event, action) == (libvirt.VIR_DOMAIN_LIFECYCLE_REBOOT, libvirt.VIR_DOMAIN_LIFECYCLE_ACTION_DESTROY)
        assert flags == libvirt.VIR_DOMAIN_AFFECT_LIVE
        if not self.off_on_reboot:
            raise libvirt.libvirtError("not supported")

    def sendKey(self, _codes: int, _hold: int, keys: list[int], number: int, _flags: int) -> None:  # noqa: N802
        assert len(keys) == number
        self._by("Ctrl-Alt-Del")

    def destroyFlags(self, flags: int) -> None:  # noqa: N802
        self._by("switched off" if flags == libvirt.VIR_DOMAIN_DESTROY_GRACEFUL else "killed")


def stop(domain: Domain, *, seconds: float = 60.0) -> str:
    time = domain.time
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
        ("Ctrl-Alt-Del", "disconnected", ["power button", "Ctrl-Alt-Del"]),
        ("switched off", "disconnected", ["power button", "Ctrl-Alt-Del", "switched off"]),
        ("killed", "disconnected", ["power button", "Ctrl-Alt-Del", "switched off", "killed"]),
    ],
)
def test_as_gently_as_it_lets_us(way: str, agent: str, asked: list[str]) -> None:
    domain = Domain(way, agent=agent)
    assert stop(domain) == way
    assert domain.asked == asked


def test_keys_are_not_pressed_where_a_reboot_starts_it_again() -> None:
    domain = Domain("switched off", off_on_reboot=False)
    assert stop(domain) == "switched off"
    assert domain.asked == ["power button", "switched off"]


def test_an_emergency_shell_whose_kernel_writes_what_is_late() -> None:
    domain = Domain("Ctrl-Alt-Del", touches_at=[5])
    assert stop(domain) == "Ctrl-Alt-Del"
    assert domain.time.now < 20


@pytest.mark.parametrize("off_on_reboot", [True, False])
def test_a_shutdown_that_waits_for_something_is_never_cut_short(off_on_reboot: bool) -> None:
    domain = Domain("", touches_at=[1, 2], off_at=50, off_on_reboot=off_on_reboot)
    assert stop(domain) == ("Ctrl-Alt-Del" if off_on_reboot else "power button")
    assert not {"switched off", "killed"} & {*domain.asked}


def test_what_stands_still_is_not_waited_for() -> None:
    domain = Domain("switched off")
    assert stop(domain, seconds=600) == "switched off"
    assert domain.time.now < 20


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
