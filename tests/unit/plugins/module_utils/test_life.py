# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import ConnectionLost, OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._faults.catalog import FAULTS
from ansible_collections.openrescue.server.plugins.module_utils._faults.engine.console import read_console
from ansible_collections.openrescue.server.plugins.module_utils._libvirt.model import (
    LibvirtMarker,
    LibvirtSituation,
)
from ansible_collections.openrescue.server.plugins.module_utils._life import (
    MOST_PATIENCE,
    WaitFor,
    Watch,
    weigh_console,
)
from ansible_collections.openrescue.server.plugins.module_utils._server.model import Life
from ansible_collections.openrescue.server.plugins.module_utils._time import Clock

TOLD = Life("unknown", "it is switched on, and has no guest agent")
UP = Life("up", "its guest agent answers", "agent")
FIRMWARE = "SeaBIOS (version 1.16.2)\n"
KERNEL = FIRMWARE + "[    0.000000] Linux version 6.1.0\n"
BOOTED = KERNEL + "Debian GNU/Linux 13 web1 ttyS0\n\nweb1 login: "
PANIC = KERNEL + "[    2.1] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\n"
MARKER = LibvirtMarker(id="1", image="/i", since="now", power="running")
NO_BOOT = "somebody pressed a key\n"

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
    report = read_console(later, faults=FAULTS, tail=1)
    life = weigh_console(TOLD, report, goes_on=later != first, anew=anew)
    assert (life.state, life.by) == (state, by)
    assert life.evidence


@dataclasses.dataclass
class Server:
    """A server as it is at each second; a console that says something else at each look where it is given a list."""

    consoles: t.Sequence[str | OpenRescueError] = ()
    lives: t.Mapping[float, Life] = dataclasses.field(default_factory=dict)
    situations: t.Mapping[float, t.Mapping[str, t.Any]] = dataclasses.field(default_factory=dict)
    time: float = 0.0
    looks: int = 0

    @property
    def clock(self) -> Clock:
        return Clock(monotonic=lambda: self.time, sleep=self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.time += seconds

    def observe(self, _server: str = "") -> LibvirtSituation:
        values: dict[str, t.Any] = {"runs": "own", "power_state": "running", "status": "running"}
        for since, changed in self.situations.items():
            values |= changed if self.time >= since else {}
        return LibvirtSituation(name="web1", id="u", provider="libvirt", **values)

    def life(self, _now: t.Any) -> Life:
        return next((life for since, life in reversed(self.lives.items()) if self.time >= since), TOLD)

    def console_log(self, _server: str) -> str:
        text = self.consoles[min(self.looks, len(self.consoles) - 1)]
        self.looks += 1
        if isinstance(text, OpenRescueError):
            raise text
        return text

    def console_begins_anew(self, _server: str) -> bool:
        return True

    def watched(self, wait_for: WaitFor | None = None, timeout: float = 60.0) -> Life:
        session = t.cast("t.Any", self)
        return Watch(self.clock, wait_for, timeout)(session, self.observe())[1]


@pytest.mark.parametrize(
    "server",
    [
        Server(lives={0: UP}),
        Server(situations={0: {"runs": "rescue"}}),
        Server(situations={0: {"power_state": "paused"}}),
    ],
)
def test_the_console_is_asked_only_where_nothing_else_tells(server: Server) -> None:
    assert server.watched() is server.life(None)
    assert server.watched("settled") is server.life(None)
    assert (server.looks, server.time) == (0, 0)


@pytest.mark.parametrize("told", [OpenRescueError("its log is not kept", code="console_not_logged"), ""])
def test_no_console_is_no_sign_of_death(told: str | OpenRescueError) -> None:
    server = Server([told])
    life = server.watched("settled")
    assert life.state == "unknown"
    assert TOLD.evidence in life.evidence
    assert len(life.evidence) > len(TOLD.evidence)
    assert server.time == 0, "nobody knows that it boots"


def test_who_is_lost_says_nothing_of_the_server() -> None:
    with pytest.raises(ConnectionLost):
        Server([ConnectionLost("libvirtd is gone", code="connection_lost")]).watched()


#: consoles, look by look; lives, second by second -> state, and the seconds that it took at most
SETTLES: dict[str, tuple[Server, str, float]] = {
    "a boot that ends": (Server([KERNEL, KERNEL + "1", KERNEL + "2", BOOTED]), "up", 20),
    "a boot that ends after a silence": (Server([KERNEL] * 9 + [BOOTED]), "up", 40),
    "a boot that fails after a silence": (Server([KERNEL] * 9 + [PANIC]), "down", 40),
    "a boot whose agent answers first": (Server([KERNEL], lives={15.0: UP}), "up", 20),
    "a boot that hangs": (Server([KERNEL]), "unknown", 70),
    "a boot that goes on for longer than the timeout": (
        Server([f"{KERNEL}{'x' * number}" for number in range(60)] + [BOOTED]),
        "up",
        200,
    ),
    "what is no boot": (Server([NO_BOOT]), "unknown", 2),
    "off before it was up": (Server([KERNEL], situations={9.0: {"power_state": "shutdown"}}), "unknown", 15),
}


@pytest.mark.parametrize("case", SETTLES)
def test_a_server_that_boots_is_waited_for(case: str) -> None:
    server, state, seconds = SETTLES[case]
    assert server.watched("settled").state == state
    assert server.time <= seconds


def test_a_console_that_never_ends_is_waited_for_long_and_not_for_ever() -> None:
    server = Server([f"{KERNEL}{'x' * number}" for number in range(10_000)])
    assert server.watched("settled").state == "booting"
    assert MOST_PATIENCE * 60 <= server.time < MOST_PATIENCE * 60 + 10


#: -> by whom it is up at the end, and the seconds that it took at most
AGENTS: dict[str, tuple[Server, str | None, float]] = {
    "answers at once": (Server(lives={0.0: UP}), "agent", 0),
    "answers later": (Server(lives={30.0: UP}), "agent", 35),
    "is the rescue system's at first": (
        Server(
            lives={0.0: UP}, situations={0: {"runs": "rescue", "marker": MARKER}, 9: {"runs": "own", "marker": None}}
        ),
        "agent",
        15,
    ),
    "never answers": (Server([BOOTED]), "console", 70),
    "is off": (Server([BOOTED], situations={9.0: {"power_state": "shutdown"}}), None, 15),
}


@pytest.mark.parametrize("case", AGENTS)
def test_an_agent_is_waited_for(case: str) -> None:
    server, by, seconds = AGENTS[case]
    assert server.watched("agent").by == by
    assert server.time <= seconds


def test_to_run_is_not_to_be_up() -> None:
    server = Server(situations={0: {"runs": "rescue", "marker": MARKER}, 9: {"runs": "own", "marker": None}})
    assert server.watched("running") is TOLD
    assert 9 <= server.time <= 15
