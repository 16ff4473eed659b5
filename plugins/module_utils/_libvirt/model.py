# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A domain as it is now, and what is kept in its metadata while it is rescued.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import os
import typing as t

from .._errors import OpenRescueError
from .._server.hold import Hold
from .._server.marker import Marker
from .._server.model import Situation
from .._server.process import identity, is_running, this_user

__all__ = (
    "AT_REST",
    "RESCUE_SERIAL",
    "WORKER_LEASE",
    "LibvirtMarker",
    "LibvirtSituation",
    "MarkerDamaged",
    "MarkerVersion",
    "Worker",
)

_SCHEMA = "1"
#: by which serial number the rescue system knows its own disk
RESCUE_SERIAL = "openrescue-rescue"
#: the phase of a server that is rescued and that no call is changing
AT_REST = "rescued"
#: seconds after which a call that has not shown itself is taken for dead, where its process cannot be seen
WORKER_LEASE = 60.0


class MarkerVersion(OpenRescueError):
    """Another release has written the marker."""

    code = "marker_version"


class MarkerDamaged(OpenRescueError):
    """The marker makes no sense."""

    code = "marker_damaged"


@dataclasses.dataclass(frozen=True)
class Worker:
    """The call that is changing a domain at this moment.

    :param who: for people.
    :param process: see :mod:`.._server.process`.
    :param token: sets the threads of that process apart.
    :param until: when it counts as dead for those who cannot see its process, in seconds since the epoch.
    """

    who: str
    process: str
    token: str
    until: float

    @classmethod
    def here(cls, token: str, *, now: float) -> Worker:
        """A thread of this process."""
        pid = os.getpid()
        return cls(f"{this_user()}, process {pid}", identity(pid), token, now + WORKER_LEASE)

    def is_alive(self, *, now: float) -> bool:
        running = is_running(self.process)
        return now < self.until if running is None else running


@dataclasses.dataclass(frozen=True)
class LibvirtMarker(Marker):
    """See :class:`Marker`.

    :param phase: the step of the plan that was begun last, or :data:`AT_REST`.
    :param ending: whether that was on the way back.
    :param definition: hash of the persistent definition, by which a change of it is noticed.
    :param seed_holds: a word for the keys and the user data in the seed, by which others are noticed.
    :param bare: whether the definition had no metadata at all before the marker.
    :param worker: the call that is changing it; None at rest.
    """

    phase: str = AT_REST
    autostart: bool = False
    definition: str = ""
    disk_access: str = "read_write"
    kernel: str = ""
    ending: bool = False
    layer: str = ""
    seed: str = ""
    seed_holds: str = ""
    nvram: str = ""
    log: str = ""
    bare: bool = False
    hold: Hold | None = None
    worker: Worker | None = None

    @property
    def at_rest(self) -> bool:
        return self.phase == AT_REST

    @property
    def files(self) -> dict[str, str]:
        """What was made for this rescue, by kind."""
        paths = {"layer": self.layer, "seed": self.seed, "nvram": self.nvram, "log": self.log}
        return {kind: path for kind, path in paths.items() if path}

    @property
    def previous(self) -> dict[str, t.Any]:
        return {"power_state": self.power, "autostart": self.autostart}

    @property
    def details(self) -> dict[str, t.Any]:
        return {
            "disk_access": self.disk_access,
            "console_log": self.log or None,
            # What boots from a CD may run from memory.
            "root_serial": RESCUE_SERIAL if self.layer else None,
        }

    def to_flat(self) -> dict[str, str]:
        """The marker as flat text, as attributes in libvirt's metadata can keep it."""
        flat = {"version": _SCHEMA}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Hold):
                flat.update({f"hold_{key}": part for key, part in value.to_flat().items()})
            elif isinstance(value, Worker):
                flat.update({f"worker_{key}": str(part) for key, part in dataclasses.asdict(value).items()})
            elif isinstance(value, bool):
                flat[field.name] = "1" if value else "0"
            elif value:
                flat[field.name] = str(value)
        return flat

    @classmethod
    def from_flat(cls, flat: t.Mapping[str, str]) -> LibvirtMarker:
        """The marker from flat text; raises where it is of another version or makes no sense."""
        if flat.get("version") != _SCHEMA:
            raise MarkerVersion(
                f"its rescue marker is of version {flat.get('version', 'none')}, this release knows {_SCHEMA}",
                hint="Use the release of openrescue.server that rescued it",
            )
        values: dict[str, t.Any] = {}
        try:
            for field in dataclasses.fields(cls):
                if field.name in flat:
                    value = flat[field.name]
                    values[field.name] = value == "1" if field.name in ("autostart", "ending", "bare") else value
            values["hold"] = Hold.from_flat(_part(flat, "hold_"))
            values["worker"] = _worker(_part(flat, "worker_"))
            return cls(**values)
        except (KeyError, TypeError, ValueError) as exc:
            raise MarkerDamaged(
                f"its rescue marker cannot be read ({exc})",
                hint="Somebody edited it; put it back or remove it from the metadata",
            ) from exc


def _part(flat: t.Mapping[str, str], prefix: str) -> dict[str, str]:
    return {key[len(prefix) :]: value for key, value in flat.items() if key.startswith(prefix)}


def _worker(flat: t.Mapping[str, str]) -> Worker | None:
    if not flat:
        return None
    return Worker(who=flat["who"], process=flat["process"], token=flat["token"], until=float(flat["until"]))


@dataclasses.dataclass(frozen=True)
class LibvirtSituation(Situation):
    """See :class:`Situation`.

    :param agent: how the guest agent is: ``connected``, ``disconnected`` or ``none``.
    :param definition: hash of the persistent definition without the marker.
    """

    marker: LibvirtMarker | None = None
    autostart: bool = False
    agent: str = "none"
    definition: str = ""

    @property
    def state(self) -> str:
        if self.marker is None:
            return "unrescued"
        if self.at_work:
            return "unrescuing" if self.marker.ending else "rescuing"
        return "rescued" if self.marker.at_rest and self.runs == "rescue" else "interrupted"

    @property
    def details(self) -> dict[str, t.Any]:
        return {"agent": self.agent, "autostart": self.autostart}
