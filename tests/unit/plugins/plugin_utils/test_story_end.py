# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of a run: each error once, and commands that can be copied."""

from __future__ import annotations

from ansible_collections.openrescue.server.plugins.plugin_utils._story_end import Times, broken_off, summary

MINE = "ansible-playbook -i servers.yml"


def texts(records: dict[str, dict[str, object]]) -> list[str]:
    return [line.text for line in summary(records, {}, command=MINE)]


def test_one_error_of_many_servers_is_told_once() -> None:
    error = "server '{}': rescue it: no valid host was found. Ask the operators of the cloud"
    records = {f"web{number}": {"outcome": "failed", "error": error.format(f"web{number}")} for number in range(40)}
    records["db1"] = {"outcome": "failed", "error": "server 'db1': rescue it: quota"}
    lines = texts(records)
    assert len(lines) < 41 + 8
    assert sum("no valid host" in line for line in lines) == 1
    assert any(line.startswith("web0, web1, web2, ") and "32 more: rescue it: no valid host" in line for line in lines)
    assert any(line.startswith("db1: server 'db1': rescue it: quota") for line in lines)
    assert lines[-1] == "41 failed"


def test_commands_are_those_of_this_run() -> None:
    following = ["ansible-playbook openrescue.server.unrescue -e rescue_hosts=web1"]
    lines = texts({"web1": {"outcome": "rescued", "undo": "u1", "next": following}})
    assert f"undo web1: {MINE} openrescue.server.undo -e rescue_hosts=web1 -e undo=u1" in lines
    assert f"next web1: {MINE} openrescue.server.unrescue -e rescue_hosts=web1" in lines


def test_an_earlier_repair_can_be_taken_back_too() -> None:
    lines = texts({"web1": {"outcome": "back", "earlier": ["u0", "u1"]}})
    assert f"undo an earlier repair of web1: {MINE} openrescue.server.undo -e rescue_hosts=web1 -e undo=u1" in lines
    assert not any("earlier" in line for line in texts({"web1": {"outcome": "back", "earlier": ["u0"], "undo": "u1"}}))


def test_a_check_says_what_would_be_done() -> None:
    lines = texts({"web1": {"outcome": "checked", "said": "web1 would be rescued"}, "up": {"outcome": "left_alone"}})
    assert "web1 would be rescued" in lines
    assert lines[-1] == "1 checked, 1 up"


def test_a_name_is_a_word_of_a_command() -> None:
    lines = texts({"a b; rm": {"outcome": "back", "undo": "u1"}})
    assert f"undo a b; rm: {MINE} openrescue.server.undo -e rescue_hosts='a b; rm' -e undo=u1" in lines


def test_seconds_are_those_of_each_server() -> None:
    lines = [line.text for line in summary({"web1": {"outcome": "back"}}, {"web1": Times(total=91, down=72)})]
    assert lines[2].split() == ["web1", "BACK", "-", "0", "1:12", "1:31"]


def test_what_was_stopped_by_hand() -> None:
    states = {"web1": "rescued", "db1": "", "db2": "", "app1": "unrescued"}
    lines = [line.text for line in broken_off(states, command=MINE)]
    assert any(line.startswith("web1: stopped by hand, and left rescued") for line in lines)
    assert f"leave web1: {MINE} openrescue.server.unrescue -e rescue_hosts=web1" in lines
    assert any(line.startswith("db1, db2: stopped by hand before anything") for line in lines)
    assert any(line.startswith("app1: stopped by hand, with its own system back") for line in lines)
    assert broken_off({}) == []
