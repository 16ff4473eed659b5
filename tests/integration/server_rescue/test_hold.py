# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who has a server, from its rescue to its unrescue, with real processes as the runs."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._server.process import identity
from blank import Blank, Modules
from openrescue_lab.modules import tree

Name = t.Callable[[], tuple[str, subprocess.Popen[bytes]]]


@pytest.fixture
def new_run() -> t.Iterator[Name]:
    """A process that stands for one ansible-playbook, and its name."""
    started: list[subprocess.Popen[bytes]] = []

    def make() -> tuple[str, subprocess.Popen[bytes]]:
        started.append(subprocess.Popen(["sleep", "600"]))
        return identity(started[-1].pid), started[-1]

    yield make
    for process in started:
        process.kill()
        process.wait()


def held_by(blank: Blank) -> tuple[str, str] | None:
    marker = blank.marker()
    return None if marker is None or marker.hold is None else (marker.hold.owner, marker.hold.run)


def test_a_live_run_keeps_others_away_and_a_dead_one_does_not(blank: Blank, modules: Modules, new_run: Name) -> None:
    blank.define().start()
    (one, process), (two, _other) = new_run(), new_run()
    before = blank.definition()
    first = modules.rescue(blank.name, run=one, owner="alice@bastion", reason="kernel update", phase="rescue")
    hold = first.server["hold"]
    assert (hold["owner"], hold["reason"], hold["phase"], hold["run"]) == (
        "alice@bastion",
        "kernel update",
        "rescue",
        one,
    )
    assert (hold["alive"], hold["mine"]) == (True, True)
    run_id, definition = blank.run_id, blank.definition()
    for refused in (
        modules.rescue(blank.name, run=two, owner="alice@bastion"),
        modules.unrescue(blank.name, run=two),
        modules.unrescue(blank.name, owner="alice@bastion"),
        modules.unrescue(blank.name, run=two, check=True),
    ):
        assert refused.code == "held"
        assert all(word in refused.values["msg"] for word in ("alice@bastion", "kernel update", "force_takeover"))
        assert refused.values["changed"] is False
    assert (blank.run_id, blank.definition()) == (run_id, definition)
    assert modules.info(blank.name, run=two).server["hold"]["mine"] is False

    # The same run tells what it does next, which is no change.
    told = modules.rescue(blank.name, run=one, phase="repair")
    assert (told.values["changed"], told.server["hold"]["phase"]) == (False, "repair")

    process.kill()
    process.wait()
    assert modules.info(blank.name).server["hold"]["alive"] is False
    over = modules.rescue(blank.name, run=two, owner="bob@bastion")
    assert over.server["actions"] == ["take_over"]
    assert held_by(blank) == ("bob@bastion", two)
    assert modules.unrescue(blank.name, run=two).server["state"] == "unrescued"
    assert blank.definition() == before


def test_a_live_run_is_taken_over_by_force_only(blank: Blank, modules: Modules, new_run: Name) -> None:
    blank.define()
    (one, _process), (two, _other) = new_run(), new_run()
    before = blank.definition()
    modules.rescue(blank.name, run=one)
    back = modules.unrescue(blank.name, run=two, force_takeover=True)
    assert back.server["state"] == "unrescued"
    assert back.server["actions"][0] == "take_over"
    assert blank.definition() == before


def test_a_persons_hold(blank: Blank, modules: Modules, new_run: Name) -> None:
    blank.define()
    modules.rescue(blank.name, owner="alice")
    run, _process = new_run()
    for stranger in ({"owner": "bob"}, {"owner": "bob", "run": run}, {}):
        refused = modules.unrescue(blank.name, **stranger)
        assert refused.code == "held"
        assert refused.server["error"]["retryable"] is False
    assert blank.rescued()
    # Alice's own run takes it for itself: another one of hers has to keep away.
    modules.rescue(blank.name, owner="alice", run=run)
    assert held_by(blank) == ("alice", run)
    other, _process = new_run()
    assert modules.unrescue(blank.name, owner="alice", run=other).code == "held"
    assert modules.unrescue(blank.name, owner="alice", run=run).server["state"] == "unrescued"


@pytest.mark.parametrize("kill_at", ["after:claim", "after:stop_server", "after:start_rescue", "before:finish"])
def test_killed_with_its_run_and_finished_by_the_next(
    blank: Blank, modules: Modules, new_run: Name, kill_at: str
) -> None:
    """SIGKILL of ansible-playbook and of its module at once: the next run with the same arguments finishes."""
    blank.define().start()
    before = blank.definition()
    (one, process), (two, _other) = new_run(), new_run()
    call = {"server": blank.name, "state": "rescued", "rescue_image": str(modules.image), "shutdown_timeout": 0}
    module = modules.start("server_rescue", kill_at=kill_at, run=one, owner="alice", **call)
    module.communicate(timeout=120)
    assert module.returncode == -signal.SIGKILL
    assert held_by(blank) == ("alice", one)
    assert modules.rescue(blank.name, run=two).code == "held", "the run itself still goes on"
    process.kill()
    process.wait()
    finished = modules.rescue(blank.name, run=two, owner="bob")
    assert finished.server["state"] == "rescued"
    assert finished.server["actions"][0] == "take_over"
    assert held_by(blank) == ("bob", two)
    assert len(blank.files()) == 2
    assert modules.unrescue(blank.name, run=two).server["state"] == "unrescued"
    assert (blank.definition(), blank.running, blank.files()) == (before, True, [])


def test_all_that_is_held_is_listed_and_what_is_left_over(
    blanks: t.Callable[[], Blank], modules: Modules, tmp_path: pathlib.Path
) -> None:
    rescued, untouched = blanks().define(), blanks().define()
    modules.rescue(rescued.name, owner="alice", reason="kernel")
    leftover = tmp_path / f"openrescue-{untouched.domain.UUIDString()}-0123abcd.qcow2"
    leftover.write_bytes(b"")
    target = f"<target><path>{tmp_path}</path></target>"
    pool = rescued.connection.storagePoolCreateXML(f"<pool type='dir'><name>{rescued.name}</name>{target}</pool>", 0)
    try:
        listed = modules.call("server_rescue_info").values
    finally:
        pool.destroy()
    assert [server["name"] for server in listed["servers"]] == [rescued.name]
    assert listed["servers"][0]["hold"]["owner"] == "alice"
    assert listed["servers"][0]["hold"]["since"]
    assert {"kind": "file", "path": str(leftover)} in listed["leftovers"]
    named = [one["path"] for one in listed["leftovers"] if one["kind"] == "file"]
    assert not [path for path in named if rescued.domain.UUIDString() in path]
    assert leftover.exists()
    modules.unrescue(rescued.name, owner="alice")


def test_one_server_by_name_and_by_id(blank: Blank, modules: Modules) -> None:
    """H26."""
    blank.define().start()
    before = blank.definition()
    names = [blank.name, blank.domain.UUIDString(), blank.domain.UUIDString().upper()]
    there = modules.rescue(names)
    assert [server["error"] for server in there.values["servers"]] == [None] * 3
    assert len({str(server) for server in there.values["servers"]}) == 1
    assert len(blank.files()) == 2
    back = modules.unrescue(names)
    assert [server["state"] for server in back.values["servers"]] == ["unrescued"] * 3
    assert blank.definition() == before


def test_the_run_is_the_same_in_all_tasks_of_a_play(tmp_path: pathlib.Path) -> None:
    play = tmp_path / "play.yml"
    task = "{name: T, ansible.builtin.copy: {content: \"{{ lookup('openrescue.server.run') }}\", dest: DEST}}"
    tasks = ", ".join(task.replace("DEST", str(tmp_path / name)) for name in "ab")
    play.write_text(f"[{{hosts: localhost, gather_facts: false, tasks: [{tasks}]}}]\n", encoding="utf-8")
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": tree()}
    playbook = pathlib.Path(sys.executable).with_name("ansible-playbook")
    python = f"ansible_python_interpreter={sys.executable}"
    subprocess.run([playbook, "-i", "localhost,", "-c", "local", "-e", python, play], env=environment, check=True)
    one, two = ((tmp_path / name).read_text(encoding="utf-8") for name in "ab")
    assert one == two
    assert len(one.split("/")) == 3
