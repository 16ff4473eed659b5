# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One server's way to what is wished, whatever the provider.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .._errors import ConnectionLost, Held, OpenRescueError, StateChanged
from .._time import Deadline, Stopwatch
from . import refusals
from .hold import judge, needs_writing, taken
from .model import Job

if t.TYPE_CHECKING:
    from .._time import Clock
    from .fleet import Roll
    from .model import Problem, Situation, Wish
    from .plan import Plan
    from .provider import Provider

__all__ = ("PUT_BACK", "change_server")

#: seconds beyond the time for its shutdown within which a server whose rescue has failed is put back
PUT_BACK = 30.0

#: after these the server is looked at again, and a new plan made: what is done stays done
_AGAIN = (ConnectionLost, StateChanged)
_NO_WAY_BACK_NEEDED = (Held, *_AGAIN)


def change_server(provider: Provider, asked: str, wish: Wish, *, clock: Clock, check: bool, roll: Roll) -> Job:
    """Bring one server to the wish. What goes wrong is in the job.

    :param roll: raises where another job of this call is for the same server.
    """
    return _Change(provider, Job(asked=asked, wish=wish), clock=clock, check=check, roll=roll).go()


class _Change:
    def __init__(self, provider: Provider, job: Job, *, clock: Clock, check: bool, roll: Roll) -> None:
        self._provider = provider
        self._job = job
        self._clock = clock
        self._check = check
        self._roll = roll
        self._watch = Stopwatch(clock, job.timings)
        self._deadline = Deadline(clock, seconds=job.wish.timeout)
        self._session = provider.session(self._deadline)

    def go(self) -> Job:
        job = self._job
        try:
            self._watch.measure("total", self._until_there)
        except OpenRescueError as exc:
            job.error = exc.told_of(job.name or job.asked)
        if job.id and job.after is None:
            try:
                job.after = self._session.observe(job.id)
            except OpenRescueError:
                job.after = job.before
        return job

    def _until_there(self) -> None:
        while True:
            try:
                self._once()
            except _AGAIN as exc:
                if self._deadline.left <= 0:
                    raise
                if isinstance(exc, ConnectionLost):
                    self._job.actions.append("reconnect")
                    self._provider.connect(self._deadline)
                else:
                    self._clock.sleep(min(self._job.wish.poll_interval, self._deadline.left))
            else:
                return

    def _once(self) -> None:
        job = self._job
        now, plan = self._watch.measure("preflight", self._look)
        if self._check or not plan.changes:
            job.changed = job.changed or plan.changes
            job.actions += plan.actions
            if not plan.changes:
                self._keep_hold(now)
                job.warnings = [*job.warnings, *self._unheeded(now)]
            job.after = self._predict(now, plan)
            return
        try:
            self._follow(now, plan)
        except OpenRescueError as exc:
            if job.wish.state == "rescued" and plan.begins_anew and not isinstance(exc, _NO_WAY_BACK_NEEDED):
                raise exc.told_of(job.name, also=self._put_back()) from exc
            raise
        job.after = self._session.observe(job.id)

    def _look(self) -> tuple[Situation, Plan]:
        job, session = self._job, self._session
        job.id, job.name = session.find(job.asked)
        self._roll.enter(job.id, job.asked)
        now = session.observe(job.id)
        job.before = job.before or now
        now = session.settle(now, job.wish)
        self._claim(now)
        plan = session.plan(now, job.wish)
        if plan.changes:
            job.blockers, job.warnings = session.preflight(now, job.wish)
            if job.blockers:
                raise refusals.blocked(job.blockers, server=job.name)
        return now, plan

    def _claim(self, now: Situation) -> None:
        """Whether this call may change it, and what hold it gets."""
        job, claim, wanted = self._job, self._job.wish.claim, self._job.wish.state
        verdict = judge(now.hold, claim, alive=now.hold_alive, state=now.state, wanted=wanted, server=job.name)
        if now.at_work and not claim.force:
            raise refusals.at_work(now.at_work, step=wanted, server=job.name)
        job.hold = None if wanted == "unrescued" else taken(now.hold, claim, verdict, now=self._clock.wall())
        if verdict == "take_over" and "take_over" not in job.actions:
            job.actions.append("take_over")
            job.changed = True

    def _predict(self, now: Situation, plan: Plan) -> Situation:
        job = self._job
        after: Situation = self._session.predict(now, plan, job.wish)
        return dataclasses.replace(after, hold=job.hold, hold_alive=True if job.hold and job.hold.run else None)

    def _unheeded(self, now: Situation) -> list[Problem]:
        rescued = self._job.wish.state == now.state == "rescued"
        return self._session.unheeded(now, self._job.wish) if rescued else []

    def _keep_hold(self, now: Situation) -> None:
        """The server stays as it is: at most who has it changes."""
        job = self._job
        if not needs_writing(now.hold, job.hold):
            return
        if job.hold is None:
            job.actions.append("release_hold")
            job.changed = True
        if self._check:
            return
        problem = self._session.keep_hold(now, job.hold)
        if problem is not None:
            job.warnings = [*job.warnings, problem]

    def _follow(self, now: Situation, plan: Plan) -> None:
        job = self._job
        run = self._watch.measure("take_hold", lambda: self._session.begin(now, plan, job))
        job.actions += plan.opening
        job.changed = job.changed or plan.marker_around_steps
        for step in plan.steps:
            job.actions.append(step)
            changed = self._watch.measure(step, lambda step=step: run.do(step))  # type: ignore[misc]
            job.changed = changed or job.changed
        job.actions += plan.closing
        self._watch.measure("let_go", run.finish)

    def _put_back(self) -> str:
        """The rescue failed: give the server its own system back; what is to be said of that."""
        job, session = self._job, self._session
        wish = dataclasses.replace(job.wish, state="unrescued", restore_power_state=True)
        session.deadline = Deadline(self._clock, seconds=wish.shutdown_timeout + PUT_BACK)
        try:
            now = session.observe(job.id)
            plan = session.way_back(now, wish)
            if plan is None:
                return ""
            job.actions.append("put_back")
            job.hold = None
            if plan.changes:
                self._follow(now, plan)
        except OpenRescueError as exc:
            return f"Putting it back failed too ({exc.message}): run again with state: unrescued"
        return "The server has been put back as it was"
