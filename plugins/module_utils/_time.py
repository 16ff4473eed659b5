# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting, with the clock injected.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import time
import typing as t

__all__ = ("Clock", "Deadline", "Stopwatch", "TimeBudget", "wait_until")

T = t.TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Clock:
    """Time as the rest of this collection sees it."""

    monotonic: t.Callable[[], float] = time.monotonic
    wall: t.Callable[[], float] = time.time
    sleep: t.Callable[[float], None] = time.sleep


class Deadline:
    """A moment after which there is no more waiting."""

    def __init__(self, clock: Clock, *, seconds: float) -> None:
        self._clock = clock
        self._end = clock.monotonic() + seconds

    @property
    def left(self) -> float:
        return max(0.0, self._end - self._clock.monotonic())

    def within(self, seconds: float) -> Deadline:
        """The earlier of this deadline and one in that many seconds."""
        return Deadline(self._clock, seconds=min(seconds, self.left))


def wait_until(
    look: t.Callable[[], T | None],
    *,
    deadline: Deadline,
    clock: Clock,
    poll_interval: float,
    tick: t.Callable[[], None] = lambda: None,
) -> T | None:
    """Look until there is something to see, or the deadline; at least once, and once more at the end.

    A look that takes long is not added to the interval, but leaves at least half of it as a pause.
    """
    while True:
        began = clock.monotonic()
        last = deadline.left <= 0
        seen = look()
        if seen or last:
            return seen
        tick()
        pause = max(poll_interval - (clock.monotonic() - began), poll_interval / 2)
        clock.sleep(min(pause, max(deadline.left, 0.001)))


class Stopwatch:
    """Adds up seconds by phase into a mapping."""

    def __init__(self, clock: Clock, timings: dict[str, float]) -> None:
        self._clock = clock
        self._timings = timings

    def measure(self, phase: str, action: t.Callable[[], T]) -> T:
        """Run the action and add the time that it took to the phase, also where it raises."""
        started = self._clock.monotonic()
        try:
            return action()
        finally:
            spent = self._clock.monotonic() - started
            self._timings[phase] = round(self._timings.get(phase, 0.0) + spent, 3)


class TimeBudget:
    """The seconds that one run may take, and what it spent them on."""

    def __init__(self, *, seconds: float, clock: Clock | None = None) -> None:
        self._clock = clock or Clock()
        self._started = self._clock.monotonic()
        self._deadline = Deadline(self._clock, seconds=seconds)
        self.timings: dict[str, float] = {}

    def lap(self, phase: str, since: float) -> float:
        """Add the time since then to a phase; returns now, from which the next phase begins."""
        now = self._clock.monotonic()
        self.timings[phase] = round(self.timings.get(phase, 0.0) + now - since, 3)
        self.finish()
        return now

    def finish(self) -> None:
        self.timings["total"] = round(self._clock.monotonic() - self._started, 3)

    def is_over(self) -> bool:
        return self._deadline.left <= 0
