# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The values that rescuing is about: what is wished, what is seen, what is remembered.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

if t.TYPE_CHECKING:
    from .._errors import OpenRescueError
    from .marker import Marker

__all__ = ("Job", "Problem", "Runs", "Situation", "Wish")

#: Which definition of the server runs: none, its own, our rescue system, or one that somebody else started it from.
Runs = t.Literal["off", "own", "rescue", "foreign"]


@dataclasses.dataclass(frozen=True)
class Wish:
    """What the user asked for, for each server alike."""

    state: str
    image: str = ""
    kernel: str = ""
    ramdisk: str = ""
    cmdline: str = ""
    device: str = ""
    bus: str = ""
    disk_access: str = "read_write"
    ssh_authorized_keys: tuple[str, ...] = ()
    user_data: str = ""
    admin_password: str = dataclasses.field(default="", repr=False)
    shutdown_timeout: float = 60.0
    restore_power_state: bool = True
    wait: bool = True
    timeout: float = 600.0
    poll_interval: float = 0.1


@dataclasses.dataclass(frozen=True)
class Problem:
    """A blocker or a warning: a stable code, what is the matter, what to do."""

    code: str
    message: str
    hint: str = ""

    def as_dict(self) -> dict[str, str]:
        return {"code": self.code, "message": self.message, "hint": self.hint}

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}" if self.hint else self.message


@dataclasses.dataclass(frozen=True)
class Situation:
    """One server as its provider sees it now."""

    name: str
    id: str
    provider: str
    status: str
    power_state: str
    runs: Runs
    autostart: bool = False
    task_state: str | None = None
    marker: Marker | None = None
    #: whether another run that is alive holds the server
    held: bool = False
    #: how the guest agent is: ``connected``, ``disconnected`` or ``none``
    agent: str = "none"
    #: what is attached now, as modules return it
    disks: tuple[t.Mapping[str, t.Any], ...] = ()
    #: how the server is reached while it runs, as modules return it
    reach: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)
    #: hash of the persistent definition without the marker
    definition: str = ""
    #: Nova's own state, which is finer than its status
    vm_state: str = ""
    #: why it is in ERROR, as far as Nova says so
    fault: str = ""
    #: the state, where the provider itself knows it; elsewhere it follows from the marker
    declared: str = ""

    @property
    def state(self) -> str:
        """``rescued``, ``unrescued``, or what lies between."""
        if self.declared:
            return self.declared
        if self.marker is None:
            return "unrescued"
        if self.held:
            return "unrescuing" if self.marker.ending else "rescuing"
        return "rescued" if self.marker.at_rest and self.runs == "rescue" else "interrupted"


@dataclasses.dataclass
class Job:
    """One server's way through one call: what was asked, seen and done."""

    asked: str
    wish: Wish
    name: str = ""
    id: str = ""
    changed: bool = False
    #: what made the system that ran before stop: ``agent``, ``power button``, ``switched off``, ``killed``
    stopped_by: str = ""
    before: Situation | None = None
    after: Situation | None = None
    actions: list[str] = dataclasses.field(default_factory=list)
    blockers: list[Problem] = dataclasses.field(default_factory=list)
    warnings: list[Problem] = dataclasses.field(default_factory=list)
    timings: dict[str, float] = dataclasses.field(default_factory=dict)
    #: what the cloud calls the request that asked for the change
    request_id: str = ""
    #: what should have been noted with the server and could not be, by its key
    unwritten: dict[str, str] = dataclasses.field(default_factory=dict)
    #: the password that the cloud has set for the rescue system
    password: str = dataclasses.field(default="", repr=False)
    error: OpenRescueError | None = None
