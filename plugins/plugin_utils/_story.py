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

__all__ = ("Line", "Story")

Result = t.Mapping[str, t.Any]

#: Columns of a line at most, and the one at which the seconds of a step end.
WIDTH = 118
SECONDS_END = 88
STEP = 8
#: Lines of one change, and findings of one patient, that are shown.
MAX_CHANGES = 12
MAX_FINDINGS = 8
#: What a step says at most.
LIMIT = 600

SEVERITIES = ("critical", "error", "warning")
#: outcome of the run record -> the word of the table, how it looks, and the word of the sum
OUTCOMES = {
    "back": ("BACK", "good", "back"),
    "off": ("OFF", "good", "off as before"),
    "left_alone": ("UP", "good", "up"),
    "rescued": ("RESCUED", "good", "rescued"),
    "unrescued": ("UNRESCUED", "good", "unrescued"),
    "checked": ("CHECKED", "good", "checked"),
    "triaged": ("TRIAGED", "good", "triaged"),
    "collected": ("COLLECTED", "good", "collected"),
    "diagnosed": ("DIAGNOSED", "good", "diagnosed"),
    "repaired": ("REPAIRED", "good", "repaired"),
    "failed": ("FAILED", "bad", "failed"),
}
#: what a console ends in
CONSOLES = {
    "failed": "its boot has failed",
    "booted": "a system has booted",
    "booting": "a boot has begun, and came to no end yet",
    "off": "its system has switched itself off",
}
UNTOLD = ("LEFT ALONE", "bad", "left alone")

#: module -> the step of the way that it is, and what it does while nobody hears of it
STEPS = {
    "server_rescue_info": ("probe", "asks how the server is"),
    "console_diagnose": ("console", "reads the console"),
    "server_rescue": ("rescue", "switches systems"),
    "wait_for_connection": ("rescue", "waits for the rescue system"),
    "disk_diagnose": ("diagnose", "looks at the disks"),
    "disk_repair": ("repair", "works on the disks"),
    "disk_collect": ("collect", "reads the disks"),
    "disk_mount": ("tasks", "opens or closes the disks"),
}


@dataclasses.dataclass(frozen=True)
class Line:
    """One line; how it looks is ``good``, ``bad``, ``added``, ``removed``, ``quiet``, or nothing in particular."""

    text: str
    look: str = ""


@dataclasses.dataclass
class _Server:
    """What was told of one server.

    :param began: when it was first heard of; all times are seconds of one clock.
    :param last: when it was last heard of.
    :param doing: what is done now, since when.
    :param rescued: since when its rescue is under way.
    :param down: since when its own system is stopped, and until when it was.
    """

    began: float
    last: float
    doing: tuple[str, str, float] | None = None
    rescued: float | None = None
    down: float | None = None
    up: float | None = None
    probed: bool = False
    shown: str = ""


@dataclasses.dataclass(frozen=True)
class _Taken:
    """How a module's work has gone: from when to when, and whether it was a check."""

    since: float
    now: float
    check: bool

    @property
    def seconds(self) -> float:
        return self.now - self.since


class Story:
    """The lines of one run.

    :param names: the servers that it is about, for the width of the first column.
    """

    def __init__(self, names: collections.abc.Iterable[str] = ()) -> None:
        self.column = min(24, max((len(name) for name in names), default=4))
        self._servers: dict[str, _Server] = {}

    def starts(self, name: str, module: str, now: float, *, arguments: Result) -> None:
        """A module begins to work for a server."""
        server = self._server(name, now)
        if module in STEPS:
            step, doing = STEPS[module]
            back = module == "server_rescue" and arguments.get("state") == "unrescued"
            server.doing = ("unrescue", "gives its own system back", now) if back else (step, doing, now)

    def doing(self, now: float) -> list[tuple[str, str, str, float]]:
        """Server, step, what it does, and for how many seconds already; the longest first."""
        found = [(name, *server.doing) for name, server in self._servers.items() if server.doing]
        return sorted(((name, step, what, now - since) for name, step, what, since in found), key=lambda row: -row[3])

    def ends(self, name: str, module: str, result: Result, now: float, *, check: bool = False) -> list[Line]:
        """A module has done its work for a server."""
        server = self._server(name, now)
        since = server.doing[2] if server.doing else now
        server.doing = None
        tell = self._tellers.get(module)
        return tell(self, name, result, _Taken(since, now, check)) if tell else []

    def skipped(self, name: str) -> None:
        """What has begun for a server is not done."""
        if name in self._servers:
            self._servers[name].doing = None

    def failed(self, name: str, now: float) -> list[Line]:
        """A module has failed for a server; why is told at the end, once."""
        server = self._server(name, now)
        step, _what, since = server.doing or ("", "", now)
        server.doing = None
        return self.told(name, step, "failed", now - since, look="bad") if step else []

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

    def _answers(self, name: str, _result: Result, taken: _Taken) -> list[Line]:
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
        "wait_for_connection": _answers,
        "disk_diagnose": _diagnose,
        "disk_repair": _repair,
    }

    # -- the end

    def summary(self, records: t.Mapping[str, Result], now: float) -> list[Line]:
        """A table of what has become of the servers, why the others are not back, how to take back, and the sum."""
        if not records:
            return []
        rows: list[tuple[str, ...]] = [("SERVER", "RESULT", "CAUSE", "REPAIRED", "DOWN", "TOTAL")]
        rows += [self._row(name, record, now) for name, record in records.items()]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines = [Line("")]
        for number, row in enumerate(rows):
            cells = [cell.rjust(width) if column > 2 else cell.ljust(width)
                     for column, (cell, width) in enumerate(zip(row, widths))]  # fmt: skip
            look = _ending(records[row[0]])[1] if number else "quiet"
            lines.append(Line("  ".join(cells).rstrip(), look))
        for name, record in records.items():
            if record.get("error"):
                look = _ending(record)[1]
                lines += [Line(text, look) for text in _wrapped(f"{name}: ", str(record["error"]))]
        for name, record in records.items():
            if record.get("undo"):
                command = f"openrescue.server.undo -e rescue_hosts={name} -e undo={record['undo']}"
                lines += [Line(text) for text in _wrapped(f"undo {name}: ", f"ansible-playbook {command}")]
            if record.get("outcome") == "rescued":
                text = f"ansible-playbook openrescue.server.unrescue -e rescue_hosts={name}"
                lines += [Line(text) for text in _wrapped(f"leave {name}: ", text)]
        return [*lines, Line(_sum(records))]

    def _row(self, name: str, record: Result, now: float) -> tuple[str, ...]:
        server = self._servers.get(name, _Server(began=now, last=now))
        down = "-"
        if server.down is not None:
            down = _clock((now if server.up is None else server.up) - server.down)
        worst = _worst(record.get("findings") or [])
        cause = f"{worst[0]} +{len(worst) - 1}" if len(worst) > 1 else "".join(worst) or "-"
        repaired = str(len(record.get("applied") or []))
        return (
            name,
            _ending(record)[0],
            printable(cause, limit=40),
            repaired,
            down,
            _clock(server.last - server.began),
        )

    # -- lines

    def told(self, name: str, step: str, text: t.Any, seconds: float = 0.0, *, look: str = "") -> list[Line]:
        """What one step has to say of a server, and how long it took where that was noticed."""
        room = (SECONDS_END - 8 if seconds >= 0.5 else WIDTH) - self._indent
        first, *rest = textwrap.wrap(_one_line(text), room) or [""]
        line = f"{printable(name, limit=self.column):<{self.column}}  {step:<{STEP}}  {first}"
        if seconds >= 0.5:
            line = f"{line:<{SECONDS_END - 8}}{seconds:6.0f} s"
        return [Line(line, look), *(Line(" " * self._indent + more, look) for more in rest)]

    def below(self, *parts: t.Any) -> list[Line]:
        """More of the step that was told last."""
        text = "  ".join(_one_line(part) for part in parts)
        wrapped = textwrap.wrap(text, WIDTH - self._indent - 2, subsequent_indent="  ")
        return [Line(" " * self._indent + line) for line in wrapped]

    @property
    def _indent(self) -> int:
        return self.column + STEP + 4

    def _server(self, name: str, now: float) -> _Server:
        server = self._servers.setdefault(name, _Server(began=now, last=now))
        server.last = now
        return server


def _ending(record: Result) -> tuple[str, str, str]:
    outcome = str(record.get("outcome"))
    if outcome == "left_alone" and record.get("error"):
        return UNTOLD
    return OUTCOMES.get(outcome, OUTCOMES["failed"])


def _worst(findings: t.Sequence[Result]) -> list[str]:
    for severity in SEVERITIES:
        faults = [str(item.get("fault")) for item in findings if item.get("severity") == severity]
        if faults:
            return list(dict.fromkeys(faults))
    return []


def _sum(records: t.Mapping[str, Result]) -> str:
    words = [_ending(record)[2] for record in records.values()]
    return ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words))


def _one_line(text: t.Any, *, limit: int = LIMIT) -> str:
    return printable(" ".join(str(text).split()), limit=limit)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def _wrapped(title: str, text: str) -> list[str]:
    return textwrap.wrap(_one_line(text, limit=2000), WIDTH, initial_indent=title, subsequent_indent="    ")
