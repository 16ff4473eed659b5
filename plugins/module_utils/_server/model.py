# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The values that rescuing is about: what is wished, what is seen, what is remembered.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import abc
import dataclasses
import typing as t

from .hold import Claim

if t.TYPE_CHECKING:
    from .._errors import OpenRescueError
    from .hold import Hold
    from .marker import Marker

__all__ = ("Job", "Life", "Problem", "Runs", "Situation", "Wish")

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
    claim: Claim = dataclasses.field(default_factory=Claim)


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
class Life:
    """Whether the server's own system lives: ``up``, ``booting``, ``down``, or ``unknown`` where nobody can tell.

    :param evidence: what says so, in words.
    :param by: where that comes from: ``power_state``, ``agent``, ``console``, or None.
    """

    state: str
    evidence: str
    by: str | None = None

    def as_dict(self) -> dict[str, str | None]:
        return {"state": self.state, "evidence": self.evidence, "by": self.by}


@dataclasses.dataclass(frozen=True)
class Situation(abc.ABC):
    """One server as its provider sees it now; each provider has a kind of its own, with what only it knows."""

    name: str
    id: str
    provider: str
    status: str
    power_state: str
    runs: Runs
    task_state: str | None = None
    marker: Marker | None = None
    #: who has it from rescue to unrescue
    hold: Hold | None = None
    #: whether that run still goes on; None where nobody can tell, and for a person
    hold_alive: bool | None = None
    #: the other call that is changing the server at this moment, for people; empty where there is none
    at_work: str = ""
    #: what is attached now, as modules return it
    disks: tuple[t.Mapping[str, t.Any], ...] = ()
    #: how the server is reached while it runs, as modules return it
    reach: t.Mapping[str, t.Any] = dataclasses.field(default_factory=dict)

    @property
    @abc.abstractmethod
    def state(self) -> str:
        """``rescued``, ``unrescued``, or what lies between: ``rescuing``, ``unrescuing``, ``interrupted``."""

    @property
    def details(self) -> dict[str, t.Any]:
        """What modules return of the server, and not every provider can tell."""
        return {"agent": "none", "autostart": False}


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
    #: the hold that the server is to have when this call has ended
    hold: Hold | None = None
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
    life: Life | None = None
    error: OpenRescueError | None = None
