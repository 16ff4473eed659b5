# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where libvirt keeps what a domain wrote to its serial console, and its last part.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import stat
import typing as t
import urllib.parse

from .._errors import OpenRescueError

if t.TYPE_CHECKING:
    import xml.etree.ElementTree as ET

__all__ = ("begins_anew", "log_path", "read_log", "require_local")

LIMIT = 1024 * 1024


def log_path(domain: ET.Element) -> str | None:
    """The file that takes the console, from a definition: a log beside any kind of port, or a port that is a file."""
    for kind in ("serial", "console"):
        for port in domain.findall(f"devices/{kind}"):
            log = port.find("log")
            source = port.find("source")
            if log is not None and log.get("file"):
                return log.get("file")
            if port.get("type") == "file" and source is not None and source.get("path"):
                return source.get("path")
    return None


def begins_anew(domain: ET.Element) -> bool:
    """Whether the log holds nothing from before the domain was switched on."""
    for kind in ("serial", "console"):
        for port in domain.findall(f"devices/{kind}"):
            log = port.find("log")
            if log is not None and log.get("file"):
                return log.get("append") == "off"
            source = port.find("source")
            if port.get("type") == "file" and source is not None and source.get("path"):
                return source.get("append") == "off"
    return False


def require_local(uri: str, server: str) -> None:
    """The log is a file on the hypervisor, so this has to run there."""
    if urllib.parse.urlsplit(uri).hostname:
        raise OpenRescueError(
            f"its console log is a file on the hypervisor of '{uri}', and this runs elsewhere",
            code="console_not_local",
            hint="Run this on the hypervisor (rescue_delegate_to, delegate_to), with qemu:///system",
            step="read the console",
            server=server,
        )


def read_log(path: str | None, server: str) -> str:
    """The end of the log, what virtlogd has just rotated included; a guest writes it, so it is text of any kind."""
    if path is None:
        raise OpenRescueError(
            "its definition has no serial port that is logged",
            code="console_not_logged",
            hint="Give the serial port a <log file='…' append='off'/>; it takes effect when it is next switched on",
            step="read the console",
            server=server,
        )
    current = _tail(path, server, LIMIT)
    if len(current) < LIMIT and os.path.exists(f"{path}.0"):
        current = _tail(f"{path}.0", server, LIMIT - len(current)) + current
    return current.decode("utf-8", "replace")


def _tail(path: str, server: str, limit: int) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise OSError(0, "it is no regular file")
            file.seek(max(0, found.st_size - limit))
            return file.read(limit)
    except FileNotFoundError:
        # A server that was never switched on has said nothing.
        return b""
    except OSError as exc:
        raise OpenRescueError(
            f"its console log '{path}' cannot be read: {exc.strerror}",
            code="console_not_readable",
            hint="Run this as root on the hypervisor (become: true)",
            step="read the console",
            server=server,
        ) from exc
