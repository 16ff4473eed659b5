# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._libvirt.model import LibvirtSituation
from ansible_collections.openrescue.server.plugins.module_utils._server.model import Life
from ansible_collections.openrescue.server.plugins.module_utils._time import Clock
from ansible_collections.openrescue.server.plugins.modules.server_rescue_info import judge_by_console, weigh_console

TOLD = Life("unknown", "it is switched on, and has no guest agent")
FIRMWARE = "SeaBIOS (version 1.16.2)\n"
KERNEL = FIRMWARE + "[    0.000000] Linux version 6.1.0\n"
BOOTED = KERNEL + "Debian GNU/Linux 13 web1 ttyS0\n\nweb1 login: "
PANIC = KERNEL + "[    2.1] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\n"

#: first look, second look, whether the log begins with this start -> state, by
CONSOLES: dict[str, tuple[str, str, bool, str, str | None]] = {
    "booted": (BOOTED, BOOTED, True, "up", "console"),
    "booted, or an earlier start did": (BOOTED, BOOTED, False, "unknown", None),
    "stopped": (PANIC, PANIC, True, "down", "console"),
    "stopped, or an earlier start did": (PANIC, PANIC, False, "unknown", None),
    "failed, and goes on": (PANIC, PANIC + "[    3.0] more\n", True, "booting", "console"),
    "on its way": (KERNEL, KERNEL + "[    1.0] more\n", True, "booting", "console"),
    "on its way, in an old log": (BOOTED, BOOTED + KERNEL, False, "booting", "console"),
    "silent": (KERNEL, KERNEL, True, "unknown", None),
}


@pytest.mark.parametrize("case", CONSOLES)
def test_what_a_console_says_of_life(case: str) -> None:
    first, later, anew, state, by = CONSOLES[case]
    life = weigh_console(TOLD, first, later, anew=anew)
    assert (life.state, life.by) == (state, by)
    assert life.evidence


class Console:
    def __init__(self, *texts: str | OpenRescueError) -> None:
        self.texts = list(texts)

    def console_log(self, _server: str) -> str:
        text = self.texts.pop(0)
        if isinstance(text, OpenRescueError):
            raise text
        return text

    def console_begins_anew(self, _server: str) -> bool:
        return True


def judge(console: Console, told: Life = TOLD, **more: t.Any) -> Life:
    values: dict[str, t.Any] = {"runs": "own", "power_state": "running", "status": "running", **more}
    now = LibvirtSituation(name="web1", id="u", provider="libvirt", **values)
    clock = Clock(sleep=lambda _seconds: None)
    return judge_by_console(t.cast("t.Any", console), now, told, clock=clock)


def test_the_console_is_asked_only_where_nothing_else_tells() -> None:
    up = Life("up", "its guest agent answers", "agent")
    assert judge(Console(), up) is up
    assert judge(Console(), runs="rescue") is TOLD
    assert judge(Console(), power_state="paused") is TOLD
    assert judge(Console(BOOTED, BOOTED)).state == "up"


@pytest.mark.parametrize("told", [OpenRescueError("its log is not kept", code="console_not_logged"), ""])
def test_no_console_is_no_sign_of_death(told: str | OpenRescueError) -> None:
    life = judge(Console(told))
    assert life.state == "unknown"
    assert TOLD.evidence in life.evidence
    assert len(life.evidence) > len(TOLD.evidence)
