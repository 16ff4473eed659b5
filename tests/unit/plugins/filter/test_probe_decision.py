# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is rescued: a server of which it is known that it is down, and nobody else unasked."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.filter.probe_decision import probe_decision

ANSWERS = {"answers": True, "system": "running", "reason": ""}
RESCUE = {"answers": True, "system": "rescue", "reason": ""}
SILENT = {"answers": False, "system": "", "reason": "refused"}


def server(life: str | None, state: str = "unrescued") -> dict[str, t.Any]:
    told = {"state": life, "evidence": "e", "by": None} if life else None
    return {"name": "web1", "state": state, "life": told}


#: server, login, whether servers that are up are meant -> whether it is rescued, its life, whether nobody can tell
TABLE: dict[str, tuple[dict[str, t.Any], dict[str, t.Any], bool, tuple[bool, str, bool]]] = {
    "down": (server("down"), {}, False, (True, "down", False)),
    "down, and silent": (server("down"), SILENT, False, (True, "down", False)),
    "down by its console, and lets us in": (server("down"), ANSWERS, False, (False, "up", False)),
    "down, and its rescue system lets us in": (server("down"), RESCUE, False, (True, "down", False)),
    "up": (server("up"), {}, False, (False, "up", False)),
    "up, and wanted": (server("up"), {}, True, (True, "up", False)),
    "booting": (server("booting"), SILENT, False, (False, "booting", True)),
    "unknown": (server("unknown"), {}, False, (False, "unknown", True)),
    "unknown, and silent": (server("unknown"), SILENT, False, (False, "unknown", True)),
    "unknown, and lets us in": (server("unknown"), ANSWERS, False, (False, "up", False)),
    "unknown, and wanted": (server("unknown"), SILENT, True, (True, "unknown", False)),
    "of no life": (server(None), {}, False, (False, "unknown", True)),
    "rescued": (server("up", "rescued"), {}, False, (True, "up", False)),
    "interrupted": (server(None, "interrupted"), {}, False, (True, "unknown", False)),
}


@pytest.mark.parametrize("case", TABLE)
def test_decisions(case: str) -> None:
    looked, login, running, expected = TABLE[case]
    found = probe_decision(looked, login=login, running=running)
    assert (found["go"], found["life"]["state"], found["unsure"]) == expected
    assert bool(found["said"]) is not found["go"]


def test_why_nobody_could_log_in_is_told() -> None:
    said = probe_decision(server("unknown"), login={**SILENT, "reason": "Permission denied"})["said"]
    assert "Permission denied" in said


def test_who_is_left_alone_is_told_how_to_be_meant() -> None:
    for life in ("up", "unknown", "booting"):
        said = probe_decision(server(life))["said"]
        assert "web1" in said
        assert "recover_running" in said
