# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of a call: by its time, or because somebody asked."""

from __future__ import annotations

import os
import signal
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._patient.limit import Limit, Stopped


def test_its_time_runs_out() -> None:
    now = [100.0]
    limit = Limit(seconds=10, now=lambda: now[0])
    limit.check()
    now[0] = 110.0
    assert limit.left == 0
    assert limit.over == "its time limit of 10 seconds was reached"
    with pytest.raises(Stopped, match="time limit of 10"):
        limit.check()


def test_without_an_end_there_is_none() -> None:
    limit = Limit()
    limit.check()
    assert limit.left == float("inf")


@pytest.fixture
def handlers() -> t.Iterator[None]:
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.usefixtures("handlers")
def test_a_signal_asks_and_nothing_more(number: signal.Signals) -> None:
    limit = Limit(seconds=60)
    limit.heed_signals()
    os.kill(os.getpid(), number)
    assert limit.over == f"it was asked to stop by {number.name}"
    assert os.read(limit.ear, 10) == b"!"
