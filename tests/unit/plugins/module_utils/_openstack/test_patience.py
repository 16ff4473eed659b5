# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._openstack import errors
from ansible_collections.openrescue.server.plugins.module_utils._openstack.patience import Patience
from ansible_collections.openrescue.server.plugins.module_utils._time import Deadline

from .wire import Clock


def attempts(kind: type[errors.CloudError], *, seconds: float = 60.0, pause: float = 0.0, **more: t.Any) -> int:
    """How often a call is made that always fails so."""
    clock = t.cast("t.Any", Clock())
    answered = more.pop("answered", True)
    patience = Patience(clock, Deadline(clock, seconds=seconds), **more)
    error = kind("no")
    error.retry_after = pause
    made = 1
    while patience.wait(error, answered=answered):
        made += 1
    return made


CASES: list[tuple[type[errors.CloudError], dict[str, t.Any], int]] = [
    # half a second, then twice as long each time up to ten seconds, for as long as there is time
    (errors.Unavailable, {}, 10),
    (errors.OverLimit, {"pause": 20.0}, 3),
    (errors.OverLimit, {"pause": 61.0}, 1),
    (errors.ServerFault, {}, 4),
    (errors.ServerFault, {"faults_too": True}, 10),
    (errors.NotThisApi, {}, 4),
    (errors.NotFound, {}, 1),
    (errors.Forbidden, {}, 1),
    (errors.NameNotResolved, {}, 10),
    (errors.NameNotResolved, {"answered": False}, 1),
    (errors.NoAnswer, {"answered": False}, 1),
    (errors.ConnectionFailed, {"answered": False}, 3),
    (errors.ConnectionFailed, {}, 10),
    (errors.Unavailable, {"seconds": 0.0}, 1),
]


@pytest.mark.parametrize(("kind", "more", "made"), CASES)
def test_attempts(kind: type[errors.CloudError], more: dict[str, t.Any], made: int) -> None:
    assert attempts(kind, **more) == made
