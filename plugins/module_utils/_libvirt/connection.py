# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection to libvirt, and its errors in words that a user can act on.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import errno
import threading
import time
import typing as t

from ansible.module_utils.basic import missing_required_lib

from .._errors import ConnectionLost, OpenRescueError
from .errors import LibvirtError

try:
    import libvirt
except ImportError as exc:
    libvirt = None
    LIBVIRT_ERROR: ImportError | None = exc
else:
    LIBVIRT_ERROR = None

if t.TYPE_CHECKING:
    from .._time import Deadline

__all__ = ("Connection", "libvirt")

#: a dead link is noticed after this many unanswered calls, this many seconds apart
_KEEPALIVE = (5, 4)
_OPEN_PATIENCE = 30.0


def _words(exc: t.Any) -> str:
    return str(exc.get_error_message() or exc).rstrip(".")


class Connection:
    """One connection, shared by all threads; opened again where it was lost."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._handle: t.Any = None
        self._lock = threading.Lock()

    @property
    def handle(self) -> t.Any:
        """libvirt's own object."""
        handle = self._handle
        if handle is None:
            raise self.lost("not connected")
        return handle

    def lost(self, why: str, *, step: str = "", server: str = "") -> ConnectionLost:
        return ConnectionLost(
            f"the connection to libvirt at '{self.uri}' was lost ({why})",
            hint="See whether libvirt runs there, then run this again: it finishes or puts back",
            step=step,
            server=server,
            retryable=True,
        )

    def open(self, deadline: Deadline) -> None:
        """Connect within the deadline; where there was a connection before, try until then."""
        if LIBVIRT_ERROR is not None:
            raise OpenRescueError(
                missing_required_lib("libvirt-python", url="https://pypi.org/project/libvirt-python/"),
                code="library_missing",
                hint="It must be there for the Python that runs this module (ansible_python_interpreter)",
                step="connect",
            ) from LIBVIRT_ERROR
        with self._lock:
            again = self._handle is not None
            if again and self.alive():
                return
            while True:
                try:
                    self._handle = self._open_once(deadline)
                except OpenRescueError:
                    if not again or deadline.left <= 0:
                        raise
                    time.sleep(0.2)
                else:
                    return

    def _open_once(self, deadline: Deadline) -> t.Any:
        """In a thread of its own: libvirt can wait for ever for a host that does not answer."""
        outcome: list[t.Any] = []
        failure: list[t.Any] = []

        def attempt() -> None:
            try:
                _start_events()
                handle = libvirt.open(self.uri)
                # Some drivers are in this process: there is no link to watch.
                with contextlib.suppress(libvirt.libvirtError):
                    handle.setKeepAlive(*_KEEPALIVE)
                outcome.append(handle)
            except libvirt.libvirtError as exc:
                failure.append(exc)

        thread = threading.Thread(target=attempt, daemon=True)
        thread.start()
        patience = min(deadline.left, _OPEN_PATIENCE)
        thread.join(max(patience, 0.1))
        if outcome:
            return outcome[0]
        if failure:
            raise _connect_error(self.uri, failure[0]) from failure[0]
        raise OpenRescueError(
            f"libvirt at '{self.uri}' has not answered within {patience:.0f} s",
            code="connection_failed",
            hint="See whether the host is up and whether libvirt runs there",
            step="connect",
            retryable=True,
        )

    def alive(self) -> bool:
        """Whether calls can be expected to be answered."""
        try:
            return self._handle is not None and self._handle.isAlive() == 1
        except libvirt.libvirtError:
            return False

    def close(self) -> None:
        """Never raises."""
        handle, self._handle = self._handle, None
        if handle is not None:
            with contextlib.suppress(libvirt.libvirtError):
                handle.close()

    @contextlib.contextmanager
    def explain(self, step: str, *, server: str = "", code: str = "") -> t.Iterator[None]:
        """libvirt's errors within this block, as ours."""
        try:
            yield
        except libvirt.libvirtError as exc:
            number = exc.get_error_code()
            if not self.alive():
                error: OpenRescueError = self.lost(_words(exc), step=step, server=server)
            elif number in (libvirt.VIR_ERR_OPERATION_DENIED, libvirt.VIR_ERR_ACCESS_DENIED):
                error = OpenRescueError(
                    f"libvirt does not allow it: {_words(exc)}",
                    code="permission_denied",
                    hint="Use a user and a URI that may change domains, such as root and qemu:///system",
                    step=step,
                    server=server,
                )
            else:
                error = LibvirtError(
                    f"libvirt answered: {_words(exc)} (code {number})", code=code, step=step, server=server
                )
            raise error from exc


def _connect_error(uri: str, exc: t.Any) -> OpenRescueError:
    text = _words(exc)
    # SSH has no codes: what it says of a refusal is in the text.
    denied = (
        exc.get_int1() in (errno.EACCES, errno.EPERM)
        or "Permission denied" in text
        or exc.get_error_code()
        in (
            libvirt.VIR_ERR_AUTH_FAILED,
            libvirt.VIR_ERR_AUTH_CANCELLED,
            libvirt.VIR_ERR_AUTH_UNAVAILABLE,
            libvirt.VIR_ERR_ACCESS_DENIED,
        )
    )
    if denied:
        hint = "Run as root or as a member of the group libvirt (become: true), or see to the remote login"
    else:
        hint = "See whether libvirt_uri is right and whether libvirt runs there ('virsh -c URI list' shows it)"
    return OpenRescueError(
        f"cannot connect to libvirt at '{uri}': {text}",
        code="permission_denied" if denied else "connection_failed",
        hint=hint,
        step="connect",
        retryable=not denied,
    )


_events = threading.Lock()
_events_run = False


def _start_events() -> None:
    """libvirt watches its links only where somebody turns its event loop."""
    global _events_run
    with _events:
        if _events_run:
            return
        libvirt.registerErrorHandler(lambda _context, _error: None, None)
        libvirt.virEventRegisterDefaultImpl()

        def turn() -> None:
            while True:
                libvirt.virEventRunDefaultImpl()

        threading.Thread(target=turn, daemon=True).start()
        _events_run = True
