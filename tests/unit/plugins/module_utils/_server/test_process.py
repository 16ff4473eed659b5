# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._server import process
from ansible_collections.openrescue.server.plugins.module_utils._server.process import identity, is_running, this_user


def test_this_process_runs_and_another_does_not() -> None:
    me = identity(os.getpid())
    assert me.count("/") == 2
    assert len(me) < 60
    assert is_running(me) is True
    scope, pid, started = me.split("/")
    assert is_running(f"{scope}/{pid}/1") is False, "the process ID was given to another process since"
    assert is_running(f"{scope}/{2**22 + 1}/{started}") is False


def test_a_process_that_has_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        name = identity(child.pid)
        assert is_running(name) is True
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert is_running(name) is False, "a zombie works no more"
    assert is_running(name) is False


@pytest.mark.parametrize("name", ["", "x", "elsewhere/1/1", "a/b/c", "{scope}/1/", "{scope}//1", "{scope}/x/1"])
def test_what_cannot_be_seen_from_here(name: str) -> None:
    scope = identity(os.getpid()).split("/", maxsplit=1)[0]
    assert is_running(name.format(scope=scope)) is None


def test_a_hidden_process_is_not_taken_for_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    """With hidepid /proc shows other users' processes to nobody but root."""
    me = identity(os.getpid())

    def hidden(*_more: object, **_options: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(process.pathlib.Path, "read_text", hidden)
    monkeypatch.setattr(process, "_scope", lambda: me.split("/", maxsplit=1)[0])
    assert is_running(me) is None


def test_who_this_is() -> None:
    assert "@" in this_user()
