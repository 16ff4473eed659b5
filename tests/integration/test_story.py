# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person reads: real runs of the playbooks, with stand-ins for the modules, told by the callback."""

from __future__ import annotations

import json
import pathlib
import re
import sys

from stand_ins import Scenario, Told, play
from test_recover_decisions import FINDING, TABLE, scenario

DIFF = "--- /etc/fstab\n+++ /etc/fstab\n@@ -1 +1 @@\n-UUID=bad /boot ext4\n+UUID=good /boot ext4\n"
FIXED = {"changed": True, "applied": [FINDING], "failed_findings": [], "undo": "u1", "diff": {"prepared": DIFF}}
TOLD_BY_STORY = {
    "ANSIBLE_STDOUT_CALLBACK": "openrescue.server.story",
    "ANSIBLE_SHOW_CUSTOM_STATS": "false",
    "ANSIBLE_NOCOLOR": "false",
    "ANSIBLE_FORCE_COLOR": "true",
}
#: what Ansible begins a red text with
RED = "\033[0;31m"


def read(told: Told) -> list[str]:
    """The lines without their colours, and without what the stand-ins lack."""
    text = re.sub(r"\033\[[\d;]*m", "", told.text)
    return [line for line in text.splitlines() if "Module did not set no_log" not in line]


def of(name: str, lines: list[str]) -> list[str]:
    """The steps of one server, each with its first word."""
    return [line.split()[1] for line in lines if line.startswith(f"{name} ")]


def run(tmp_path: pathlib.Path, scenarios: dict[str, Scenario], *words: str, core: str = "main") -> Told:
    return play(tmp_path, "recover", scenarios, *words, core=core, env=TOLD_BY_STORY)


def test_a_good_run_is_short_and_nothing_of_it_is_red(tmp_path: pathlib.Path) -> None:
    told = run(tmp_path, {"web1": scenario("web1", disk_repair=[FIXED]), "up": TABLE["healthy"][0]})
    assert told.code == 0, told.text
    # Only what is taken away from a file is red.
    assert [line for line in told.text.splitlines() if RED in line and "- UUID=bad" not in line] == []
    lines = read(told)
    assert of("web1", lines) == [
        "probe", "console", "rescue", "diagnose", "repair", "unrescue", "verify", "BACK",
    ], told.text  # fmt: skip
    assert of("up", lines) == ["probe", "UP"]
    assert "1 back, 1 up" in lines
    assert "- UUID=bad /boot ext4" in [line.strip() for line in lines]
    assert len(lines) < 25, told.text
    assert max(map(len, lines)) <= 120


MY_FIX = """---
- name: Put it right
  ansible.builtin.command: echo x

- name: Go wrong
  ansible.builtin.fail:
    msg: my own mistake
"""


def test_what_is_not_back_is_red_and_says_why_once(tmp_path: pathlib.Path) -> None:
    """With the oldest ansible-core that will do, and with tasks of the user's own."""
    (tmp_path / "my_fix.yml").write_text(MY_FIX, encoding="utf-8")
    mine = scenario("mine", variables={"recover_tasks": str(tmp_path / "my_fix.yml")})
    others = {name: TABLE[name][0] for name in ("refused", "held", "lost-busy", "broken")}
    told = run(tmp_path, {**others, "mine": mine}, core="oldest")
    assert told.code == 2
    lines = read(told)
    endings = {name: of(name, lines)[-1] for name in (*others, "mine")}
    assert endings == {
        "refused": "LEFT", "held": "FAILED", "lost-busy": "FAILED", "broken": "BACK", "mine": "FAILED",
    }, told.text  # fmt: skip
    red = {re.split("[ :]", line[len(RED) :])[0] for line in told.text.splitlines() if line.startswith(RED)}
    assert {"refused", "held", "lost-busy", "mine"} <= red
    assert "broken" not in red
    assert sum("held by bob" in line for line in lines) == 1
    assert "1 back" in lines[-1] and "3 failed" in lines[-1] and "1 left alone" in lines[-1]
    tasks = [" ".join(line.split()) for line in lines]
    assert "mine tasks Put it right" in tasks, told.text
    assert "mine tasks Go wrong: my own mistake" in tasks, told.text


def test_a_check_says_what_would_be_done_and_with_v_the_tasks_are_shown_as_usual(tmp_path: pathlib.Path) -> None:
    told = run(tmp_path, {"web1": scenario("web1"), "up": TABLE["healthy"][0]}, "--check", "-v")
    lines = read(told)
    assert of("web1", lines)[:3] == ["probe", "console", "rescue"], told.text
    assert any("would boot its rescue system" in line for line in lines)
    assert any(line.startswith("TASK [") for line in lines)
    assert any(line.startswith("PLAY RECAP") for line in lines)
    assert "1 checked, 1 up" in lines


PLAYBOOK = """---
- hosts: all
  gather_facts: false
  tasks:
    - name: See nothing of what changes nothing
      ansible.builtin.command: echo x
      changed_when: false

    - name: Change something
      ansible.builtin.command: echo x

    - name: Go wrong
      ansible.builtin.fail:
        msg: my own mistake
"""


def test_a_playbook_that_is_not_ours(tmp_path: pathlib.Path) -> None:
    (tmp_path / "mine.yml").write_text(PLAYBOOK, encoding="utf-8")
    local = Scenario({}, {"ansible_connection": "local", "ansible_python_interpreter": sys.executable})
    told = play(tmp_path, tmp_path / "mine.yml", {"web1": local}, env=TOLD_BY_STORY)
    assert told.code == 2
    lines = [" ".join(line.split()) for line in read(told)]
    assert lines.count("web1 tasks Change something") == 1, told.text
    assert "web1 tasks Go wrong: my own mistake" in lines
    assert "See nothing" not in told.text


def test_with_the_default_callback_nothing_of_a_good_run_is_red_either(tmp_path: pathlib.Path) -> None:
    reports = tmp_path / "reports"
    servers = {"web1": scenario("web1", disk_repair=[FIXED]), "up": TABLE["healthy"][0]}
    told = play(tmp_path, "recover", servers, "-e", f"recover_report_dir={reports}")
    assert told.code == 0, told.text
    for word in ("fatal", "[ERROR]", "FAILED", "UNREACHABLE", "RETRYING"):
        assert word not in told.text, told.text
    assert told.text.count("rescued=0") == 2
    # The last task of a server tells the whole of it.
    assert "web1 is back: it lets us log in, and says running" in told.text
    written = {path.name.rpartition("-")[0]: json.loads(path.read_text(encoding="utf-8")) for path in reports.iterdir()}
    assert written == told.records
    assert {path.stat().st_mode & 0o777 for path in reports.iterdir()} == {0o600}


def test_a_run_that_is_stopped_by_hand_says_what_is_left_how(tmp_path: pathlib.Path) -> None:
    told = play(
        tmp_path,
        "recover",
        {"web1": scenario("web1", disk_repair=["endless"]), "up": TABLE["healthy"][0]},
        env=TOLD_BY_STORY,
        interrupt_at="disk_repair",
    )
    assert told.code != 0
    lines = read(told)
    assert any(line.startswith("web1: stopped by hand, and left rescued.") for line in lines), told.text
    assert any("openrescue.server.unrescue -e rescue_hosts=web1" in line for line in lines), told.text
    assert not any("Traceback" in line for line in lines), told.text
