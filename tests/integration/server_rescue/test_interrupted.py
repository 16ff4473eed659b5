# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Killed anywhere, cut off from libvirt, or met by another run: nothing is lost and nothing stays half done."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import typing as t

import libvirt
import pytest
from blank import Blank
from openrescue_lab import daemon
from openrescue_lab.modules import end

THERE = (
    "before:claim",
    "after:claim",
    "before:create_disks",
    "after:create_disks",
    "after:disable_autostart",
    "after:stop_server",
    "before:start_rescue",
    "after:start_rescue",
    "before:finish",
    "after:finish",
)
BACK = (
    "before:claim",
    "after:claim",
    "after:stop_rescue",
    "before:start_server",
    "after:start_server",
    "after:enable_autostart",
    "after:remove_disks",
    "after:finish",
)


def killed(process: subprocess.Popen[str]) -> None:
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL, stdout + stderr


def wait_for(condition: t.Callable[[], t.Any], *, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def original(blank: Blank) -> Blank:
    blank.define()
    blank.domain.setAutostart(1)
    return blank.start()


@pytest.mark.parametrize("kill_at", THERE)
def test_killed_on_the_way_there_and_finished(original: Blank, modules: t.Any, kill_at: str) -> None:
    before = original.definition()
    kill_a_rescue(original, modules, kill_at)
    assert original.without_marker() == before
    finished = modules.rescue(original.name)
    assert finished.server["state"] == "rescued"
    assert finished.server["previous"] == {"power_state": "running", "autostart": True}
    assert original.rescued()
    assert len(original.files()) == 2
    assert modules.rescue(original.name).values["changed"] is False
    assert_put_back(original, modules, before)


@pytest.mark.parametrize("kill_at", ["after:claim", "after:create_disks", "after:stop_server", "after:start_rescue"])
def test_killed_on_the_way_there_and_put_back(original: Blank, modules: t.Any, kill_at: str) -> None:
    before = original.definition()
    kill_a_rescue(original, modules, kill_at)
    assert_put_back(original, modules, before)


def kill_a_rescue(original: Blank, modules: t.Any, kill_at: str) -> None:
    rescue = {"server": original.name, "state": "rescued", "rescue_image": str(modules.image), "shutdown_timeout": 0}
    killed(modules.start("server_rescue", kill_at=kill_at, **rescue))


@pytest.mark.parametrize("kill_at", BACK)
def test_killed_on_the_way_back(original: Blank, modules: t.Any, kill_at: str) -> None:
    before = original.definition()
    modules.rescue(original.name)
    killed(modules.start("server_rescue", kill_at=kill_at, server=original.name, state="unrescued", shutdown_timeout=0))
    assert_put_back(original, modules, before)


@pytest.mark.parametrize("kill_at", ["after:claim", "after:stop_rescue", "after:start_server"])
def test_rescued_again_after_a_killed_way_back(original: Blank, modules: t.Any, kill_at: str) -> None:
    before = original.definition()
    modules.rescue(original.name)
    killed(modules.start("server_rescue", kill_at=kill_at, server=original.name, state="unrescued", shutdown_timeout=0))
    assert modules.rescue(original.name).server["state"] == "rescued"
    assert original.rescued()
    assert_put_back(original, modules, before)


def assert_put_back(original: Blank, modules: t.Any, before: str) -> None:
    back = modules.unrescue(original.name)
    assert back.server["state"] == "unrescued"
    assert original.definition() == before
    assert original.running
    assert not original.rescued()
    assert original.domain.autostart() == 1
    assert original.files() == []
    assert modules.unrescue(original.name).values["changed"] is False


HOLDER = """\
import os, runpy, time
from ansible_collections.openrescue.server.plugins.module_utils._libvirt.run import LibvirtRun
def create_disks(self):
    time.sleep(600)
LibvirtRun._create_disks = create_disks
runpy.run_module(os.environ["MODULE"], run_name="__main__")
"""


def test_the_second_run_says_who_holds_it(original: Blank, modules: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("blank.KILLER", HOLDER)
    holder = modules.start(
        "server_rescue", kill_at="never", server=original.name, state="rescued", rescue_image=str(modules.image)
    )
    try:
        wait_for(lambda: original.marker() and original.marker().phase == "create_disks")
        for second in (modules.rescue(original.name), modules.unrescue(original.name)):
            assert second.code == "held"
            assert second.server["error"]["retryable"] is True
            assert f"process {holder.pid}" in second.values["msg"]
        assert modules.info(original.name).server["state"] == "rescuing"
        assert modules.info(original.name).server["hold"]["mine"] is True
    finally:
        holder.kill()
        holder.communicate(timeout=30)
    assert modules.rescue(original.name).server["state"] == "rescued"


def test_two_runs_at_the_same_moment(original: Blank, modules: t.Any) -> None:
    before = original.definition()
    rescue = {"server": original.name, "state": "rescued", "rescue_image": str(modules.image), "shutdown_timeout": 0}
    runs = [end(run) for run in [modules.start("server_rescue", **rescue) for _ in range(3)]]
    assert {run.code for run in runs} <= {None, "held"}
    assert None in {run.code for run in runs}
    assert sum(run.server["changed"] for run in runs if run.code is None) == 1
    assert original.rescued()
    assert len(original.files()) == 2
    assert_put_back(original, modules, before)


def test_libvirt_goes_away_in_the_middle(original: Blank, modules: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = original.definition()
    uuid = original.domain.UUIDString()
    monkeypatch.setattr("blank.KILLER", _paused("_stop"))
    run = modules.start(
        "server_rescue",
        kill_at="never",
        server=original.name,
        state="rescued",
        rescue_image=str(modules.image),
        shutdown_timeout=0,
    )
    wait_for(lambda: original.marker() and original.marker().phase == "stop_server")
    daemon.restart_libvirtd()
    os.kill(run.pid, signal.SIGUSR1)
    outcome = end(run)
    assert outcome.server["state"] == "rescued"
    assert "reconnect" in outcome.server["actions"]
    original.connection = libvirt.open(modules.uri)
    original.domain = original.connection.lookupByUUIDString(uuid)
    assert original.rescued()
    assert_put_back(original, modules, before)


def _paused(step: str) -> str:
    """A module that waits for a signal before one step, once."""
    return f"""\
import os, runpy, signal
from ansible_collections.openrescue.server.plugins.module_utils._libvirt.run import LibvirtRun
import threading
go = threading.Event()
signal.signal(signal.SIGUSR1, lambda *_: go.set())
whole = LibvirtRun.{step}
def paused(self):
    go.wait(60)
    whole(self)
LibvirtRun.{step} = paused
runpy.run_module(os.environ["MODULE"], run_name="__main__")
"""


def test_rescue_system_that_cannot_start(original: Blank, modules: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The layer vanishes before the start: the server has its own system back."""
    before = original.definition()
    monkeypatch.setattr(
        "blank.KILLER",
        """\
import os, runpy
from ansible_collections.openrescue.server.plugins.module_utils._libvirt.run import LibvirtRun
whole = LibvirtRun._start_rescue
def broken(self):
    os.unlink(self._marker.layer)
    whole(self)
LibvirtRun._start_rescue = broken
runpy.run_module(os.environ["MODULE"], run_name="__main__")
""",
    )
    outcome = end(
        modules.start(
            "server_rescue",
            kill_at="never",
            server=original.name,
            state="rescued",
            rescue_image=str(modules.image),
            shutdown_timeout=0,
        )
    )
    assert outcome.code == "start_failed"
    assert "put back as it was" in outcome.values["msg"]
    assert outcome.server["state"] == "unrescued"
    assert original.definition() == before
    assert original.running
    assert original.domain.autostart() == 1
    assert original.files() == []
