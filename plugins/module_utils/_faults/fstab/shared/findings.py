# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a problem of a line becomes a finding, and how its remedy edits that line and no other.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import hashlib
import re
import typing as t

from ...._formats.fstab import edit_lines
from ...._patient.tree.fstab import FSTAB
from ...._text import printable
from ...model import Evidence, Finding
from .mentions import is_mentioned
from .table import read_table

if t.TYPE_CHECKING:
    from ...._patient.patient import Patient
    from ...._patient.write.change import Change
    from .table import Problem, Table

__all__ = ("detector", "repairer")

MAX_EVIDENCE = 10
_LONGEST_KEY = 200
#: mounts of media that come and go
_REMOVABLE = re.compile(r"^/(?:media(?:/.*)?|cdrom\d?|mnt/(?:cdrom|dvd|floppy|usb)[^/]*|floppy)$")


def detector(fault: str, judge: t.Callable[[Table], list[Problem]]) -> t.Callable[[Patient], t.Iterator[Finding]]:
    """The detection of one fault of this family: its part of the one judgement."""

    def detect(patient: Patient) -> t.Iterator[Finding]:
        for problem in read_table(patient).once(judge):
            yield _finding(patient, fault, problem)

    return detect


def repairer(fault: str, judge: t.Callable[[Table], list[Problem]]) -> t.Callable[[Patient, Finding, Change], None]:
    """The remedy of one fault of this family: the lines of one problem edited, nothing else touched."""

    def repair(patient: Patient, finding: Finding, change: Change) -> None:
        for problem in read_table(patient).once(judge):
            if problem.remedy and _key(fault, problem) == finding.key:
                text = patient.tree.read_text(FSTAB) or ""
                fixed = edit_lines(text, problem.lines, problem.new_line, reason=fault)
                change.write(FSTAB, fixed.encode("utf-8", "surrogateescape"))
                return

    return repair


def _finding(patient: Patient, fault: str, problem: Problem) -> Finding:
    text = printable(problem.entry.text)
    more = len(problem.lines) - 1
    again = f" (and the same in {more} other line{'s' if more > 1 else ''})" if more else ""
    place = problem.optional_place
    return Finding(
        fault=fault,
        severity=problem.severity,
        summary=f"{FSTAB}: line {problem.lines[0]} {problem.summary}{again}",
        evidence=tuple(Evidence(path=FSTAB, line=line, text=text) for line in problem.lines[:MAX_EVIDENCE]),
        remedy=problem.remedy or None,
        remedy_safe=bool(problem.remedy) and problem.safe and (not place or _is_optional(patient, place)),
        confidence="high" if problem.certain else "medium",
        key=_key(fault, problem),
    )


def _key(fault: str, problem: Problem) -> str:
    """The line itself, without its number, since other repairs move lines."""
    text = printable(problem.entry.text, limit=_LONGEST_KEY)
    if len(text) == _LONGEST_KEY:
        text += hashlib.sha256(problem.entry.text.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return f"{fault}|{FSTAB}|{text}"


def _is_optional(patient: Patient, place: str) -> bool:
    """Whether the server may well start without this mount: no service finds an empty directory for its data.

    That is so for media that come and go, and beneath /mnt where nothing of the server's configuration names it.
    """
    if _REMOVABLE.match(place):
        return True
    return place.startswith("/mnt/") and not is_mentioned(patient, place)
