# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long one module call may go on, and whether somebody has asked it to stop.

Asking changes a flag and nothing else: what is being written is written to its end, and the flag is looked at between
steps. Only a tool that writes nothing is ended before its own end.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import signal
import time
import typing as t

from .._errors import OpenRescueError

__all__ = ("Limit", "Stopped")

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Stopped(OpenRescueError):
    """The time of this call is over, or it was asked to stop; what it had begun to write is written."""

    code = "stopped"


class Limit:
    """The end of one call.

    :param seconds: from now on; None for no end.
    """

    def __init__(self, *, seconds: float | None = None, now: t.Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._seconds = seconds
        self._end = None if seconds is None else now() + seconds
        self._asked_by = ""
        #: readable as soon as somebody has asked to stop, for those who wait in select(2)
        self.ear, self._mouth = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def __del__(self) -> None:
        for fd in (self.ear, self._mouth):
            os.close(fd)

    @property
    def left(self) -> float:
        """Seconds; endless where there is no end."""
        return float("inf") if self._end is None else max(0.0, self._end - self._now())

    @property
    def over(self) -> str:
        """Why no further step may begin; empty if it may."""
        if self._asked_by:
            return f"it was asked to stop by {self._asked_by}"
        return "" if self.left > 0 else f"its time limit of {self._seconds:g} seconds was reached"

    def check(self) -> None:
        """Between two steps: raise :class:`Stopped` if the next may not begin."""
        if self.over:
            raise Stopped(self.over, hint="The next run goes on from here", retryable=True)

    def ask(self, by: str) -> None:
        """Ask for an end; safe in a signal handler."""
        if not self._asked_by:
            self._asked_by = by
            os.write(self._mouth, b"!")

    def heed_signals(self) -> None:
        """From here on, what usually kills a process asks this call to stop."""
        for number in _SIGNALS:
            signal.signal(number, lambda got, _frame: self.ask(signal.Signals(got).name))
