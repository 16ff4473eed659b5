# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run at a time on one rescue system, and what the others are told."""

from __future__ import annotations

import json
import pathlib
import threading
import time
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import Busy
from ansible_collections.openrescue.server.plugins.module_utils._patient import session
from ansible_collections.openrescue.server.plugins.module_utils._patient.limit import Limit

NOW: dict[str, t.Any] = {"timeout": 60, "lock_timeout": 0}


@pytest.fixture(autouse=True)
def work(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.setattr(session, "WORK", str(tmp_path))
    monkeypatch.setattr(session, "_LOCK", str(tmp_path / "lock"))
    monkeypatch.setattr(session, "_MOUNTED", str(tmp_path / "mounted.json"))
    monkeypatch.setattr(session.os, "geteuid", lambda: 0)
    monkeypatch.setattr(Limit, "heed_signals", lambda self: None)
    return tmp_path


def test_the_second_is_told_who_works_since_when_and_on_what() -> None:
    with (
        session.exclusive(NOW, action="disk_repair, state repaired"),
        pytest.raises(Busy) as caught,
        session.exclusive(NOW, action="disk_mount"),
    ):
        pass
    assert "disk_repair, state repaired, process " in caught.value.message
    assert "s ago" in caught.value.message
    assert caught.value.retryable
    with session.exclusive(NOW, action="disk_mount"):
        pass


@pytest.mark.parametrize("text", ["", "4711", "{}", '{"since": 1e400}', "[1]", "\udcff"])
def test_a_lock_file_that_says_nothing(work: pathlib.Path, text: str) -> None:
    with session.exclusive(NOW, action="x"):
        (work / "lock").write_text(text, errors="surrogateescape")
        with pytest.raises(Busy, match="another run works"), session.exclusive(NOW, action="y"):
            pass


def test_one_waits_for_the_other() -> None:
    inside, order = threading.Event(), []

    def first() -> None:
        with session.exclusive(NOW, action="first"):
            inside.set()
            time.sleep(0.7)
            order.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    inside.wait()
    with session.exclusive({"timeout": 60, "lock_timeout": 20}, action="second"):
        order.append("second")
    thread.join()
    assert order == ["first", "second"]


def test_waiting_ends_with_the_call() -> None:
    with session.exclusive(NOW, action="first"):
        began = time.monotonic()
        with pytest.raises(Busy), session.exclusive({"timeout": 1, "lock_timeout": 60}, action="second"):
            pass
        assert time.monotonic() - began < 20


def test_the_lock_says_nothing_when_nobody_works(work: pathlib.Path) -> None:
    with session.exclusive(NOW, action="first") as tools:
        assert json.loads((work / "lock").read_text())["action"] == "first"
        assert tools.limit.left > 0
    assert (work / "lock").read_text() == "{}"


def test_a_mounted_patient_is_not_opened_a_second_time(work: pathlib.Path) -> None:
    session.remember_mounted({"path": "/mnt/patient"})
    with pytest.raises(session.PatientMounted, match="/mnt/patient"), session.private_session(NOW, action="x"):
        pass
    session.remember_mounted(None)
    assert session.mounted_now() is None
