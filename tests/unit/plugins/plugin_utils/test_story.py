# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lines of a run, from what modules return."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.plugin_utils._story import WIDTH, Line, Story

DOWN = {"server": {"state": "unrescued", "power_state": "running",
                   "life": {"state": "down", "evidence": "its console stopped 4 min ago"}}}  # fmt: skip
FINDING = {
    "fault": "fstab-missing-device",
    "severity": "critical",
    "summary": "/etc/fstab:3 names UUID=deadbeef, which no disk has",
}
FOUND = {
    "verdict": "unbootable",
    "patient": {"os": {"pretty_name": "Debian 12"}},
    "findings": [FINDING, {"fault": "fstab-syntax", "severity": "info", "summary": "unusual"}],
}
DIFF = "--- /etc/fstab\n+++ /etc/fstab\n@@ -3 +3 @@\n UUID=1 /\n-UUID=deadbeef /boot ext4\n+UUID=1011b845 /boot ext4\n"
REPAIRED = {"applied": [FINDING], "diff": {"prepared": DIFF}}
RESCUED = {"changed": True, "server": {"state": "rescued"}}
BACK = {"changed": True, "server": {"state": "unrescued"}}
RECORD = {"outcome": "back", "findings": [FINDING], "applied": ["fstab-missing-device"], "undo": "u1", "error": None}


def texts(lines: list[Line]) -> list[str]:
    return [line.text for line in lines]


class Run:
    """Modules that work for one server, one after the other."""

    def __init__(self) -> None:
        self.story = Story(["web1"])
        self.now = 0.0

    def module(
        self, name: str, result: dict[str, t.Any], *, seconds: float, check: bool = False, **arguments: str
    ) -> list[str]:
        state = result.get("server", {}).get("state")
        self.story.starts("web1", name, self.now, arguments={"state": state, **arguments})
        self.now += seconds
        return texts(self.story.ends("web1", name, result, self.now, check=check))


def test_the_whole_way() -> None:
    run = Run()
    lines = run.module("server_rescue_info", DOWN, seconds=0.3)
    lines += run.module("console_diagnose", {"boot": "failed", "findings": [{"summary": "emergency mode"}]}, seconds=3)
    lines += run.module("server_rescue", RESCUED, seconds=2)
    lines += run.module("system_state", {"answers": True}, seconds=16, system="rescue")
    lines += run.module("disk_diagnose", FOUND, seconds=6)
    lines += run.module("disk_repair", REPAIRED, seconds=4)
    lines += run.module("server_rescue", BACK, seconds=1)
    lines += texts(run.story.proven("web1", {"proof": "systemd running, by its guest agent"}, run.now + 40))
    lines += texts(run.story.summary({"web1": RECORD}, run.now + 60))
    assert lines == [
        "web1  probe     running; down: its console stopped 4 min ago",
        "web1  console   emergency mode                                                       3 s",
        "web1  rescue    rescue system answers                                               18 s",
        "web1  diagnose  Debian 12: UNBOOTABLE, 1 critical                                    6 s",
        "                fstab-missing-device  /etc/fstab:3 names UUID=deadbeef, which no disk has",
        "web1  repair    fstab-missing-device                                                 4 s",
        "                - UUID=deadbeef /boot ext4",
        "                + UUID=1011b845 /boot ext4",
        "web1  unrescue  has its own system back                                              1 s",
        "web1  verify    systemd running, by its guest agent                                 40 s",
        "",
        "SERVER  RESULT  CAUSE                 REPAIRED  DOWN  TOTAL",
        "web1    BACK    fstab-missing-device         1  1:09   1:12",
        "undo web1: ansible-playbook openrescue.server.undo -e rescue_hosts=web1 -e undo=u1",
        "1 back",
    ]


#: module -> what it returns, in check mode or not -> what is told
STEPS: dict[str, tuple[str, dict[str, t.Any], bool, list[str]]] = {
    "rescued before": ("server_rescue", {**RESCUED, "changed": False}, False, ["rescue    is rescued already"]),
    "would be rescued": ("server_rescue", RESCUED, True, ["rescue    would boot its rescue system"]),
    "is back already": ("server_rescue", {**BACK, "changed": False}, False, []),
    "is rescued": ("server_rescue_info", {"server": {**DOWN["server"], "state": "rescued"}}, False,
                   ["probe     is rescued"]),
    "no life is asked for": ("server_rescue_info", {"server": {"state": "rescued"}}, False, []),
    "nobody can tell": (
        "server_rescue_info", {"server": {**DOWN["server"], "life": {"state": "unknown", "evidence": None}}}, False,
        ["probe     running; nobody can tell: no sign of life"],
    ),
    "no console": ("console_diagnose", {"failed": True, "msg": "it has no console"}, False,
                   ["console   it has no console"]),
    "switched off": ("console_diagnose", {"boot": "unknown", "state": "off", "findings": []}, False,
                     ["console   its system has switched itself off"]),
    "silent console": ("console_diagnose", {"boot": "unknown", "findings": []}, False,
                       ["console   tells nothing of a boot"]),
    "bootable": ("disk_diagnose", {**FOUND, "verdict": "bootable", "findings": []}, False,
                 ["diagnose  Debian 12: bootable"]),
    "no system": ("disk_diagnose", {"verdict": "unknown", "patient": None, "findings": []}, False,
                  ["diagnose  no operating system found: unknown"]),
    "planned": ("disk_repair", {"applied": [FINDING]}, True, ["repair    would be repaired: fstab-missing-device"]),
    "not repaired": ("disk_repair", {"failed_findings": [{"fault": "space-full", "reason": "no room"}]}, False,
                     ["repair    space-full could not be repaired: no room"]),
    "left": ("disk_repair", {"skipped_findings": [{"fault": "space-full", "reason": "shared"}]}, False,
             ["repair    space-full is left as it is: shared"]),
    "taken back": ("disk_repair", {"applied": [{"path": "/etc/fstab"}, {"device": "/dev/vda1"}]}, False,
                   ["undo      taken back: /etc/fstab, /dev/vda1"]),
    "would be taken back": ("disk_repair", {"applied": [{"path": "/etc/fstab"}]}, True,
                            ["undo      would be taken back: /etc/fstab"]),
    "no bundle": ("disk_repair", {"bundles": []}, False, ["undo      no repair of this server is known here"]),
    "nothing that is told": ("disk_mount", {"changed": True}, False, []),
    "somebody else's": ("copy", {"changed": True}, False, []),
}  # fmt: skip


@pytest.mark.parametrize("name", STEPS)
def test_a_step(name: str) -> None:
    module, result, check, told = STEPS[name]
    assert Run().module(module, result, seconds=0.1, check=check) == [f"web1  {line}" for line in told]


HOSTILE = "\x1b[31mred\x1b[0m {{ 7 * 7 }}\nnext \udc80 " + "x" * 100_000


def test_foreign_text_is_short_and_prints() -> None:
    run = Run()
    run.story.starts("web1", "disk_diagnose", 0, arguments={})
    many = [{"fault": HOSTILE, "severity": "critical", "summary": HOSTILE}] * 1000
    changes = {"prepared": "".join(f"+{HOSTILE}\n" for _number in range(1000))}
    lines = run.module("disk_diagnose", {**FOUND, "findings": many}, seconds=1)
    lines += run.module("disk_repair", {"applied": many[:9], "diff": changes}, seconds=1)
    record = {**RECORD, "outcome": "failed", "error": HOSTILE, "findings": many, "undo": HOSTILE}
    lines += texts(run.story.summary({"web1": record}, 5))
    assert all(line.isprintable() and len(line) <= WIDTH for line in lines)
    assert len(lines) < 200


def test_a_change_is_shown_once() -> None:
    run = Run()
    run.module("disk_repair", REPAIRED, seconds=1, check=True)
    assert run.module("disk_repair", REPAIRED, seconds=1)[1:] == []


def test_a_long_change_is_cut() -> None:
    text = "".join(f"+line {number}\n" for number in range(100))
    lines = Run().module("disk_repair", {"applied": [FINDING], "diff": [{"prepared": text}]}, seconds=1)
    assert len(lines) < 20
    assert lines[-1].strip() == "and 88 more lines; -v --diff shows them"


#: outcome and error of a record -> word of the table, how it looks, the sum
ENDINGS = {
    "back": ("back", None, "BACK", "good", "1 back"),
    "off": ("off", None, "OFF", "good", "1 off as before"),
    "up": ("left_alone", None, "UP", "good", "1 up"),
    "nobody can tell": ("left_alone", "nobody can tell", "LEFT ALONE", "bad", "1 left alone"),
    "kept": ("rescued", None, "RESCUED", "good", "1 rescued"),
    "failed": ("failed", "no such image", "FAILED", "bad", "1 failed"),
    "not known here": ("new", "", "FAILED", "bad", "1 failed"),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_an_ending(name: str) -> None:
    outcome, error, word, look, added_up = ENDINGS[name]
    lines = Story(["web1"]).summary({"web1": {"outcome": outcome, "error": error}}, 1)
    row = next(line for line in lines if line.text.startswith("web1  "))
    assert (row.text.split("  ")[1].strip() or row.text.split("  ")[2].strip(), row.look) == (word, look)
    assert lines[-1].text == added_up
    assert [line.text for line in lines if line.text.startswith("web1: ")] == ([f"web1: {error}"] if error else [])


def test_what_takes_long_is_known() -> None:
    story = Story(["web1", "web2"])
    story.starts("web1", "disk_repair", 10, arguments={}, limit=1800)
    story.starts("web2", "server_rescue", 5, arguments={"state": "unrescued"})
    story.starts("web3", "set_fact", 5, arguments={})
    assert [(item.name, item.step, item.told(20)) for item in story.doing()] == [
        ("web2", "unrescue", "gives its own system back, 15 s"),
        ("web1", "repair", "works on the disks, 10 of 1800 s at most"),
    ]
    story.skipped("web2")
    story.skipped("nobody")
    assert texts(story.failed("web1", 30))[0].split() == ["web1", "repair", "failed", "20", "s"]
    assert story.doing() == []
    assert story.failed("web1", 50) == []


@pytest.mark.parametrize(
    ("module", "arguments", "step"),
    [
        ("server_rescue_info", {}, "probe"),
        ("server_rescue_info", {"wait_for": "settled"}, "probe"),
        ("server_rescue_info", {"wait_for": "agent"}, "verify"),
        ("server_rescue_info", {"wait_for": "running"}, "verify"),
        ("console_diagnose", {}, "console"),
        ("console_diagnose", {"wait_timeout": 300}, "verify"),
        ("system_state", {}, "probe"),
        ("system_state", {"timeout": 300}, "verify"),
        ("server_rescue", {"state": "rescued", "timeout": 600}, "rescue"),
    ],
)
def test_what_is_asked_for_makes_the_step(module: str, arguments: dict[str, t.Any], step: str) -> None:
    story = Story(["web1"])
    story.starts("web1", module, 0, arguments=arguments)
    assert [item.step for item in story.doing()] == [step]


def test_a_run_that_is_stopped_says_what_is_left_how() -> None:
    run = Run()
    run.module("server_rescue_info", DOWN, seconds=1)
    assert any("before anything of it was changed" in line for line in texts(run.story.broken_off()))
    run.module("server_rescue", RESCUED, seconds=1)
    assert any("left rescued" in line for line in texts(run.story.broken_off()))
    run.module("server_rescue", BACK, seconds=1)
    assert any("with its own system back" in line for line in texts(run.story.broken_off()))


def test_the_table_is_in_the_order_in_which_the_servers_were_asked_for() -> None:
    lines = texts(Story(["web1", "db1", "app1"]).summary(dict.fromkeys(("app1", "web1", "db1", "other"), RECORD), 1))
    assert [line.split()[0] for line in lines[2:6]] == ["web1", "db1", "app1", "other"]


def test_without_records_there_is_no_table() -> None:
    assert Story().summary({}, 1) == []


def test_several_causes_are_counted() -> None:
    other = {**FINDING, "fault": "initramfs-empty"}
    lines = texts(Story(["web1"]).summary({"web1": {**RECORD, "findings": [FINDING, FINDING, other]}}, 1))
    assert "fstab-missing-device +1" in lines[2]


def test_bundles_are_listed() -> None:
    lines = Run().module(
        "disk_repair", {"bundles": [{"id": "u1", "state": "kept", "faults": ["space-full"]}]}, seconds=0
    )
    assert [line.strip() for line in lines] == ["web1  undo      can be taken back:", "u1  kept  space-full"]
