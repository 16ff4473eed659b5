# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tools are bounded: in time, in output, in what they inherit and in what they leave."""

from __future__ import annotations

import time

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._patient.tools import Tools


def test_a_tool_runs_without_our_environment_and_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("LD_PRELOAD", "/nothing")
    done = Tools().run(["sh", "-c", "echo $LC_ALL-$LD_PRELOAD; cat; exit 3"], timeout=20, ok=(3,))
    assert (done.rc, done.stdout) == (3, "C-\n")
    assert Tools().run(["cat"], timeout=20, stdin=b"\xff").stdout == "\udcff"


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (["openrescue-no-such-tool"], "tool_missing"),
        (["sh", "-c", "echo why >&2; exit 1"], "tool_failed"),
        (["sleep", "60"], "tool_timeout"),
    ],
)
def test_what_goes_wrong_is_said(argv: list[str], code: str) -> None:
    with pytest.raises(OpenRescueError) as caught:
        Tools().run(argv, timeout=0.2)
    assert caught.value.code == code


def test_a_child_that_outlives_its_tool_holds_nobody() -> None:
    began = time.monotonic()
    assert Tools().run(["sh", "-c", "sleep 60 & echo here"], timeout=20).stdout == "here\n"
    assert time.monotonic() - began < 10
