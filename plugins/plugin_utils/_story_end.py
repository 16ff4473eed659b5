# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a run ends for people: a table of the servers, why the others are not as asked, and the commands that go on.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import shlex
import typing as t

from ansible_collections.openrescue.server.plugins.module_utils._text import printable

from ._lines import Line, clock, command_lines, titled

__all__ = ("SEVERITIES", "Times", "broken_off", "summary")

Result = t.Mapping[str, t.Any]

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
UNTOLD = ("LEFT ALONE", "bad", "left alone")
COMMAND = "ansible-playbook"
#: what a stopped run has made of a server -> what is said of it
LEFT = {
    "unrescued": "stopped by hand, with its own system back, and not proven to be up",
    "": "stopped by hand before anything of it was changed",
}
#: servers that share one error and are named
MOST_NAMES = 8


@dataclasses.dataclass(frozen=True)
class Times:
    """Of one server: the seconds of work on it, and those for which its own system was down; None where it was not."""

    total: float = 0.0
    down: float | None = None


def summary(records: t.Mapping[str, Result], times: t.Mapping[str, Times], *, command: str = COMMAND) -> list[Line]:
    """A table of what has become of the servers, why the others are not back, how to go on, and the sum.

    :param command: how this run was called, up to the playbook.
    """
    if not records:
        return []
    rows: list[tuple[str, ...]] = [("SERVER", "RESULT", "CAUSE", "REPAIRED", "DOWN", "TOTAL")]
    rows += [_row(name, record, times.get(name, Times())) for name, record in records.items()]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [Line("")]
    for number, row in enumerate(rows):
        cells = [cell.rjust(width) if column > 2 else cell.ljust(width)
                 for column, (cell, width) in enumerate(zip(row, widths))]  # fmt: skip
        look = _ending(list(records.values())[number - 1])[1] if number else "quiet"
        lines.append(Line("  ".join(cells).rstrip(), look))
    lines += _reasons(records)
    for name, record in records.items():
        lines += _going_on(name, record, command)
    return [*lines, Line(_sum(records))]


def broken_off(states: t.Mapping[str, str], *, command: str = COMMAND) -> list[Line]:
    """What is left how, where a run was stopped.

    :param states: of each server that was worked on: ``rescued``, ``unrescued``, or empty where it was only looked at.
    """
    lines = [Line("")] if states else []
    for name in (name for name, state in states.items() if state == "rescued"):
        text = "stopped by hand, and left rescued. The same command again goes on with it; or:"
        lines += titled(f"{name}: ", text, look="bad")
        words = f"openrescue.server.unrescue -e rescue_hosts={shlex.quote(name)}"
        lines += command_lines(f"leave {name}: ", f"{command} {words}")
    for left, text in LEFT.items():
        names = [name for name, state in states.items() if state == left]
        lines += titled(f"{_names(names)}: ", text, look="bad") if names else []
    return lines


def _row(name: str, record: Result, times: Times) -> tuple[str, ...]:
    worst = _worst(record.get("findings") or [])
    cause = f"{worst[0]} +{len(worst) - 1}" if len(worst) > 1 else "".join(worst) or "-"
    return (
        name,
        _ending(record)[0],
        printable(cause, limit=40),
        str(len(record.get("applied") or [])),
        "-" if times.down is None else clock(times.down),
        clock(times.total),
    )


def _reasons(records: t.Mapping[str, Result]) -> list[Line]:
    """Each once, with the names of all servers that it is told of."""
    told: dict[str, list[str]] = {}
    for name, record in records.items():
        if record.get("error"):
            told.setdefault(str(record["error"]).replace(f"'{record.get('name') or name}'", "'?'"), []).append(name)
    lines = []
    for text, names in told.items():
        first = records[names[0]]
        whole = str(first["error"]) if len(names) == 1 else text.replace("server '?': ", "")
        lines += titled(f"{_names(names)}: ", whole, look=_ending(first)[1])
    return lines


def _names(names: t.Sequence[str]) -> str:
    more = [f"{len(names) - MOST_NAMES} more"] if len(names) > MOST_NAMES else []
    return ", ".join([*names[:MOST_NAMES], *more])


def _going_on(name: str, record: Result, command: str) -> list[Line]:
    lines = titled("", str(record.get("said"))) if record.get("outcome") == "checked" else []
    # Of a repair whose run was killed, nobody was told.
    earlier = (record.get("earlier") or [""])[-1]
    undo = record.get("undo") or (earlier if record.get("outcome") != "left_alone" else "")
    if undo:
        words = f"openrescue.server.undo -e rescue_hosts={shlex.quote(name)} -e undo={shlex.quote(str(undo))}"
        title = f"undo {name}: " if record.get("undo") else f"undo an earlier repair of {name}: "
        lines += command_lines(title, f"{command} {words}")
    for following in record.get("next") or []:
        lines += command_lines(f"next {name}: ", str(following).replace(f"{COMMAND} ", f"{command} ", 1))
    return lines


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
