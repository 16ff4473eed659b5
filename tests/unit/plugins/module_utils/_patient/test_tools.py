# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tools are bounded: in time, in output, in what they inherit and in what they leave."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import threading
import time

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._patient.limit import Limit, Stopped
from ansible_collections.openrescue.server.plugins.module_utils._patient.tools import Tools


def test_a_tool_runs_without_our_environment_and_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("LD_PRELOAD", "/nothing")
    done = Tools().run(["sh", "-c", "echo $LC_ALL-$LD_PRELOAD; cat; exit 3"], timeout=20, ok=(3,))
    assert (done.rc, done.stdout) == (3, "C.UTF-8-\n")
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


def test_names_in_utf_8_stay_what_they_are() -> None:
    """Under LC_ALL=C, blkid and others escape them."""
    assert Tools().run(["sh", "-c", "locale charmap 2>/dev/null || echo UTF-8"], timeout=20).stdout == "UTF-8\n"


def test_a_tool_that_only_looks_ends_with_the_call() -> None:
    limit = Limit(seconds=60)
    threading.Timer(0.3, limit.ask, ["SIGTERM"]).start()
    began = time.monotonic()
    with pytest.raises(Stopped, match="asked to stop by SIGTERM"):
        Tools(limit=limit).run(["sleep", "60"], timeout=60)
    assert time.monotonic() - began < 20


def test_cleaning_up_is_still_possible_when_the_call_is_over() -> None:
    limit = Limit(seconds=0)
    limit.ask("SIGTERM")
    assert Tools(limit=limit).run(["sh", "-c", "sleep 0.2; echo done"], timeout=20).stdout == "done\n"


KILLED = """
import sys, threading, time
from ansible_collections.openrescue.server.plugins.module_utils._patient.tools import Tools
threading.Thread(target=Tools().run, args=(["sh", "-c", sys.argv[1]],), kwargs={"timeout": 60}, daemon=True).start()
time.sleep(60)
"""


def test_after_a_kill_no_tool_goes_on(tmp_path: pathlib.Path) -> None:
    begun, written = tmp_path / "begun", tmp_path / "written"
    script = f"echo > {begun}; sleep 1.5; echo > {written}"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, script], env={**os.environ, "PYTHONPATH": ":".join(sys.path)}
    )
    while not begun.exists():
        time.sleep(0.05)
    process.kill()
    process.wait()
    time.sleep(2)
    assert not written.exists()
