# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hypervisor that the servers of a call are on.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import typing as t
import xml.etree.ElementTree as ET

from .._server.provider import Provider
from . import xml as libvirt_xml
from .connection import Connection, libvirt
from .model import MarkerDamaged, MarkerVersion
from .session import LibvirtSession, read_xml
from .storage import Storage

if t.TYPE_CHECKING:
    from .._time import Clock, Deadline

__all__ = ("LibvirtProvider",)


class LibvirtProvider(Provider):
    """One hypervisor."""

    name = "libvirt"

    def __init__(self, uri: str, *, clock: Clock) -> None:
        self.connection = Connection(uri)
        self.storage = Storage(self.connection)
        self.clock = clock

    def connect(self, deadline: Deadline) -> None:
        self.connection.open(deadline)

    def close(self) -> None:
        self.storage.close()
        self.connection.close()

    def session(self, deadline: Deadline) -> LibvirtSession:
        return LibvirtSession(self, deadline)

    def domain(self, server: str) -> t.Any:
        """libvirt's own object for an ID."""
        with self.connection.explain("look it up", server=server):
            return self.connection.handle.lookupByUUIDString(server)

    def rescued(self, deadline: Deadline) -> list[str]:  # noqa: ARG002
        return [server for server, persistent, live in self._definitions() if _is_marked(persistent, live)]

    def leftovers(self, deadline: Deadline) -> list[dict[str, t.Any]]:  # noqa: ARG002
        known: set[str] = set()
        for _server, persistent, live in self._definitions():
            known |= _files_of(persistent) | _files_of(live, live=True)
        return self.storage.leftovers(known)

    def _definitions(self) -> t.Iterator[tuple[str, ET.Element, ET.Element | None]]:
        with self.connection.explain("list the domains"):
            for domain in self.connection.handle.listAllDomains(0):
                # A domain can vanish while the list is read.
                with contextlib.suppress(libvirt.libvirtError):
                    persistent, live = read_xml(domain)
                    parsed = None if live is None else ET.fromstring(live)  # noqa: S314
                    yield domain.UUIDString(), ET.fromstring(persistent), parsed  # noqa: S314


def _is_marked(persistent: ET.Element, live: ET.Element | None) -> bool:
    return libvirt_xml.has_marker(persistent) or (live is not None and libvirt_xml.has_marker(live, live=True))


def _files_of(domain: ET.Element | None, *, live: bool = False) -> set[str]:
    """What a rescue of the domain has made. A marker that cannot be read names nothing."""
    marker = None
    if domain is not None:
        with contextlib.suppress(MarkerDamaged, MarkerVersion):
            marker = libvirt_xml.marker_in(domain, live=live)
    return set() if marker is None else set(marker.files.values())
