# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""What counts as a proof: on the console, by the guest agent, in check mode."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from stand_ins import Scenario, Told, play
from test_recover_decisions import answer, asked, scenario, server


def console(state: str, lines: int, *tail: str, rescue: bool = False) -> dict[str, t.Any]:
    boot = state if state in ("booted", "failed") else "unknown"
    return {"boot": boot, "state": state, "rescue_system": rescue, "findings": [], "lines": lines, "tail": list(tail)}


BEFORE = console("failed", 100, "You are in emergency mode")
OLD_PROMPT = console("booted", 100, "web1 login:")
NEW_PROMPT = console("booted", 300, "web1 login:")
UP = answer(server("x"))
#: per server: the console in the triage and before the unrescue, after it, what the provider says then, how it ends
TABLE: dict[str, tuple[dict[str, t.Any], dict[str, t.Any], list[t.Any], str]] = {
    "new": (BEFORE, NEW_PROMPT, [UP], "back"),
    "old": (OLD_PROMPT, OLD_PROMPT, [UP], "failed"),
    "down-again": (BEFORE, console("off", 320, "web1 login:", "reboot: Power down"), [UP], "failed"),
    "rescue-prompt": (BEFORE, console("unknown", 300, "rescue login:", rescue=True), [UP], "failed"),
    "still-rescued": (BEFORE, NEW_PROMPT, [answer(server("x", "rescued"))], "failed"),
    "not-running": (BEFORE, NEW_PROMPT, [answer(server("x", power="shutdown"))], "failed"),
    # Between the prompt and now somebody has switched it off.
    "stopped-since": (BEFORE, NEW_PROMPT, [UP, answer(server("x", power="shutdown"))], "failed"),
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    hosts = {}
    for name, (before, after, info, _outcome) in TABLE.items():
        hosts[name] = scenario(
            name,
            console_diagnose=[before, before, after],
            # Asked once before it is rescued, and then not before it is given back.
            server_rescue_info=[answer(server(name, power="shutdown")), *info],
            variables={"verify_by": "console"},
        )
    return play(tmp_path_factory.mktemp("verify"), "recover", hosts)


@pytest.mark.parametrize("name", TABLE)
def test_a_login_prompt_is_a_proof_where_it_is_new_and_the_server_runs_its_own_system(name: str, told: Told) -> None:
    assert name in told.records, told.text
    record = told.records[name]
    assert record["outcome"] == TABLE[name][3], (
        record,
        [(call, given.get("state")) for call, given in told.calls[name]],
    )
    assert asked(told.calls[name]) == ["rescued", "unrescued"]


ALIVE = {"state": "up", "evidence": "its guest agent answers, Rocky Linux 9.6", "by": "agent"}
LIVES = answer({**server("x"), "life": ALIVE})
GONE = answer(server("x", life="unknown"))
#: what the provider says in turn, and the agent itself -> the proof, or why there is none
AGENTS: dict[str, tuple[list[t.Any], str, dict[str, t.Any]]] = {
    "runs-commands": ([LIVES], "running", {
        "by": "agent", "degraded": False, "proof": "its guest agent says running",
    }),
    "runs-no-commands": ([LIVES], "", {
        "by": "agent", "degraded": True, "proof": "degraded proof, its guest agent answers (its guest agent answers,"
                                                  " Rocky Linux 9.6) and runs no commands",
    }),
    "gone-since": ([LIVES, GONE], "", {"by": None}),
    "boots": ([LIVES], "starting", {"by": None, "why": "its system says 'starting'"}),
    # It may be too busy with the boot.
    "silent": ([LIVES], "nothing", {"by": None, "why": "the guest agent did not answer guest-exec"}),
    "not-there": ([GONE], "running", {"by": None, "why": "its guest agent none"}),
}  # fmt: skip
VERIFY = """---
- hosts: all
  gather_facts: false
  tasks:
    - block:
        - ansible.builtin.include_role:
            name: openrescue.server.verify
      rescue:
        - ansible.builtin.set_fact:
            verify_result: {by: null, why: "{{ ansible_failed_result.msg }}"}
    - ansible.builtin.set_stats:
        data: {openrescue: {servers: "{{ {inventory_hostname: verify_result} }}"}}
"""


def test_the_result_says_which_proof_it_is(tmp_path: pathlib.Path) -> None:
    (tmp_path / "verify.yml").write_text(VERIFY, encoding="utf-8")
    asked_by = {"verify_by": "agent", "verify_interval": 1}
    hosts = {
        name: Scenario({"server_rescue_info": [renamed(one, name) for one in info]}, asked_by, agent=says)
        for name, (info, says, _proof) in AGENTS.items()
    }
    told = play(tmp_path, tmp_path / "verify.yml", hosts)
    assert set(told.records) == set(AGENTS), told.text
    for name, (_info, _says, wanted) in AGENTS.items():
        record = told.records[name]
        why = wanted.get("why", "")
        assert why in record.get("why", ""), record
        assert {**record, "why": why} == {"why": why, **wanted}, record


def renamed(told: dict[str, t.Any], name: str) -> dict[str, t.Any]:
    """The agent is found by the server's name."""
    return answer({**told["server"], "name": name})


def test_a_server_that_lets_us_log_in_is_left_alone_in_check_mode_too(tmp_path: pathlib.Path) -> None:
    unknown = {"server_rescue_info": [answer(server("x", life="unknown"))]}
    told = play(tmp_path, "recover", {"up": scenario("up", **unknown), "broken": scenario("broken")}, "--check")
    assert {name: record["outcome"] for name, record in told.records.items()} == {
        "up": "left_alone",
        "broken": "checked",
    }, told.text
    assert not told.records["up"]["error"], "that it lets us log in is no matter of which nobody can tell"
    assert asked(told.calls["up"]) == []
    assert not {"disk_repair"} & {name for name, _given in told.calls["broken"]}
