# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One server looked at, and what stands in the way of a wish, whatever the provider. Changes nothing.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .._errors import ConnectionLost, OpenRescueError
from .._time import Deadline
from .model import Job, Life, Problem, Situation

if t.TYPE_CHECKING:
    from .._time import Clock
    from .fleet import Roll
    from .model import Wish
    from .provider import Provider, Session

__all__ = ("Watcher", "look_at_server")

#: looks on until there is enough to see: the server as it is then, and whether it lives
Watcher = t.Callable[["Session[t.Any]", Situation], tuple[Situation, Life]]


def look_at_server(
    provider: Provider,
    asked: str,
    wish: Wish,
    *,
    clock: Clock,
    roll: Roll,
    watch: Watcher = lambda session, now: (now, session.life(now)),
) -> Job:
    """Look at one server, and at what stands in the way of the wish. What goes wrong is in the job."""
    job = Job(asked=asked, wish=wish)
    session = provider.session(Deadline(clock, seconds=wish.timeout))
    try:
        job.id, job.name = session.find(asked)
        roll.enter(job.id, asked)
        job.before = job.after = now = session.observe(job.id)
        now, job.life = watch(session, now)
        job.before = job.after = now
        job.blockers, job.warnings = session.preflight(now, wish)
        if wish.image and not job.blockers:
            session.plan(now, wish)
    except OpenRescueError as exc:
        if job.after is not None and not isinstance(exc, ConnectionLost):
            job.blockers = [*job.blockers, Problem(exc.code, exc.message, exc.hint)]
        else:
            job.error = exc.told_of(job.name or asked)
    return job
