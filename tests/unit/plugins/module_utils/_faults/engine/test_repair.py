# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which findings a repair takes."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._faults.engine.repair import Selection, finding_of
from ansible_collections.openrescue.server.plugins.module_utils._faults.model import Evidence, Finding

BAD = Finding("a-b", "critical", "bad", (Evidence("/etc/x", 3, "text"),), "mend it", remedy_safe=True)
RISKY = dataclasses.replace(BAD, fault="a-c", key="", remedy_safe=False)
HOPELESS = dataclasses.replace(BAD, fault="a-d", key="", remedy=None)


@pytest.mark.parametrize(
    ("selection", "taken"),
    [
        (Selection(), {"a-b"}),
        (Selection(faults=frozenset({"a-c", "a-d"})), {"a-c"}),
        (Selection(findings=(RISKY, HOPELESS)), {"a-c"}),
        (Selection(findings=(dataclasses.replace(BAD, evidence=(Evidence("/etc/x", 9, "text"),)),)), {"a-b"}),
        (Selection(findings=(dataclasses.replace(BAD, key="", evidence=(Evidence("/etc/y", 3, "text"),)),)), set()),
        (Selection(findings=()), set()),
        (Selection(faults=frozenset()), set()),
    ],
)
def test_selection(selection: Selection, taken: set[str]) -> None:
    assert {item.fault for item in (BAD, RISKY, HOPELESS) if not selection.takes(item)} == taken


def test_a_finding_survives_its_way_through_a_task() -> None:
    assert finding_of(BAD.as_dict()).key == BAD.key
    for wrong in ({}, {"fault": "x", "evidence": ["text"]}, {"fault": "x", "evidence": 5}):
        with pytest.raises(OpenRescueError):
            finding_of(t.cast("dict[str, t.Any]", wrong))
