# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One server's way through one call, whatever the provider.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import threading
import typing as t

from .._errors import ConnectionLost, Held, OpenRescueError, StateChanged
from .._time import Deadline, Stopwatch
from . import refusals
from .model import Job, Problem

if t.TYPE_CHECKING:
    from .._server.plan import Plan
    from .._time import Clock
    from .model import Situation, Wish
    from .provider import Provider

__all__ = ("GRACE", "WORKERS", "drive", "drive_all", "inspect", "inspect_all")

#: servers that are driven at the same time
WORKERS = 16
#: seconds beyond its timeout after which a server's thread is given up: it hangs in a call that nothing ends
GRACE = 30.0

#: after these the server is looked at again, and a new plan made: what is done stays done
_AGAIN = (ConnectionLost, StateChanged)
_NO_WAY_BACK_NEEDED = (Held, *_AGAIN)


def drive(provider: Provider, asked: str, wish: Wish, *, clock: Clock, check: bool) -> Job:
    """Bring one server to the wish. Never raises: what went wrong is in the job."""
    job = Job(asked=asked, wish=wish)
    deadline = Deadline(clock, seconds=wish.timeout)
    provider = provider.within(deadline)
    watch = Stopwatch(clock, job.timings)
    try:
        watch.measure("total", lambda: _drive(provider, job, deadline=deadline, clock=clock, check=check))
    except OpenRescueError as exc:
        exc.server = exc.server or job.name or asked
        job.error = exc
    if job.id and job.after is None:
        try:
            job.after = provider.observe(job.id)
        except OpenRescueError:
            job.after = job.before
    return job


def _drive(provider: Provider, job: Job, *, deadline: Deadline, clock: Clock, check: bool) -> None:
    while True:
        try:
            _drive_once(provider, job, deadline=deadline, clock=clock, check=check)
        except _AGAIN as exc:
            if deadline.left <= 0:
                raise
            if isinstance(exc, ConnectionLost):
                job.actions.append("reconnect")
                provider.connect(deadline)
            else:
                clock.sleep(min(job.wish.poll_interval, deadline.left))
        else:
            return


def _drive_once(provider: Provider, job: Job, *, deadline: Deadline, clock: Clock, check: bool) -> None:
    watch = Stopwatch(clock, job.timings)
    now, plan = watch.measure("preflight", lambda: _look(provider, job))
    if check or not plan.changes:
        job.changed = job.changed or plan.changes
        job.actions += plan.actions
        job.after = provider.predict(now, plan, job.wish)
        return
    try:
        _follow(provider, job, now, plan, deadline=deadline, watch=watch)
    except OpenRescueError as exc:
        if job.wish.state == "rescued" and plan.fresh and not isinstance(exc, _NO_WAY_BACK_NEEDED):
            _put_back(provider, job, exc, clock=clock, watch=watch)
        raise
    job.after = provider.observe(job.id)


def _look(provider: Provider, job: Job) -> tuple[Situation, Plan]:
    job.id, job.name = provider.find(job.asked)
    now = provider.observe(job.id)
    job.before = job.before or now
    now = provider.settle(now, job.wish)
    if now.held and now.marker is not None and now.marker.holder is not None:
        raise refusals.held(now.marker.holder, step=job.wish.state, server=job.name)
    plan = provider.plan(now, job.wish)
    if plan.changes:
        job.blockers, job.warnings = provider.preflight(now, job.wish)
        if job.blockers:
            raise _refusal(job.blockers, server=job.name)
    return now, plan


def _refusal(blockers: t.Sequence[Problem], *, server: str) -> OpenRescueError:
    """The blockers as one error, under the code of the first."""
    first, others = blockers[0], blockers[1:]
    hint = first.hint
    if others:
        hint += ". Also: " + "; ".join(f"{problem} [{problem.code}]" for problem in others)
    return OpenRescueError(first.message, code=first.code, hint=hint, step="preflight", server=server)


def _follow(provider: Provider, job: Job, now: Situation, plan: Plan, *, deadline: Deadline, watch: Stopwatch) -> None:
    run = watch.measure("take_hold", lambda: provider.begin(now, plan, job, deadline))
    job.actions += plan.opening
    job.changed = job.changed or plan.marks
    for step in plan.steps:
        job.actions.append(step)
        job.changed = watch.measure(step, lambda step=step: run.do(step)) or job.changed  # type: ignore[misc]
    job.actions += plan.closing
    watch.measure("let_go", run.finish)


def _put_back(provider: Provider, job: Job, cause: OpenRescueError, *, clock: Clock, watch: Stopwatch) -> None:
    """The rescue failed: give the server its own system back, and say so in the error."""
    wish = dataclasses.replace(job.wish, state="unrescued", restore_power_state=True)
    deadline = Deadline(clock, seconds=wish.shutdown_timeout + GRACE)
    provider = provider.within(deadline)
    try:
        now = provider.observe(job.id)
        plan = provider.way_back(now, wish)
        if plan is None:
            return
        job.actions.append("put_back")
        if plan.changes:
            _follow(provider, job, now, plan, deadline=deadline, watch=watch)
        said = "The server has been put back as it was"
    except OpenRescueError as exc:
        said = f"Putting it back failed too ({exc.message}): run again with state: unrescued"
    cause.hint = f"{cause.hint}. {said}" if cause.hint else said


def inspect(provider: Provider, asked: str, wish: Wish, *, clock: Clock) -> Job:
    """Look at one server, and at what stands in the way of the wish. Never raises, changes nothing."""
    job = Job(asked=asked, wish=wish)
    provider = provider.within(Deadline(clock, seconds=wish.timeout))
    try:
        job.id, job.name = provider.find(asked)
        job.before = job.after = now = provider.observe(job.id)
        job.blockers, job.warnings = provider.preflight(now, wish)
        if wish.image and not job.blockers:
            provider.plan(now, wish)
    except OpenRescueError as exc:
        exc.server = exc.server or job.name or asked
        if job.after is not None and not isinstance(exc, ConnectionLost):
            job.blockers = [*job.blockers, Problem(exc.code, exc.message, exc.hint)]
        else:
            job.error = exc
    return job


def drive_all(provider: Provider, names: t.Sequence[str], wish: Wish, *, clock: Clock, check: bool) -> list[Job]:
    """Bring every server to the wish, many at a time, each to its end; results in the order asked."""

    def work(name: str) -> Job:
        return drive(provider, name, wish, clock=clock, check=check)

    return _each(names, work, wish=wish, clock=clock)


def inspect_all(provider: Provider, names: t.Sequence[str], wish: Wish, *, clock: Clock) -> list[Job]:
    """Look at every server; results in the order asked."""
    return _each(names, lambda name: inspect(provider, name, wish, clock=clock), wish=wish, clock=clock)


def _each(names: t.Sequence[str], work: t.Callable[[str], Job], *, wish: Wish, clock: Clock) -> list[Job]:
    """Work in threads, so that a call that never returns costs one server its limit and nothing else."""
    jobs: dict[int, Job] = {}
    started: dict[int, float] = {}
    # The same name twice is one server: both get the one result.
    first = {name: names.index(name) for name in names}
    todo = sorted(first.values())
    changed = threading.Condition()

    def worker() -> None:
        while True:
            with changed:
                if not todo:
                    return
                index = todo.pop(0)
                started[index] = clock.monotonic()
            try:
                job = work(names[index])
            except Exception as exc:  # it must not keep the other servers from their results
                job = _unexpected(names[index], wish, exc)
            with changed:
                # A server that was given up stays so: nobody waits for what comes later.
                jobs.setdefault(index, job)
                changed.notify_all()

    def start_worker() -> None:
        threading.Thread(target=worker, daemon=True).start()

    for _worker in range(min(WORKERS, len(todo))):
        start_worker()
    limit = wish.timeout + wish.shutdown_timeout + 2 * GRACE
    with changed:
        while len(jobs) < len(first):
            changed.wait(1.0)
            for index, since in started.items():
                if index not in jobs and clock.monotonic() - since > limit:
                    jobs[index] = _given_up(names[index], wish, limit)
                    start_worker()
    return [jobs[first[name]] for name in names]


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
