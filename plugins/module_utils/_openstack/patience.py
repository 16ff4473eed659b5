# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How often, and after which pauses, a call that has failed is made again.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .errors import PASSING

if t.TYPE_CHECKING:
    from .._errors import OpenRescueError
    from .._time import Clock, Deadline

__all__ = ("SURROUNDINGS", "Patience")

#: seconds between two attempts, doubled each time up to the second
_BACKOFF = (0.5, 10.0)
#: a fault of the cloud's own is worth a few attempts, not the whole timeout
_FAULTS_OF_ITS_OWN = {"server_error": 4, "answer_not_json": 4}
#: what the machine's surroundings do to us: worth patience only where the cloud has answered before
SURROUNDINGS = frozenset({"connection_failed", "name_not_resolved", "no_answer"})


class Patience:
    """For one call and its repetitions."""

    def __init__(self, clock: Clock, deadline: Deadline, *, faults_too: bool = False) -> None:
        self._clock = clock
        self._deadline = deadline
        #: whether the cloud's own faults are waited out for as long as there is time
        self._faults_too = faults_too
        self._pause, self._longest = _BACKOFF
        self._failures: dict[str, int] = {}

    def wait(self, error: OpenRescueError, *, answered: bool = True) -> bool:
        """Wait before the next attempt; False where there is to be none.

        :param answered: whether the cloud has answered to anything before.
        """
        self._failures[error.code] = self._failures.get(error.code, 0) + 1
        pause = max(error.retry_after, self._pause)
        if not self._may_pass(error, answered=answered):
            return False
        if pause >= self._deadline.left:
            if error.retry_after:
                error.hint += f". It asks to be left alone for {error.retry_after:.0f} s, longer than there is time"
            return False
        self._clock.sleep(pause)
        self._pause = min(2 * self._pause, self._longest)
        return True

    def _may_pass(self, error: OpenRescueError, *, answered: bool) -> bool:
        failures = self._failures[error.code]
        if error.code in SURROUNDINGS:
            return answered or (error.code == "connection_failed" and failures < 3)
        return error.code in PASSING and (
            self._faults_too or failures < _FAULTS_OF_ITS_OWN.get(error.code, failures + 1)
        )
