# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Switching a domain off, as gently as it lets us.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
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

#: A guest whose agent never came, or cannot shut it down, and that has not touched its disks for this long after
#: the power button was pressed is not shutting down: it stands in a boot loader, a panic or an emergency shell.
QUIET = 8.0


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
    """Ask the agent, press the power button, switch off; says which of them it took, nothing where it was off."""

    def off() -> bool:
        with connection.explain("see whether it is off", server=server):
            return not domain.isActive()

    def wait(until: Deadline, *, or_when: t.Callable[[], bool] = lambda: False) -> bool:
        def seen() -> str | None:
            return "off" if off() else ("given up" if or_when() else None)

        return wait_until(seen, deadline=until, clock=clock, poll_interval=poll_interval, tick=tick) == "off"

    if off():
        return ""
    with connection.explain("shut it down", server=server):
        live = ET.fromstring(domain.XMLDesc(0))  # noqa: S314
        running = domain.state(0)[0] in (libvirt.VIR_DOMAIN_RUNNING, libvirt.VIR_DOMAIN_SHUTDOWN)
    answers = libvirt_xml.agent_state(live, active=True) == "connected"
    if running and deadline.left > 0:
        # Where the agent takes the request and nothing comes of it, half of the time is left for the power button.
        patience = deadline.within(deadline.left / 2)
        answers = answers and _asked(domain, libvirt.VIR_DOMAIN_SHUTDOWN_GUEST_AGENT)
        if answers and wait(patience):
            return "agent"
        if deadline.left > 0 and _asked(domain, libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN):
            quiet = _Quiet(domain, live, clock)
            if wait(deadline, or_when=lambda: not answers and quiet.for_long()):
                return "power button"
    return _switch_off(domain, server=server, off=off)


def _asked(domain: t.Any, flags: int) -> bool:
    try:
        domain.shutdownFlags(flags)
    except libvirt.libvirtError:
        # It went off in this moment, or it cannot be asked in this way: what follows will see.
        return False
    return True


class _Quiet:
    """Whether a guest leaves all of its disks alone."""

    def __init__(self, domain: t.Any, live: ET.Element, clock: Clock) -> None:
        self._domain = domain
        self._targets = [disk["target"] for disk in libvirt_xml.disks(live)]
        self._clock = clock
        self._seen = self._look()
        self._since = clock.monotonic()

    def _look(self) -> list[t.Any]:
        seen = []
        for target in self._targets:
            with contextlib.suppress(libvirt.libvirtError):
                seen.append(self._domain.blockStats(target)[:4])
        return seen

    def for_long(self) -> bool:
        """False for ever once it has touched one."""
        return self._look() == self._seen and self._clock.monotonic() - self._since > QUIET


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
