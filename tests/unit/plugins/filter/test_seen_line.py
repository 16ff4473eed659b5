# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.filter.seen_line import FilterModule, seen_line

SERVER = {"state": "unrescued", "power_state": "running", "agent": "disconnected", "error": None}
TABLE: dict[str, tuple[dict[str, t.Any], str]] = {
    "a server": (SERVER, "it is unrescued, its power state running, its guest agent disconnected"),
    "with evidence": (
        {**SERVER, "life": {"state": "unknown", "evidence": "its console is empty"}},
        "it is unrescued, its power state running, its guest agent disconnected (its console is empty)",
    ),
    "one without an agent": ({**SERVER, "agent": None, "life": None}, "it is unrescued, its power state running"),
    "one that is gone": ({**SERVER, "error": {"message": "it is gone"}}, "it is gone"),
    "a system that is silent": ({"answers": False, "reason": "refused"}, "it does not answer: refused"),
    "a system without a reason": ({"answers": False, "reason": ""}, "it does not answer: no reason given"),
    "a system that starts": ({"answers": True, "system": "starting"}, "its system says 'starting'"),
    "a system that says nothing": ({"answers": True, "system": ""}, "its system says 'nothing'"),
}


@pytest.mark.parametrize("case", TABLE)
def test_words(case: str) -> None:
    seen, words = TABLE[case]
    assert seen_line(seen) == words


def test_the_filter_has_its_name() -> None:
    assert FilterModule().filters() == {"seen_line": seen_line}
