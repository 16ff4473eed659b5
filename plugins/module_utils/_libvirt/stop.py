# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Switching a domain off, as gently as it lets us.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import typing as t
import xml.etree.ElementTree as ET

from .._errors import OpenRescueError
from .._time import wait_until
from . import xml as libvirt_xml
from .connection import libvirt

if t.TYPE_CHECKING:
    from .._time import Clock, Deadline
    from .connection import Connection

__all__ = ("stop_domain",)

#: A guest whose agent never came, or cannot shut it down, and that leaves its disks alone for this long after the power
#: button was pressed stands in a boot loader, a panic or an emergency shell, or its shutdown waits for something.
QUIET = 8.0

#: Ctrl-Alt-Del in the kernel's key codes. PID 1 hears it where nobody hears the power button, as in emergency mode and
#: in the shell of an initramfs, and ends cleanly: what was not written yet is written.
KEYS = (29, 56, 111)


def stop_domain(
    domain: t.Any,
    *,
    connection: Connection,
    server: str,
    deadline: Deadline,
    clock: Clock,
    poll_interval: float,
    tick: t.Callable[[], None],
) -> str:
    """Ask the agent, press the power button, press Ctrl-Alt-Del, switch off.

    :returns: which of them it took, nothing where it was off.
    """
    wait = _Wait(domain, connection, server, deadline, clock, poll_interval, tick)
    if wait.off():
        return ""
    with connection.explain("shut it down", server=server):
        live = ET.fromstring(domain.XMLDesc(0))  # noqa: S314
        running = domain.state(0)[0] in (libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_SHUTDOWN)
    if running and deadline.left > 0:
        # Where the agent takes the request and nothing comes of it, half of the time is left for the power button.
        patience = deadline.within(deadline.left / 2)
        answers = libvirt_xml.agent_state(live, active=True) == "connected"
        answers = answers and _asked(domain, libvirt.VIR_DOMAIN_SHUTDOWN_GUEST_AGENT)
        if answers and wait.until_off(patience):
            return "agent"
        if deadline.left > 0 and _asked(domain, libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN):
            how = _by_hand(wait, live, may_be_deaf=not answers)
            if how:
                return how
    return _switch_off(domain, server=server, off=wait.off)


@dataclasses.dataclass(frozen=True)
class _Wait:
    """Waits for a domain to go off."""

    domain: t.Any
    connection: Connection
    server: str
    deadline: Deadline
    clock: Clock
    poll_interval: float
    tick: t.Callable[[], None]

    def off(self) -> bool:
        with self.connection.explain("see whether it is off", server=self.server):
            return not self.domain.isActive()

    def until_off(self, until: Deadline, *, or_when: t.Callable[[], bool] = lambda: False) -> bool:
        def seen() -> str | None:
            return "off" if self.off() else ("given up" if or_when() else None)

        ended = wait_until(seen, deadline=until, clock=self.clock, poll_interval=self.poll_interval, tick=self.tick)
        return ended == "off"


def _by_hand(wait: _Wait, live: ET.Element, *, may_be_deaf: bool) -> str:
    """By the power button, which is pressed, or by Ctrl-Alt-Del; nothing where the guest hears neither."""
    quiet = _Quiet(wait.domain, live, wait.clock)
    if wait.until_off(wait.deadline, or_when=lambda: may_be_deaf and quiet.seconds() > QUIET):
        return "power button"
    # What it has written since may be its shutdown, which waits for something now.
    slow = quiet.touched
    pressed = wait.deadline.left > 0 and _keys_pressed(wait.domain)
    silent = _Quiet(wait.domain, live, wait.clock)
    if (pressed or slow) and wait.until_off(wait.deadline, or_when=lambda: not slow and silent.seconds() > QUIET):
        return "Ctrl-Alt-Del" if pressed else "power button"
    return ""


def _asked(domain: t.Any, flags: int) -> bool:
    try:
        domain.shutdownFlags(flags)
    except libvirt.libvirtError:
        # It went off in this moment, or it cannot be asked in this way: what follows will see.
        return False
    return True


def _keys_pressed(domain: t.Any) -> bool:
    """Only where the reboot that they ask for ends in a domain that is off."""
    try:
        domain.setLifecycleAction(
            libvirt.VIR_DOMAIN_LIFECYCLE_REBOOT,
            libvirt.VIR_DOMAIN_LIFECYCLE_ACTION_DESTROY,
            libvirt.VIR_DOMAIN_AFFECT_LIVE,
        )
        domain.sendKey(libvirt.VIR_KEYCODE_SET_LINUX, 0, list(KEYS), len(KEYS), 0)
    except libvirt.libvirtError:
        # A QEMU before 6.0, no keyboard, or it went off in this moment.
        return False
    return True


class _Quiet:
    """For how long a guest has left all of its disks alone."""

    def __init__(self, domain: t.Any, live: ET.Element, clock: Clock) -> None:
        self._domain = domain
        self._targets = [disk["target"] for disk in libvirt_xml.disks(live)]
        self._clock = clock
        self._seen = self._look()
        self._since = clock.monotonic()
        #: whether it has touched one since it is watched
        self.touched = False

    def _look(self) -> list[t.Any]:
        seen = []
        for target in self._targets:
            with contextlib.suppress(libvirt.libvirtError):
                seen.append(self._domain.blockStats(target)[:4])
        return seen

    def seconds(self) -> float:
        """Seen when this is asked, so it has to be asked often."""
        now = self._look()
        if now != self._seen:
            self._seen, self._since, self.touched = now, self._clock.monotonic(), True
        return self._clock.monotonic() - self._since


def _switch_off(domain: t.Any, *, server: str, off: t.Callable[[], bool]) -> str:
    last: t.Any = None
    for flags, how in ((libvirt.VIR_DOMAIN_DESTROY_GRACEFUL, "switched off"), (0, "killed")):
        try:
            domain.destroyFlags(flags)
        except libvirt.libvirtError as exc:
            last = exc
        if off():
            return how
    raise OpenRescueError(
        f"it cannot be switched off: {last}",
        code="stop_failed",
        hint="See the hypervisor's log of this domain, /var/log/libvirt/qemu",
        step="switch it off",
        server=server,
    ) from last
