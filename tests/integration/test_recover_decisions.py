# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""What recover and unrescue decide, for many servers in one run: who is rescued, given back, or left alone."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._server.process import identity
from stand_ins import Scenario, Told, play

DISKS = [{"target": "vda", "hidden": False, "shared": False}]
BUSY = {"code": "busy", "message": "e2fsck works on its disks", "hint": "", "retryable": True}
FINDING = {"fault": "fstab-syntax", "severity": "critical", "summary": "bad", "evidence": [], "remedy": "r",
           "remedy_safe": True, "key": "k"}  # fmt: skip


def hold(*, mine: bool = True, run: str | None = "s/1/1", alive: bool | None = True) -> dict[str, t.Any]:
    return {
        "owner": "alice@bastion",
        "reason": "r",
        "since": "s",
        "phase": "p",
        "run": run,
        "alive": alive,
        "mine": mine,
    }


def server(name: str, state: str = "unrescued", *, power: str = "running", life: str = "down", **more: t.Any) -> t.Any:
    rescue = {"id": "1", "since": "2026-11-25T10:00:00Z", "reach": {}, "disks": DISKS} if state == "rescued" else None
    told = {"state": life, "evidence": "e", "by": "power_state" if life == "down" else None}
    return {
        "name": name, "id": f"id-{name}", "provider": "libvirt", "state": state, "power_state": power, "agent": "none",
        "rescue": rescue, "hold": hold() if rescue else None, "actions": [], "error": None, "life": told, **more,
    }  # fmt: skip


def answer(facts: t.Any, **more: t.Any) -> dict[str, t.Any]:
    return {"changed": False, "server": facts, "servers": [facts], **more}


def scenario(name: str, *, serial: str = "openrescue-rescue", variables: t.Any = None, **other: t.Any) -> Scenario:
    """A server that is down, and comes back; each keyword replaces what one module answers."""
    found = {
        "changed": False,
        "verdict": "unbootable",
        "patient": {"root": "/dev/vda1", "os": {}},
        "findings": [FINDING],
    }
    answers = {
        "server_rescue_info": [answer(server(name, power="shutdown")), answer(server(name, "rescued"))],
        "console_diagnose": [{"boot": "unknown", "findings": [], "lines": 0, "tail": []}],
        "server_rescue": [
            answer(server(name, "rescued", actions=["start_rescue"]), changed=True),
            answer(server(name, actions=["start_own"]), changed=True),
        ],
        "disk_diagnose": [found],
        "disk_repair": [{"changed": True, "applied": [FINDING], "failed_findings": [], "undo": "u1"}],
        "disk_mount": [{"changed": True, "mount_point": "/mnt/patient"}],
    }
    assert set(other) <= set(answers)
    return Scenario({**answers, **other}, variables or {}, serial)


def failed(message: str, **more: t.Any) -> dict[str, t.Any]:
    return {"failed": True, "msg": message, **more}


def rescued(name: str, *, changed: bool = False, **more: t.Any) -> list[t.Any]:
    """What server_rescue answers for a server that is rescued already, and when it gives it back."""
    back = answer(server(name), changed=True)
    return [answer(server(name, "rescued", **more), changed=changed), back]


LOST = {"disk_repair": ["lost"]}
LIMITS = {"diagnose_timeout": 777, "repair_timeout": 888, "common_disk_timeout": 999}
TAKEN = {"actions": ["take_over"]}
BUSY_MOUNT = {"disk_mount": [failed("e2fsck works on its disks", error=BUSY)]}
LIVE = {"server_rescue_info": [answer(server("x", life="unknown"))]}
REFUSED = {"ansible_host": "refused.example", "rescue_ssh_host": "rescue.example"}
#: per server: what is so there, how it ends, what the error says, and what was asked of server_rescue
TABLE: dict[str, tuple[Scenario, str, str, list[str]]] = {
    "broken": (scenario("broken"), "back", "", ["rescued", "unrescued"]),
    "off": (
        scenario("off", server_rescue=[
            answer(server("off", "rescued", actions=["start_rescue"]), changed=True),
            answer(server("off", power="shutdown")),
        ]),
        "off", "", ["rescued", "unrescued"],
    ),
    # Signs of life.
    "refused": (scenario("refused", **LIVE, variables=REFUSED), "left_alone", "nobody can tell", []),
    "booting": (
        scenario("booting", server_rescue_info=[answer(server("booting", life="booting"))], variables=REFUSED),
        "left_alone", "it is booting", [],
    ),
    "login": (scenario("login", **LIVE), "left_alone", "", []),
    "healthy": (
        scenario("healthy", server_rescue_info=[answer(server("healthy", life="up"))]), "left_alone", "", []
    ),
    "stopped": (
        scenario("stopped", server_rescue_info=[
            answer({**server("stopped"), "life": {"state": "down", "evidence": "e", "by": "console"}})
        ], variables=REFUSED),
        # It is given back, and as nobody can log in there is no proof of that either.
        "failed", "verify by ssh", ["rescued", "unrescued"],
    ),
    # An old word of the console is no match for a login.
    "answers": (
        scenario("answers", server_rescue_info=[
            answer({**server("answers"), "life": {"state": "down", "evidence": "e", "by": "console"}})
        ]),
        "left_alone", "", [],
    ),
    "wanted": (
        scenario("wanted", **LIVE, variables={"recover_running": True}), "back", "", ["rescued", "unrescued"]
    ),
    "unasked": (
        scenario("unasked", server_rescue_info=[failed("cannot connect to libvirt")]), "failed", "cannot connect", []
    ),
    # Whose it is.
    "held": (scenario("held", server_rescue=[failed("it is held by bob")]), "failed", "held by bob", ["rescued"]),
    "by-hand": (
        scenario("by-hand", server_rescue=rescued("by-hand", hold=None)), "failed", "rescued before by other means",
        ["rescued"],
    ),
    "unwritten": (
        scenario("unwritten", server_rescue=rescued("unwritten", changed=True, hold=None)), "back", "",
        ["rescued", "unrescued by force"],
    ),
    "takeover": (
        scenario("takeover", variables={"recover_takeover": True}), "back", "",
        ["rescued by force", "unrescued by force"],
    ),
    "kept": (
        scenario("kept", variables={"recover_keep_rescued": True}), "rescued", "",
        ["rescued", "rescued by force, no run"],
    ),
    "wrong-disk": (
        scenario("wrong-disk", serial="openrescue-vda"), "failed", "not proven that what answers is the rescue system",
        ["rescued", "unrescued"],
    ),
    # What is asked for.
    "misspelled": (
        scenario("misspelled", variables={"repair_faults": ["space-full", "fstab-sintax"]}), "failed",
        "nobody knows fstab-sintax (did you mean fstab-syntax?). Nothing was begun", [],
    ),
    "left": (
        scenario("left", variables={"repair_faults": "space-full"}, server_rescue=[
            answer(server("left", "rescued", actions=["start_rescue"]), changed=True),
            answer(server("left", power="shutdown")),
        ]),
        "failed", "fstab-syntax was found and left as found, so it will not boot", ["rescued", "unrescued"],
    ),
    "looked-at": (
        scenario("looked-at", variables={"repair_faults": "none"}, server_rescue=[
            answer(server("looked-at", "rescued", actions=["start_rescue"]), changed=True),
            answer(server("looked-at", power="shutdown")),
        ]),
        "off", "", ["rescued", "unrescued"],
    ),
    # Work that goes on.
    "unread": (
        scenario("unread", disk_diagnose=[failed("no such disk")], **BUSY_MOUNT), "failed", "no such disk",
        ["rescued", "unrescued"],
    ),
    "lost-idle": (
        scenario("lost-idle", **LOST, variables=LIMITS), "failed", "no longer answers", ["rescued", "unrescued"]
    ),
    "lost-busy": (scenario("lost-busy", **LOST, **BUSY_MOUNT), "failed", "It is left rescued", ["rescued"]),
    "lost-dark": (
        scenario("lost-dark", **LOST, disk_mount=["lost"]), "failed", "nobody can tell whether its rescue system",
        ["rescued"],
    ),
    "taken-busy": (
        scenario("taken-busy", server_rescue=rescued("taken-busy", changed=True, **TAKEN),
                 disk_diagnose=[failed("e2fsck works on its disks", error=BUSY)], **BUSY_MOUNT),
        "failed", "goes on with it", ["rescued"],
    ),
    "taken-idle": (
        scenario("taken-idle", server_rescue=rescued("taken-idle", changed=True, **TAKEN)), "back", "",
        ["rescued", "unrescued"],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Triage of all, then recover of all, in one run."""
    both = tmp_path_factory.mktemp("both") / "both.yml"
    both.write_text(
        "---\n- import_playbook: openrescue.server.triage\n- import_playbook: openrescue.server.recover\n",
        encoding="utf-8",
    )
    return play(tmp_path_factory.mktemp("recover"), both, {name: entry[0] for name, entry in TABLE.items()})


def asked(calls: t.Sequence[tuple[str, dict[str, t.Any]]]) -> list[str]:
    """What was asked of server_rescue, in short."""
    return [
        given["state"]
        + (" by force" if given["force_takeover"] else "")
        + (", no run" if not given.get("run") and given["state"] == "rescued" else "")
        for name, given in calls
        if name == "server_rescue"
    ]


@pytest.mark.parametrize("name", TABLE)
def test_recover(name: str, told: Told) -> None:
    _scenario, outcome, error, wanted = TABLE[name]
    assert name in told.records, told.text
    record = told.records[name]
    assert (record["outcome"], asked(told.calls[name])) == (outcome, wanted), (record, told.calls[name])
    assert error in (record["error"] or ""), record
    assert bool(record["error"]) == bool(error), record


def test_the_oldest_ansible_core_decides_the_same(tmp_path: pathlib.Path) -> None:
    names = ("broken", "refused", "kept", "lost-busy")
    told = play(tmp_path, "recover", {name: TABLE[name][0] for name in names}, core="oldest")
    for name in names:
        test_recover(name, told)


def test_a_run_with_a_server_that_is_not_back_does_not_end_well(told: Told) -> None:
    assert told.code == 2, told.text


def test_every_call_says_who_and_for_which_run(told: Told) -> None:
    given = [given for calls in told.calls.values() for name, given in calls if name == "server_rescue"]
    runs = {call["run"] for call in given if call.get("run")}
    assert len(runs) == 1
    assert len({call["owner"] for call in given}) == 1
    assert all("@" in call["owner"] for call in given)


def test_the_limit_of_each_step_reaches_its_module(told: Told) -> None:
    limits = {(name, given["timeout"]) for name, given in told.calls["lost-idle"] if name.startswith("disk_")}
    assert limits == {("disk_diagnose", 777), ("disk_repair", 888), ("disk_mount", 999)}
    assert "Traceback" not in told.text


def test_the_disks_that_the_provider_lists_reach_the_modules(told: Told) -> None:
    listed = [given["server_disks"] for name, given in told.calls["broken"] if name.startswith("disk_")]
    assert listed == [DISKS, DISKS]


def test_nobody_is_asked_for_work_that_was_never_begun(told: Told) -> None:
    names = {name: [module for module, _given in calls] for name, calls in told.calls.items()}
    assert "disk_mount" not in names["broken"] + names["unread"]
    assert "disk_mount" in names["lost-idle"]
    assert not {"disk_diagnose", "server_rescue"} & {*names["refused"], *names["login"], *names["healthy"]}


UNRESCUE = {
    "idle": (scenario("idle", server_rescue_info=[answer(server("idle", "rescued"))]), ["unrescued"]),
    "busy": (scenario("busy", server_rescue_info=[answer(server("busy", "rescued"))], **BUSY_MOUNT), []),
    # A person asks for it, and a rescue system that is gone does not stop that.
    "dark": (
        scenario("dark", server_rescue_info=[answer(server("dark", "rescued"))], disk_mount=["lost"]),
        ["unrescued"],
    ),
    "back": (scenario("back", server_rescue_info=[answer(server("back"))]), ["unrescued"]),
    "others": (scenario("others", server_rescue_info=[answer(server("others", "rescued", hold=hold(mine=False)))]), []),
}


def test_unrescue(tmp_path: pathlib.Path) -> None:
    answers = {"server_rescue": [answer(server("x"), changed=True)]}
    scenarios = {
        name: Scenario({**entry.answers, **answers}, entry.variables) for name, (entry, _wanted) in UNRESCUE.items()
    }
    told = play(tmp_path, "unrescue", scenarios)
    assert {name: asked(calls) for name, calls in told.calls.items()} == {
        name: wanted for name, (_entry, wanted) in UNRESCUE.items()
    }, told.text
    assert told.records["busy"]["outcome"] == "failed"


def test_a_controller_sees_what_a_hypervisor_cannot(tmp_path: pathlib.Path) -> None:
    """The module on the hypervisor cannot look at the process of the run that holds the server: the role can."""
    process = subprocess.Popen(["sleep", "600"])
    alive = identity(process.pid)
    # One that ends by itself may have ended before its start is read.
    gone = subprocess.Popen(["sleep", "600"])
    dead = identity(gone.pid)
    gone.kill()
    gone.wait()
    cases = {"dead-run": dead, "live-run": alive, "elsewhere": "ffffffffffff/1/1"}
    scenarios = {}
    for name, run in cases.items():
        held = server(name, "rescued", hold=hold(mine=False, run=run, alive=None))
        scenarios[name] = scenario(
            name,
            server_rescue_info=[answer(held)],
            server_rescue=[failed("it is held by alice")],
            variables={"rescue_delegate_to": "hypervisor"},
        )
    hosts = {
        **scenarios,
        "hypervisor": Scenario({}, {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}),
    }
    try:
        told = play(tmp_path, "recover", hosts, "-e", "rescue_hosts=*-run:elsewhere")
    finally:
        process.kill()
        process.wait()
    assert {name: asked(told.calls[name]) for name in cases} == {
        "dead-run": ["rescued by force"],
        "live-run": ["rescued"],
        "elsewhere": ["rescued"],
    }, told.text


ROLES = """---
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.include_role: {name: openrescue.server.rescue}
    - ansible.builtin.include_role: {name: openrescue.server.diagnose}
    - ansible.builtin.include_role: {name: openrescue.server.unrescue}
    - ansible.builtin.include_role: {name: openrescue.server.rescue}
      when: rescued_again | bool
    - ansible.builtin.include_role: {name: openrescue.server.repair}
"""


def test_a_rescue_that_is_over_is_not_believed(tmp_path: pathlib.Path) -> None:
    """Neither that the server is rescued, nor what was found in an earlier rescue."""
    (tmp_path / "roles.yml").write_text(ROLES, encoding="utf-8")
    scenarios = {}
    for name, again in (("over", False), ("again", True)):
        first = server(name, "rescued")
        later = {**first, "rescue": {**first["rescue"], "since": "2026-11-25T11:00:00Z"}}
        scenarios[name] = scenario(
            name,
            server_rescue_info=[answer(server(name))],
            server_rescue=[answer(one, changed=True) for one in (first, server(name), later)],
            variables={"rescued_again": again},
        )
    told = play(tmp_path, tmp_path / "roles.yml", scenarios)
    assert "server 'over': go to its rescue system: it is unrescued, not rescued" in told.text
    disks = {name: [call for call, _given in calls if call.startswith("disk_")] for name, calls in told.calls.items()}
    assert disks == {"over": ["disk_diagnose"], "again": ["disk_diagnose", "disk_diagnose", "disk_repair"]}, told.text


UNDONE = {"changed": True, "applied": [{"path": "/etc/fstab", "reason": "", "diff": ""}], "failed_findings": [],
          "undo": None}  # fmt: skip
BUNDLES = {"changed": False, "bundles": [{"id": "u1", "state": "kept", "faults": ["fstab-syntax"], "entries": []}]}
UP = {"server_rescue_info": [answer(server("x", life="up"))]}
#: what is so there and the undo that is asked for, how it ends, what was asked of server_rescue and of disk_repair
UNDO: dict[str, tuple[Scenario, str, list[str], list[str]]] = {
    "down": (scenario("down", disk_repair=[UNDONE], variables={"undo": "u1"}), "back", ["rescued", "unrescued"],
             ["reverted u1"]),
    "up": (scenario("up", disk_repair=[UNDONE], variables={"undo": "u1"}, **UP), "left_alone", [], []),
    "list": (scenario("list", disk_repair=[BUNDLES]), "back", ["rescued", "unrescued"], ["listed"]),
    "list-up": (scenario("list-up", disk_repair=[BUNDLES], **UP), "left_alone", [], []),
    "changed": (
        scenario("changed", disk_repair=[failed("/etc/fstab was changed since")], variables={"undo": "u1"}), "failed",
        ["rescued", "unrescued"], ["reverted u1"],
    ),
}  # fmt: skip


def test_undo(tmp_path: pathlib.Path) -> None:
    told = play(tmp_path, "undo", {name: entry[0] for name, entry in UNDO.items()})
    for name, (_scenario, outcome, wanted, repairs) in UNDO.items():
        calls = told.calls[name]
        found = [
            f"{given['state']} {given.get('undo') or ''}".strip() for call, given in calls if call == "disk_repair"
        ]
        assert (told.records[name]["outcome"], asked(calls), found) == (outcome, wanted, repairs), told.text
        assert not {"disk_diagnose", "console_diagnose"} & {call for call, _given in calls}
    assert "u1  kept  fstab-syntax" in told.text
    # A server that was meant alone is stopped for it.
    (tmp_path / "alone").mkdir()
    alone = play(tmp_path / "alone", "undo", {"up": UNDO["up"][0]})
    assert (alone.records["up"]["outcome"], asked(alone.calls["up"])) == ("back", ["rescued", "unrescued"]), alone.text
    assert "was changed since" in told.records["changed"]["error"]
