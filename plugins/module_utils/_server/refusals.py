# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refusals that every provider makes in the same words.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import difflib
import typing as t

from .._errors import Held, OpenRescueError, StateChanged

if t.TYPE_CHECKING:
    from .model import Problem

__all__ = ("at_work", "blocked", "changed_meanwhile", "rescued_otherwise", "the_one", "time_is_up")


def the_one(
    fitting: t.Sequence[tuple[str, str]],
    *,
    asked: str,
    kind: str,
    key: str,
    place: str,
    names: t.Callable[[], t.Iterable[str]],
    listing: str,
) -> tuple[str, str]:
    """The only one of these (ID, name) pairs; raises ``server_not_unique`` or ``server_not_found``.

    :param kind: what the provider calls a server; ``key``: what it calls its ID.
    :param place: where it was looked for, such as ``in this project``.
    :param names: gives the names of all servers there, for a suggestion.
    :param listing: the command that lists them.
    """
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise OpenRescueError(
            f"it fits several {kind}s: " + ", ".join(f"'{name}' ({one})" for one, name in fitting),
            code="server_not_unique",
            hint=f"Give the {key}",
            step="look for it",
            server=asked,
        )
    close = [repr(name) for name in difflib.get_close_matches(asked, list(names()), n=3)]
    raise OpenRescueError(
        f"there is no {kind} of that name or {key} {place}",
        code="server_not_found",
        hint=f"Did you mean {' or '.join(close)}?" if close else f"'{listing}' shows what there is",
        step="look for it",
        server=asked,
    )


def at_work(who: str, *, step: str, server: str) -> Held:
    """Another call is changing the server at this moment."""
    return Held(
        f"another call is changing it: {who}",
        hint="Wait until that call has ended, then run this again",
        step=step,
        server=server,
        retryable=True,
    )


def changed_meanwhile(*, step: str, server: str) -> StateChanged:
    """Somebody else has begun something since it was looked at."""
    return StateChanged(
        "another call has changed it since it was looked at",
        hint="Run again: it is looked at anew",
        step=step,
        server=server,
        retryable=True,
    )


def blocked(blockers: t.Sequence[Problem], *, server: str) -> OpenRescueError:
    """The blockers as one error, under the code of the first."""
    first, others = blockers[0], blockers[1:]
    hint = first.hint
    if others:
        hint += ". Also: " + "; ".join(f"{problem} [{problem.code}]" for problem in others)
    return OpenRescueError(first.message, code=first.code, hint=hint, step="preflight", server=server)


def time_is_up(seconds: float, *, step: str, server: str) -> OpenRescueError:
    """The user's timeout has passed before the step."""
    return OpenRescueError(
        f"the time is up ({seconds:.0f} s)",
        code="timeout",
        hint="Give a longer timeout",
        step=step,
        server=server,
        retryable=True,
    )


def rescued_otherwise(differences: str, *, server: str) -> OpenRescueError:
    """It is rescued, but not as it is asked for now."""
    return OpenRescueError(
        f"it is rescued already, with {differences}",
        code="rescued_otherwise",
        hint="Unrescue it first (state: unrescued), then rescue it as you want",
        step="plan",
        server=server,
    )
