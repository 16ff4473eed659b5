# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run has done to each server, in lines for people: results of modules in, lines out, nothing else.

What comes from a disk, a console or a cloud is foreign text: it is shown as one line that prints, and cut.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import textwrap
import typing as t

from ansible_collections.openrescue.server.plugins.module_utils._text import printable

from ._lines import WIDTH, Line, one_line
from ._story_end import COMMAND, SEVERITIES, Times, broken_off, summary

__all__ = ("Doing", "Line", "Story")

Result = t.Mapping[str, t.Any]

#: the column at which the seconds of a step end
SECONDS_END = 88
STEP = 8
#: Lines of one change, and findings of one patient, that are shown.
MAX_CHANGES = 12
MAX_FINDINGS = 8
#: what a console ends in
CONSOLES = {
    "failed": "its boot has failed",
    "booted": "a system has booted",
    "booting": "a boot has begun, and came to no end yet",
    "off": "its system has switched itself off",
}
#: module -> the step of the way that it is, and what it does while nobody hears of it
STEPS = {
    "server_rescue_info": ("probe", "asks how the server is"),
    "console_diagnose": ("console", "reads the console"),
    "server_rescue": ("rescue", "switches systems"),
    "disk_diagnose": ("diagnose", "looks at the disks"),
    "disk_repair": ("repair", "works on the disks"),
    "disk_collect": ("collect", "reads the disks"),
    "disk_mount": ("tasks", "opens or closes the disks"),
    "system_state": ("probe", "tries to log in"),
}
#: the same modules with certain arguments
OTHERWISE = {
    ("server_rescue", "state", "unrescued"): ("unrescue", "gives its own system back"),
    ("server_rescue_info", "wait_for", "agent"): ("verify", "waits for its guest agent"),
    ("server_rescue_info", "wait_for", "running"): ("verify", "waits for its own system"),
    ("console_diagnose", "wait", "long"): ("verify", "waits for a login prompt"),
    ("system_state", "system", "rescue"): ("rescue", "waits for the rescue system"),
    ("system_state", "wait", "long"): ("verify", "waits for its own system"),
}


@dataclasses.dataclass(frozen=True)
class Doing:
    """What is done for a server, since when, and for how many seconds at most."""

    name: str
    step: str
    what: str
    since: float
    limit: float | None = None

    def told(self, now: float) -> str:
        """In words."""
        most = f" of {self.limit:.0f} s at most" if self.limit else " s"
        return f"{self.what}, {now - self.since:.0f}{most}"


@dataclasses.dataclass
class _Server:
    """What was told of one server.

    :param began: when it was first heard of; all times are seconds of one clock.
    :param last: when it was last heard of.
    :param doing: what is done now.
    :param state: what server_rescue has made of it, ``rescued`` or ``unrescued``; empty while that was not asked.
    :param rescued: since when its rescue is under way.
    :param down: since when its own system is stopped, and until when it was.
    """

    began: float
    last: float
    doing: Doing | None = None
    rescued: float | None = None
    down: float | None = None
    up: float | None = None
    probed: bool = False
    state: str = ""
    shown: str = ""

    def times(self, now: float) -> Times:
        """As the table has them."""
        down = None if self.down is None else (now if self.up is None else self.up) - self.down
        return Times(total=self.last - self.began, down=down)


@dataclasses.dataclass(frozen=True)
class _Taken:
    """How a module's work has gone: from when to when, and whether it was a check."""

    since: float
    now: float
    check: bool
    step: str

    @property
    def seconds(self) -> float:
        return self.now - self.since


class Story:
    """The lines of one run.

    :param names: the servers that it is about, in their order.
    :param command: how the run was called, up to the playbook.
    """

    def __init__(self, names: collections.abc.Iterable[str] = (), *, command: str = COMMAND) -> None:
        self.column = 4
        #: in their order
        self._names: dict[str, None] = {}
        self._command = command
        self._servers: dict[str, _Server] = {}
        self.expect(names)

    def expect(self, names: collections.abc.Iterable[str]) -> None:
        """Servers of which more is to be told."""
        self._names.update(dict.fromkeys(names))
        self.column = min(24, max((len(name) for name in self._names), default=4))

    def starts(self, name: str, module: str, now: float, *, arguments: Result, limit: float | None = None) -> None:
        """A module begins to work for a server.

        :param limit: seconds that it may take, where that is known.
        """
        server = self._server(name, now)
        if module in STEPS:
            step, what = OTHERWISE.get((module, *_kind(arguments)), STEPS[module])
            server.doing = Doing(name, step, what, now, limit)

    def doing(self) -> list[Doing]:
        """What goes on, the longest first."""
        return sorted((server.doing for server in self._servers.values() if server.doing), key=lambda item: item.since)

    def ends(self, name: str, module: str, result: Result, now: float, *, check: bool = False) -> list[Line]:
        """A module has done its work for a server."""
        server = self._server(name, now)
        doing, server.doing = server.doing, None
        since, step = (doing.since, doing.step) if doing else (now, "")
        tell = self._tellers.get(module)
        return tell(self, name, result, _Taken(since, now, check, step)) if tell else []

    def skipped(self, name: str) -> None:
        """What has begun for a server is not done."""
        if name in self._servers:
            self._servers[name].doing = None

    def failed(self, name: str, now: float) -> list[Line]:
        """A module has failed for a server; why is told at the end, once."""
        server = self._server(name, now)
        doing, server.doing = server.doing, None
        return self.told(name, doing.step, "failed", now - doing.since, look="bad") if doing else []

    def proven(self, name: str, result: Result, now: float) -> list[Line]:
        """What was kept of the proof that it has booted."""
        if not result.get("proof"):
            return []
        server = self._server(name, now)
        since = server.up if server.up is not None else now
        server.up = now if server.up is not None else None
        return self.told(name, "verify", result["proof"], now - since, look="good")

    def task(self, name: str, title: str, *, look: str = "") -> list[Line]:
        """A task of the user's own."""
        return self.told(name, "tasks", title, look=look)

    # -- steps

    def _info(self, name: str, result: Result, taken: _Taken) -> list[Line]:
        seen = result.get("server") or {}
        life = seen.get("life") or {}
        server = self._servers[name]
        if server.probed or not life:
            return []
        server.probed = True
        if seen.get("state") != "unrescued":
            return self.told(name, "probe", f"is {seen.get('state')}", taken.seconds)
        word = {"up": "up", "booting": "booting", "down": "down"}.get(str(life.get("state")), "nobody can tell")
        text = f"{seen.get('power_state')}; {word}: {life.get('evidence') or 'no sign of life'}"
        return self.told(name, "probe", text, taken.seconds)

    def _console(self, name: str, result: Result, taken: _Taken) -> list[Line]:
        found = [str(item.get("summary")) for item in result.get("findings") or []]
        state = next((word for word in (result.get("boot"), result.get("state")) if word in CONSOLES), "")
        said = "; ".join(found) or CONSOLES.get(state, str(result.get("msg") or "tells nothing of a boot"))
        return self.told(name, "console", said, taken.seconds)

    def _switched(self, name: str, result: Result, taken: _Taken) -> list[Line]:
        """To the rescue system, of which more is told when that answers, or back."""
        state, changed = (result.get("server") or {}).get("state"), bool(result.get("changed"))
        server = self._servers[name]
        server.state = "" if taken.check else str(state)
        if state == "unrescued":
            if changed and not taken.check:
                server.up = taken.now
            text = "would give its own system back" if taken.check else "has its own system back"
            return self.told(name, "unrescue", text, taken.seconds) if changed else []
        if changed and not taken.check:
            server.rescued = taken.since
            server.down = taken.since if server.down is None else server.down
            return []
        text = "would boot its rescue system" if changed else "is rescued already"
        return self.told(name, "rescue", text, taken.seconds)

    def _answers(self, name: str, result: Result, taken: _Taken) -> list[Line]:
        if taken.step != "rescue" or not result.get("answers"):
            return []
        began = self._servers[name].rescued
        return self.told(name, "rescue", "rescue system answers", taken.now - (taken.since if began is None else began))

    def _diagnose(self, name: str, result: Result, taken: _Taken) -> list[Line]:
        patient = result.get("patient") or {}
        system = (patient.get("os") or {}).get("pretty_name") or "no operating system found"
        found = [item for item in result.get("findings") or [] if item.get("severity") in SEVERITIES]
        counts = [(word, sum(item["severity"] == word for item in found)) for word in SEVERITIES]
        verdict = str(result.get("verdict"))
        said = [verdict.upper() if verdict == "unbootable" else verdict]
        said += [f"{number} {word}" for word, number in counts if number]
        lines = self.told(name, "diagnose", f"{system}: {', '.join(said)}", taken.seconds)
        for item in found[:MAX_FINDINGS]:
            lines += self.below(item.get("fault"), item.get("summary"))
        if len(found) > MAX_FINDINGS:
            lines += self.below(f"and {len(found) - MAX_FINDINGS} more; -v shows them")
        return lines

    def _repair(self, name: str, result: Result, taken: _Taken) -> list[Line]:
        if "bundles" in result:
            return self._bundles(name, result["bundles"], taken)
        done = result.get("applied") or []
        back = [str(item.get("path") or item.get("device")) for item in done if not item.get("fault")]
        faults = [str(item["fault"]) for item in done if item.get("fault")]
        lines = []
        if back:
            text = f"{'would be taken back' if taken.check else 'taken back'}: {', '.join(back)}"
            lines += self.told(name, "undo", text, taken.seconds)
            lines += self._changes(name, result)
        if faults:
            text = f"{'would be repaired: ' if taken.check else ''}{', '.join(faults)}"
            lines += self.told(name, "repair", text, taken.seconds)
            lines += self._changes(name, result)
        for item in result.get("failed_findings") or []:
            text = f"{item.get('fault')} could not be repaired: {item.get('reason')}"
            lines += self.told(name, "repair", text, look="bad")
        for item in result.get("skipped_findings") or []:
            lines += self.told(name, "repair", f"{item.get('fault')} is left as it is: {item.get('reason')}")
        return lines

    def _bundles(self, name: str, bundles: t.Sequence[Result], taken: _Taken) -> list[Line]:
        text = "can be taken back:" if bundles else "no repair of this server is known here"
        lines = self.told(name, "undo", text, taken.seconds)
        for bundle in bundles[-MAX_FINDINGS:]:
            lines += self.below(bundle.get("id"), bundle.get("state"), ", ".join(bundle.get("faults") or ()))
        return lines

    def _changes(self, name: str, result: Result) -> list[Line]:
        diff = result.get("diff") or {}
        text = "\n".join(str(part.get("prepared") or "") for part in (diff if isinstance(diff, list) else [diff]))
        if not text.strip() or text == self._servers[name].shown:
            return []
        self._servers[name].shown = text
        changed = [line for line in text.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
        lines = []
        for line in changed[:MAX_CHANGES]:
            shown = printable(f"{line[0]} {line[1:]}", limit=WIDTH - self._indent)
            lines.append(Line(" " * self._indent + shown, "added" if line[0] == "+" else "removed"))
        if len(changed) > MAX_CHANGES:
            lines += self.below(f"and {len(changed) - MAX_CHANGES} more lines; -v --diff shows them")
        return lines

    _tellers: t.ClassVar[dict[str, t.Callable[..., list[Line]]]] = {
        "server_rescue_info": _info,
        "console_diagnose": _console,
        "server_rescue": _switched,
        "system_state": _answers,
        "disk_diagnose": _diagnose,
        "disk_repair": _repair,
    }

    # -- the end

    def summary(self, records: t.Mapping[str, Result], now: float) -> list[Line]:
        """What has become of the servers, in the order in which they were asked for."""
        order = {name: number for number, name in enumerate(self._names)}
        sorted_records = {name: records[name] for name in sorted(records, key=lambda name: order.get(name, len(order)))}
        times = {name: server.times(now) for name, server in self._servers.items()}
        return summary(sorted_records, times, command=self._command)

    def broken_off(self) -> list[Line]:
        """What is left how, where the run was stopped before its end."""
        states = {name: server.state for name, server in self._servers.items() if server.last > server.began}
        return broken_off(states, command=self._command)

    # -- lines

    def told(self, name: str, step: str, text: t.Any, seconds: float = 0.0, *, look: str = "") -> list[Line]:
        """What one step has to say of a server, and how long it took where that was noticed."""
        room = (SECONDS_END - 8 if seconds >= 0.5 else WIDTH) - self._indent
        first, *rest = textwrap.wrap(one_line(text), room) or [""]
        line = f"{printable(name, limit=self.column):<{self.column}}  {step:<{STEP}}  {first}"
        if seconds >= 0.5:
            line = f"{line:<{SECONDS_END - 8}}{seconds:6.0f} s"
        return [Line(line, look), *(Line(" " * self._indent + more, look) for more in rest)]

    def below(self, *parts: t.Any) -> list[Line]:
        """More of the step that was told last."""
        text = "  ".join(one_line(part) for part in parts)
        wrapped = textwrap.wrap(text, WIDTH - self._indent - 2, subsequent_indent="  ")
        return [Line(" " * self._indent + line) for line in wrapped]

    @property
    def _indent(self) -> int:
        return self.column + STEP + 4

    def _server(self, name: str, now: float) -> _Server:
        server = self._servers.setdefault(name, _Server(began=now, last=now))
        server.last = now
        return server


def _kind(arguments: Result) -> tuple[str, str]:
    """What of a module's arguments makes another step of it."""
    for name in ("state", "wait_for", "system"):
        if arguments.get(name):
            return name, str(arguments[name])
    return ("wait", "long") if arguments.get("timeout") or arguments.get("wait_timeout") else ("", "")
