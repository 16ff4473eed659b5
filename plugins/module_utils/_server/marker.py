# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is kept with a server while it is rescued, and who holds the server while it is being changed.

The marker is flat text, so that any provider can keep it: as attributes in libvirt's metadata, as keys in Nova's.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import getpass
import os
import pathlib
import socket
import typing as t

from .._errors import OpenRescueError

__all__ = ("AT_REST", "LEASE", "SCHEMA", "Holder", "Marker", "holder_of_this_process", "is_alive")

SCHEMA = "1"
#: the phase of a server that is rescued and that nobody is changing
AT_REST = "rescued"
#: seconds after which a holder that has not shown itself is taken for dead, where it cannot be looked at
LEASE = 60.0


@dataclasses.dataclass(frozen=True)
class Holder:
    """A run that is changing a server.

    :param who: for people: user, host and process.
    :param scope: boot and process namespace, within which ``pid`` and ``started`` name one process for ever.
    :param until: when it counts as dead for those who live in another scope, in seconds since the epoch.
    """

    who: str
    scope: str
    pid: int
    started: str
    token: str
    until: float


@dataclasses.dataclass(frozen=True)
class Marker:
    """What the next run must know to finish or to put back what this one has begun."""

    id: str
    phase: str
    image: str
    since: str
    power: str
    autostart: bool
    definition: str
    disk_access: str = "read_write"
    kernel: str = ""
    #: the image as the user called it
    asked: str = ""
    ending: bool = False
    layer: str = ""
    seed: str = ""
    nvram: str = ""
    log: str = ""
    #: bytes of the disk that the rescue image is, where its provider knows it
    image_size: str = ""
    #: whether the definition had no metadata at all before the marker
    bare: bool = False
    holder: Holder | None = None

    @property
    def at_rest(self) -> bool:
        return self.phase == AT_REST

    @property
    def files(self) -> dict[str, str]:
        """What was made for this rescue, by kind."""
        paths = {"layer": self.layer, "seed": self.seed, "nvram": self.nvram, "log": self.log}
        return {kind: path for kind, path in paths.items() if path}

    def to_flat(self) -> dict[str, str]:
        """The marker as flat text."""
        flat: dict[str, str] = {"version": SCHEMA}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Holder):
                flat.update({f"holder_{key}": str(part) for key, part in dataclasses.asdict(value).items()})
            elif isinstance(value, bool):
                flat[field.name] = "1" if value else "0"
            elif value:
                flat[field.name] = str(value)
        return flat

    @classmethod
    def from_flat(cls, flat: t.Mapping[str, str]) -> Marker:
        """The marker from flat text; raises where it is of another version or makes no sense."""
        if flat.get("version") != SCHEMA:
            raise OpenRescueError(
                f"its rescue marker is of version {flat.get('version', 'none')}, this release knows {SCHEMA}",
                code="marker_version",
                hint="Use the release of openrescue.server that rescued it",
            )
        values: dict[str, t.Any] = {}
        try:
            for field in dataclasses.fields(cls):
                if field.name != "holder" and field.name in flat:
                    value = flat[field.name]
                    values[field.name] = value == "1" if field.name in ("autostart", "ending", "bare") else value
            if "holder_who" in flat:
                values["holder"] = _holder(flat)
            return cls(**values)
        except (KeyError, TypeError, ValueError) as exc:
            raise OpenRescueError(
                f"its rescue marker cannot be read ({exc})",
                code="marker_damaged",
                hint="Somebody edited it; put it back or remove it from the metadata",
            ) from exc


def _holder(flat: t.Mapping[str, str]) -> Holder:
    return Holder(
        who=flat["holder_who"],
        scope=flat["holder_scope"],
        pid=int(flat["holder_pid"]),
        started=flat["holder_started"],
        token=flat["holder_token"],
        until=float(flat["holder_until"]),
    )


def _process_started(pid: int) -> str:
    """When a process started, in the kernel's ticks; empty where there is none such."""
    try:
        # The command name may hold spaces and brackets: what follows the last bracket is fields 3 and on.
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
        state, started = fields.split()[0], fields.split()[19]
    except (OSError, IndexError):
        return ""
    return "" if state in "ZX" else started


def _scope() -> str:
    """This boot and process namespace; empty where the system cannot tell."""
    try:
        boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def holder_of_this_process(token: str, *, now: float) -> Holder:
    """This process as a holder; the token sets its threads apart."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return Holder(
        who=f"{user}@{socket.gethostname()}, process {os.getpid()}",
        scope=_scope(),
        pid=os.getpid(),
        started=_process_started(os.getpid()),
        token=token,
        until=now + LEASE,
    )


def is_alive(holder: Holder, *, now: float) -> bool:
    """Whether that run can still be at work: by its process where we can see it, by its lease elsewhere."""
    scope = _scope()
    if scope and holder.scope == scope:
        return bool(holder.started) and _process_started(holder.pid) == holder.started
    return now < holder.until
