# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which lines of /etc/fstab can be read, and what is wrong with the others: the first thing that all its faults ask.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ...._formats.filesystem_types import BLOCK_TYPES, KNOWN_TYPES, misspelled_option
from ...._text import printable
from .devices import names_device
from .table import Problem, Table, severity_at_boot

if t.TYPE_CHECKING:
    from ...._formats.fstab import FstabEntry
    from ...model import Severity

__all__ = ("judge_syntax", "readable_lines")

#: what the server is not itself without
_VITAL = ("/", "/usr")


def judge_syntax(table: Table) -> list[Problem]:
    """At most one problem for a line: the first that hinders reading the rest."""
    rules = (_glued, _bare_space, _open_quote, _unusable, _bad_number, _bad_option)
    found = []
    for entry in table.entries:
        problem = next((problem for rule in rules for problem in rule(entry, table)), None)
        if problem is not None:
            found.append(problem)
    return found


def readable_lines(table: Table) -> list[FstabEntry]:
    broken = {problem.entry for problem in table.once(judge_syntax)}
    return [entry for entry in table.entries if entry not in broken]


def _problem(entry: FstabEntry, severity: Severity, what: str, fixed: str | None, remedy: str) -> Problem:
    return Problem(entry, entry.lines, severity, what, fixed, remedy)


def _left_out(place: str) -> Severity:
    """How bad it is that systemd leaves a line out: the boot goes on, without what it mounts."""
    return "critical" if (place.rstrip("/") or "/") in _VITAL else "error"


def _glued(entry: FstabEntry, table: Table) -> t.Iterator[Problem]:
    """``UUID=…/boot ext4``, where the space was lost.

    ``/dev/mapper/rhel-swap none swap`` looks like that too: so what comes before the slash has to be a device of
    the patient, and what comes after the field a type that can be mounted.
    """
    field = entry.fields[0]
    if (
        len(entry.fields) < 2
        or entry.fields[1] not in BLOCK_TYPES | {"auto"}
        or table.device_of(entry).filesystem is not None
    ):
        return
    for cut in (found.start() for found in re.finditer("/", field[:4096])):
        if cut > len("/dev") and table.device_named(field[:cut]).filesystem is not None:
            what = "has its device and mount point written together"
            yield _problem(entry, _left_out(field[cut:]), what, entry.split(cut), "put a space between them")
            return


def _bare_space(entry: FstabEntry, _table: Table) -> t.Iterator[Problem]:
    """``/my data ext4 defaults``: one field too many before the type."""
    fields = entry.fields
    if len(fields) < 5 or fields[3] not in BLOCK_TYPES or fields[2] in KNOWN_TYPES or fields[2].startswith("fuse"):
        return
    # In a line that is right, a number or nothing follows the options.
    if entry.is_mount and not re.fullmatch(r"\d+|#.*", fields[4]):
        what = "has a bare space in its mount point"
        yield _problem(entry, severity_at_boot(entry), what, entry.joined(1, 2), "write the space as \\040")


def _open_quote(entry: FstabEntry, _table: Table) -> t.Iterator[Problem]:
    """``LABEL="my data"``: quotes do not keep a space."""
    fields = entry.fields
    if not re.match(r'^(?:PART)?LABEL="[^"]*$', fields[0]):
        return
    end = next((index for index, field in enumerate(fields[:4]) if index and field.endswith('"')), 0)
    if end and len(fields) > end + 2 and fields[end + 1].startswith("/"):
        what = "has a bare space in its label"
        yield _problem(entry, _left_out(fields[end + 1]), what, entry.joined(0, end), "write the space as \\040")


def _unusable(entry: FstabEntry, table: Table) -> t.Iterator[Problem]:
    fields = entry.fields
    if len(fields) == 2 and entry.is_mount:
        what = "names no type, so that mount leaves it out"
        yield _problem(entry, "warning", what, entry.with_field(2, "auto"), "let mount find the type")
        return
    if len(fields) > 2 and (entry.is_swap or entry.is_mount or entry.mount_point in ("none", "swap")):
        return
    what = "cannot be read: it needs a device, an absolute mount point and a type"
    found = table.device_of(entry).filesystem
    is_root = table.root is not None and found is not None and found.device == table.root.device
    if found is not None and is_root and table.root_line is None:
        passno = 1 if found.fstype.startswith("ext") else 0
        fixed = f"{fields[0]} / {found.fstype} defaults 0 {passno}"
        yield _problem(entry, "critical", what, fixed, "write the line of the root file system anew")
        return
    # systemd leaves the line out, so that whatever it mounted is missing, but the boot goes on.
    severity: Severity = "error" if found is not None else "warning"
    # What was meant is for a person to say; without a remedy nothing gets worse.
    yield dataclasses.replace(_problem(entry, severity, what, None, "comment the line out"), safe=False)


def _bad_number(entry: FstabEntry, _table: Table) -> t.Iterator[Problem]:
    """mount leaves out a line whose fifth or sixth field is no number; systemd of old takes it for 0."""
    for index, name in ((4, "dump frequency"), (5, "fsck pass number")):
        if len(entry.fields) <= index or re.fullmatch(r"[+-]?\d{1,9}", entry.fields[index]):
            continue
        if entry.fields[index].startswith("#"):
            fixed = entry.with_field(index, ("0 0 " if index == 4 else "0 ") + entry.fields[index])
        else:
            fixed = entry.with_field(index, "0")
        severity: Severity = "error" if entry.place == "/" and entry.is_mount else "warning"
        what = f"has a {name} that is no number, so that mount leaves it out"
        yield _problem(entry, severity, what, fixed, f"set the {name} to 0")
        return


def _bad_option(entry: FstabEntry, _table: Table) -> t.Iterator[Problem]:
    for option in entry.raw_options[:100] if names_device(entry) and entry.is_mount else ():
        meant = misspelled_option(option, entry.fstype)
        if meant:
            fixed = entry.with_options([meant if one == option else one for one in entry.raw_options])
            what = f"has '{printable(option, limit=40)}', which is no mount option, so that the mount fails"
            yield _problem(entry, severity_at_boot(entry), what, fixed, f"write '{meant}'")
            return
