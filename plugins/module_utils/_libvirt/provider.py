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
        found = []
        with self.connection.explain("list the domains"):
            for domain in self.connection.handle.listAllDomains(0):
                # A domain can vanish while the list is read.
                with contextlib.suppress(libvirt.libvirtError):
                    if _is_marked(*read_xml(domain)):
                        found.append(domain.UUIDString())
        return found


def _is_marked(persistent: str, live: str | None) -> bool:
    if libvirt_xml.has_marker(ET.fromstring(persistent)):  # noqa: S314
        return True
    return live is not None and libvirt_xml.has_marker(ET.fromstring(live), live=True)  # noqa: S314
