# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._time import Clock, Deadline, Stopwatch, wait_until


class Fake:
    """A clock that passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.clock = Clock(monotonic=lambda: self.now, wall=lambda: self.now, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize(("comes", "seen_at"), [(0.0, 0.0), (0.5, 0.5), (9.95, 10.0), (11.0, None)])
def test_waiting(comes: float, seen_at: float | None) -> None:
    fake = Fake()
    ticks: list[float] = []
    seen = wait_until(
        lambda: fake.now + 1 if fake.now >= comes else None,
        deadline=Deadline(fake.clock, seconds=10),
        clock=fake.clock,
        poll_interval=0.25,
        tick=lambda: ticks.append(fake.now),
    )
    assert seen == (None if seen_at is None else seen_at + 1)
    assert fake.now <= 10.01
    assert bool(ticks) is (comes > 0)


def test_a_deadline_within_another() -> None:
    fake = Fake()
    outer = Deadline(fake.clock, seconds=5)
    assert outer.within(60).left == 5
    assert outer.within(2).left == 2
    fake.sleep(6)
    assert outer.left == outer.within(2).left == 0


def test_stopwatch_adds_up_and_counts_failures() -> None:
    fake = Fake()
    timings: dict[str, float] = {}
    watch = Stopwatch(fake.clock, timings)
    watch.measure("a", lambda: fake.sleep(1))
    watch.measure("a", lambda: fake.sleep(2))
    with pytest.raises(ZeroDivisionError):
        watch.measure("b", lambda: 1 // 0)
    assert timings == {"a": 3, "b": 0}
