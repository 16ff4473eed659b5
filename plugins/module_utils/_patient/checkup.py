# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the checkers of file systems say of them. They only look; what they may be asked to repair is not said here.

A journal that was not replayed hides damage, and looks like it: where there is a layer, it is mounted before.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from .._text import printable

if t.TYPE_CHECKING:
    from .patient import Filesystem, Patient

__all__ = (
    "ANY_CODE",
    "EXT",
    "OPERATIONAL",
    "TIMEOUT",
    "UNCORRECTED",
    "Checkup",
    "certain_damage",
    "checkup",
    "problems",
)

EXT = ("ext2", "ext3", "ext4")
#: a full check reads all metadata: minutes on a large and slow disk
TIMEOUT = 3600.0
ANY_CODE = range(256)
#: bits of the exit code of e2fsck
UNCORRECTED, OPERATIONAL = 4, 8

_NO_PROBLEM = re.compile(
    r"^(?:e2fsck \d|Pass \d|IGNORED\.$|Fix\? |\S+: \*{5,} |\S+: \d+/\d+ files|Warning! |.* was not cleanly unmounted)"
    r"|^\s*$|^ext2fs_open2: |Superblock invalid, trying backup|check forced\.$|recovering journal$"
)
_BAD_LINE = re.compile(r"(?i)\b(?:bad|error|corrupt|mismatch|would )")
#: what says that a check did not see the whole of a file system, so that nothing follows from it
_PARTIAL = re.compile(
    r"ALERT: The filesystem has valuable metadata changes|(?i:cannot open|couldn't open|could not open|no such device|"
    r"missing device|devices missing|unsupported|unable to read chunk)"
)


@dataclasses.dataclass(frozen=True)
class Checkup:
    """What a checker that only looked has said.

    :param code: the exit code.
    :param damaged: whether it found damage.
    :param partial: whether it did not see the whole of the file system, so that nothing follows from what it found.
    :param lines: the problems.
    """

    code: int
    output: str
    damaged: bool
    partial: bool
    lines: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class _Checker:
    argv: tuple[str, ...]
    damaged: t.Callable[[int], bool]
    partial: re.Pattern[str]
    problems: t.Callable[[str], list[str]]


def problems(output: str) -> list[str]:
    """The lines of e2fsck's output that name a problem."""
    return [line.strip() for line in output.splitlines() if not _NO_PROBLEM.search(line)]


def _bad_lines(output: str) -> list[str]:
    return [line for line in output.splitlines() if _BAD_LINE.search(line)]


_E2FSCK = _Checker(
    ("e2fsck", "-f", "-n"),
    lambda code: bool(code & UNCORRECTED),
    re.compile("skipping journal recovery"),
    problems,
)
_CHECKERS = {
    **dict.fromkeys(EXT, _E2FSCK),
    "xfs": _Checker(("xfs_repair", "-n"), lambda code: code == 1, _PARTIAL, _bad_lines),
    "btrfs": _Checker(("btrfs", "check", "--readonly"), lambda code: code == 1, _PARTIAL, _bad_lines),
}


def checkup(patient: Patient, item: Filesystem) -> Checkup | None:
    """Let the checker of this file system look at all of it; None where there is none.

    :param item: nothing of it may be mounted.
    """
    checker = _CHECKERS.get(item.fstype)
    if checker is None or not patient.tools.has(checker.argv[0]):
        return None
    done = patient.tools.run([*checker.argv, item.reading_device], timeout=TIMEOUT, ok=ANY_CODE)
    output = done.stdout + done.stderr
    return Checkup(
        code=done.rc,
        output=output,
        damaged=checker.damaged(done.rc),
        partial=bool(checker.partial.search(output)),
        lines=tuple(checker.problems(output)),
    )


def certain_damage(patient: Patient, item: Filesystem) -> str:
    """Why nothing may be written to this file system; empty where nothing was found, or nobody can tell.

    What the kernel takes for free in a damaged one may be somebody's. Not so on btrfs, which proves what it reads, and
    whose checker finds fault also with counts of quotas that harm nobody.
    """
    found = checkup(patient, item) if item.fstype != "btrfs" else None
    if found is None or found.partial or not found.damaged:
        return ""
    return f"{item.fstype} on it is damaged: {printable(found.lines[0]) if found.lines else 'its checker says so'}"
