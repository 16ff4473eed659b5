# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The project of the cloud that the servers of a call are in.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .._errors import OpenRescueError
from .._server.provider import Provider
from .connection import Connection
from .errors import NotFound
from .server import HOLD_KEY, METADATA_KEY, is_partial, situation, versions_in
from .session import OpenStackSession

if t.TYPE_CHECKING:
    from .._time import Clock, Deadline
    from .errors import Answer
    from .server import Json

__all__ = ("OpenStackProvider",)

#: the newest microversion whose answers are known here: 2.98 shows the properties of the server's image
_NEWEST = (2, 98)
#: servers that are asked for at once, and how often that is done: no answer makes a run endless
_PAGE = 1000
_PAGES = 50


class OpenStackProvider(Provider):
    """One project of one cloud."""

    name = "openstack"

    def __init__(self, params: t.Mapping[str, t.Any], *, clock: Clock) -> None:
        self.connection = Connection(params, clock=clock)
        self.clock = clock
        #: lowest and highest microversion of the Compute API
        self.versions = ((2, 1), (2, 1))

    def connect(self, deadline: Deadline) -> None:
        self.connection.open(deadline)
        self.versions = versions_in(self.connection.version_document("compute", deadline=deadline).json())

    def close(self) -> None:
        self.connection.close()

    def session(self, deadline: Deadline) -> OpenStackSession:
        return OpenStackSession(self, deadline)

    @property
    def microversion(self) -> tuple[int, int]:
        """What is spoken with this cloud."""
        return min(self.versions[1], _NEWEST)

    def compute(self, method: str, path: str, *, step: str, deadline: Deadline, **options: t.Any) -> Answer:
        """One call of the Compute API."""
        return self.connection.call(
            method,
            "compute",
            path,
            step=step,
            deadline=deadline,
            microversion="{}.{}".format(*self.microversion),
            **options,
        )

    def describe(self, deadline: Deadline) -> dict[str, t.Any]:
        return {"extension": self._extension(deadline), "microversion": "{}.{}".format(*self.microversion)}

    def _extension(self, deadline: Deadline) -> dict[str, t.Any]:
        """What the extension query says of ``os-rescue``, and what the cloud offers, which that query never told."""
        try:
            answer = self.compute(
                "GET", "/extensions/os-rescue", step="query the extension", deadline=deadline, holds="extension"
            )
            found = answer.json()["extension"]
        except NotFound:
            found = {}
        lowest, highest = self.versions
        return {
            "found": bool(found),
            **{key: found.get(key) for key in ("alias", "name", "description", "updated", "namespace")},
            "microversions": {"minimum": "{}.{}".format(*lowest), "maximum": "{}.{}".format(*highest)},
            "volume_backed": highest >= (2, 87),
        }

    def rescued(self, deadline: Deadline) -> list[str]:
        return [str(one["id"]) for one in self._all(deadline) if _is_ours_or_rescued(one)]

    def _all(self, deadline: Deadline) -> t.Iterator[Json]:
        """All servers of the project. A cell that is down is left out, as Nova does itself where it gives pages."""
        after = ""
        for _page in range(_PAGES):
            path = f"/servers/detail?limit={_PAGE}{after}"
            answer = self.compute("GET", path, step="list the servers", deadline=deadline, holds="servers").json()
            yield from answer["servers"]
            if not answer["servers"] or not answer.get("servers_links"):
                return
            after = f"&marker={answer['servers'][-1]['id']}"
        raise OpenRescueError(
            f"the project has more than {_PAGES * _PAGE} servers",
            code="too_many_servers",
            hint="Name the servers",
            step="list the servers",
        )


def _is_ours_or_rescued(server: Json) -> bool:
    ours = {METADATA_KEY, HOLD_KEY} & set(server.get("metadata") or {})
    return not is_partial(server) and (bool(ours) or situation(server).state != "unrescued")
