# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which line of /etc/fstab counts where several mount at one place: the others are not judged by what they name.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .devices import is_kernel_name
from .reading import readable_lines
from .table import Problem, Table, shown

if t.TYPE_CHECKING:
    from ...._formats.fstab import FstabEntry
    from ...model import Severity

__all__ = ("judge_duplicates", "lines_in_force")


def judge_duplicates(table: Table) -> list[Problem]:
    """systemd uses the first line of a mount point and complains about the others."""
    groups: dict[str, list[FstabEntry]] = {}
    for entry in readable_lines(table):
        if entry.is_mount and not entry.noauto:
            groups.setdefault(entry.place, []).append(entry)
    return [problem for group in groups.values() for problem in _extra(group, table)]


def lines_in_force(table: Table) -> list[FstabEntry]:
    """What is left to be judged: the lines that can be read, of several for one place that which counts."""
    extra = {line for problem in table.once(judge_duplicates) for line in problem.lines}
    kept = []
    for entry in readable_lines(table):
        lines = tuple(line for line in entry.lines if line not in extra)
        if lines:
            kept.append(dataclasses.replace(entry, lines=lines))
    return kept


def _extra(group: t.Sequence[FstabEntry], table: Table) -> t.Iterator[Problem]:
    first = group[0]
    there = next((entry for entry in group if not table.lacks_device(entry)), first)
    kept = there if table.lacks_device(first) else first
    for entry in group:
        lines = entry.lines[1:] if entry is kept else entry.lines
        if not lines:
            continue
        what = f"mounts at {shown(entry.mount_point)} as does line {kept.line}"
        severity: Severity = "warning"
        if entry is first and entry is not kept:
            what += ", but comes first and names a device that the server does not have"
            # Where the boot goes on without it, disks may take turns.
            severity = "critical" if entry.stops_boot else "warning"
            certain = entry.stops_boot and not is_kernel_name(entry.spec)
        else:
            gone = entry.stops_boot and table.lacks_device(entry)
            certain = entry is kept or gone or _same(entry, kept, table)
        yield Problem(entry, lines, severity, what, None, "comment it out", certain=certain)


def _same(one: FstabEntry, other: FstabEntry, table: Table) -> bool:
    """Whether two lines mount the same, so that none of them is missed."""
    devices = [table.device_of(entry).filesystem for entry in (one, other)]
    subvolumes = {(entry.option("subvol"), entry.option("subvolid")) for entry in (one, other)}
    return None not in devices and devices[0] == devices[1] and len(subvolumes) == 1
