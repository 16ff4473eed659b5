# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How often, and after which pauses, a call that has failed is made again.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import collections
import typing as t

from .errors import ConnectionFailed, Passing, Surroundings

if t.TYPE_CHECKING:
    from .._time import Clock, Deadline
    from .errors import CloudError

__all__ = ("Patience",)

#: seconds between two attempts, doubled each time up to the second
_BACKOFF = (0.5, 10.0)
#: attempts to reach a cloud that has never answered
_FIRST_CONTACT = 3


class Patience:
    """For one call and its repetitions."""

    def __init__(self, clock: Clock, deadline: Deadline, *, faults_too: bool = False) -> None:
        self._clock = clock
        self._deadline = deadline
        #: whether the cloud's own faults are waited out for as long as there is time
        self._faults_too = faults_too
        self._pause, self._longest = _BACKOFF
        self._failures: collections.Counter[type[CloudError]] = collections.Counter()

    def wait(self, error: CloudError, *, answered: bool = True) -> bool:
        """Wait before the next attempt; False where there is to be none.

        :param answered: whether the cloud has answered to anything before.
        """
        self._failures[type(error)] += 1
        pause = max(error.retry_after, self._pause)
        if not self._may_pass(error, answered=answered) or pause >= self._deadline.left:
            return False
        self._clock.sleep(pause)
        self._pause = min(2 * self._pause, self._longest)
        return True

    def _may_pass(self, error: CloudError, *, answered: bool) -> bool:
        failures = self._failures[type(error)]
        if isinstance(error, Surroundings):
            return answered or (isinstance(error, ConnectionFailed) and failures < _FIRST_CONTACT)
        return isinstance(error, Passing) and (self._faults_too or not error.attempts or failures < error.attempts)
