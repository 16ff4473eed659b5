# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many servers in one call, many at a time, each to its end.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import threading
import typing as t

from .._errors import OpenRescueError
from .change import PUT_BACK, change_server
from .look import look_at_server
from .model import Job

if t.TYPE_CHECKING:
    from .._time import Clock
    from .look import Watcher
    from .model import Wish
    from .provider import Provider

__all__ = ("GRACE", "WORKERS", "Roll", "change_servers", "look_at_servers")

#: servers that are worked on at the same time
WORKERS = 16
#: seconds beyond all of its time after which a server's thread is given up: it hangs in a call that nothing ends
GRACE = 30.0


class _Twin(Exception):
    """Another job of this call is for the same server."""

    def __init__(self, asked: str) -> None:
        super().__init__(asked)
        self.asked = asked


class Roll:
    """The servers of this call by their IDs: one that was asked for by two names is one server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: dict[str, str] = {}

    def enter(self, server: str, asked: str) -> None:
        """Raises where the server is on the roll by another name."""
        with self._lock:
            first = self._asked.setdefault(server, asked)
        if first != asked:
            raise _Twin(first)


def change_servers(provider: Provider, names: t.Sequence[str], wish: Wish, *, clock: Clock, check: bool) -> list[Job]:
    """Bring every server to the wish; results in the order asked."""
    roll = Roll()

    def work(name: str) -> Job:
        return change_server(provider, name, wish, clock=clock, check=check, roll=roll)

    return _Fleet(names, work, wish=wish, clock=clock).jobs()


def look_at_servers(
    provider: Provider,
    names: t.Sequence[str],
    wish: Wish,
    *,
    clock: Clock,
    watch: Watcher = lambda session, now: (now, session.life(now)),
) -> list[Job]:
    """Look at every server; results in the order asked."""
    roll = Roll()

    def work(name: str) -> Job:
        return look_at_server(provider, name, wish, clock=clock, roll=roll, watch=watch)

    return _Fleet(names, work, wish=wish, clock=clock).jobs()


class _Fleet:
    """Work in threads, so that a call that never returns costs one server its limit and nothing else."""

    def __init__(self, names: t.Sequence[str], work: t.Callable[[str], Job], *, wish: Wish, clock: Clock) -> None:
        self._names = list(names)
        self._work = work
        self._wish = wish
        self._clock = clock
        self._todo = list(dict.fromkeys(names))
        self._changed = threading.Condition()
        self._started: dict[str, float] = {}
        self._jobs: dict[str, Job] = {}
        #: what was asked for -> by what the same server was asked for before
        self._twins: dict[str, str] = {}

    def jobs(self) -> list[Job]:
        """One for each name, when all have ended; one server that has two names has one job."""
        total = len(self._todo)
        for _worker in range(min(WORKERS, total)):
            self._start_worker()
        limit = self._wish.timeout + self._wish.shutdown_timeout + PUT_BACK + GRACE
        with self._changed:
            while len(self._jobs) + len(self._twins) < total:
                self._changed.wait(1.0)
                self._give_up(limit)
        return [self._jobs[self._twins.get(name, name)] for name in self._names]

    def _start_worker(self) -> None:
        threading.Thread(target=self._worker, daemon=True).start()

    def _worker(self) -> None:
        while True:
            with self._changed:
                if not self._todo:
                    return
                name = self._todo.pop(0)
                self._started[name] = self._clock.monotonic()
            twin, job = "", None
            try:
                job = self._work(name)
            except _Twin as exc:
                twin = exc.asked
            except Exception as exc:  # it must not keep the other servers from their results
                job = _unexpected(name, self._wish, exc)
            with self._changed:
                # A server that was given up stays so: nobody waits for what comes later.
                if name not in self._jobs:
                    if job is None:
                        self._twins[name] = twin
                    else:
                        self._jobs[name] = job
                self._changed.notify_all()

    def _give_up(self, limit: float) -> None:
        for name, since in self._started.items():
            open_still = name not in self._jobs and name not in self._twins
            if open_still and self._clock.monotonic() - since > limit:
                self._jobs[name] = _given_up(name, self._wish, limit)
                self._start_worker()


def _unexpected(name: str, wish: Wish, exc: Exception) -> Job:
    error = OpenRescueError(
        f"a defect of this collection: {type(exc).__name__}: {exc}",
        code="unexpected",
        hint="Please report it; running this again finishes or puts back",
        step=wish.state,
        server=name,
    )
    error.__cause__ = exc
    return Job(asked=name, wish=wish, error=error)


def _given_up(name: str, wish: Wish, limit: float) -> Job:
    return Job(
        asked=name,
        wish=wish,
        error=OpenRescueError(
            f"the provider has not answered for {limit:.0f} s",
            code="timeout",
            hint="See whether the provider's service is well, then run this again: it finishes or puts back",
            step=wish.state,
            server=name,
            retryable=True,
        ),
    )
