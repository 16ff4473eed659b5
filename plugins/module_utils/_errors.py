# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one family of errors of this collection.

Codes are for users, who read them in results; classes are for us: what has to tell one error from another catches its
class, and never compares codes. A room with errors of its own keeps their classes in a file of its own.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

__all__ = ("Busy", "ConnectionLost", "Held", "OpenRescueError", "StateChanged")


class OpenRescueError(Exception):
    """Something that a user can act on: which server, which step, why, and what to do next.

    :param message: what happened and why, one sentence, no trailing full stop.
    :param code: a stable word for machines, such as ``managed_save_image``; the class's own where it is left out.
    :param hint: what the user can do next, one sentence.
    :param step: what was being tried, such as ``stop the guest``.
    :param server: name of the server, where one is concerned.
    :param retryable: whether the same call can succeed later without anybody changing anything.
    :param retry_after: seconds to wait before the next attempt, where that makes sense.

    Once made it stays as it is: who knows more of it makes another one of it with :meth:`told_of`.
    """

    code = "error"

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        hint: str = "",
        step: str = "",
        server: str = "",
        retryable: bool = False,
        retry_after: float = 0.0,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.hint = hint
        self.step = step
        self.server = server
        self.retryable = retryable
        self.retry_after = retry_after

    def told_of(self, server: str, *, also: str = "") -> OpenRescueError:
        """The same error of that server, where it names none itself, and with a sentence more of what to do."""
        told = type(self).__new__(type(self), *self.args)
        told.__dict__.update(self.__dict__, server=self.server or server)
        told.hint = ". ".join(filter(None, (self.hint, also)))
        return told

    def __str__(self) -> str:
        where = ": ".join(part for part in (f"server '{self.server}'" if self.server else "", self.step) if part)
        text = f"{where}: {self.message}" if where else self.message
        return f"{text}. {self.hint}" if self.hint else text

    def as_result(self) -> dict[str, t.Any]:
        """The error as modules return it: code, message, hint, retryable."""
        return {"code": self.code, "message": str(self), "hint": self.hint, "retryable": self.retryable}


class ConnectionLost(OpenRescueError):
    """The provider was reached, and is not any more: connect anew, look again, and go on from there."""

    code = "connection_lost"


class StateChanged(OpenRescueError):
    """Somebody else has changed the server since it was looked at: look again, and plan anew."""

    code = "state_changed"


class Held(OpenRescueError):
    """Another owner holds the server: nothing of it may be changed."""

    code = "held"


class Busy(OpenRescueError):
    """Somebody works on the disks at this moment: never a reason to take the rescue system away."""

    code = "busy"
