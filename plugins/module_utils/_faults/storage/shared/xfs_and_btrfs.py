# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the checkers of xfs and btrfs say, and the kernel where it mounts neither. Their repair is left to a person.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from ...._patient.tree.replay import replay_journal
from .e2fsck import ANY_CODE, TIMEOUT, Judgement

if t.TYPE_CHECKING:
    from ...._patient.patient import Filesystem, Patient

__all__ = ("DAMAGE", "judge_btrfs", "judge_unmountable", "judge_xfs")

#: what the kernel says where what is on the device contradicts itself, or cannot be read at all
DAMAGE = ("Structure needs cleaning", "Bad message", "Input/output error")
_BAD_LINE = re.compile(r"(?i)\b(?:bad|error|corrupt|mismatch|would )")
#: what says that a check did not see the whole of a file system, so that nothing follows from it
_NOT_JUDGED = re.compile(
    r"ALERT: The filesystem has valuable metadata changes|(?i:cannot open|couldn't open|could not open|no such device|"
    r"missing device|devices missing|unsupported|unable to read chunk)"
)


def judge_xfs(patient: Patient, item: Filesystem) -> Judgement | None:
    """xfs_repair looks past a log that was not replayed: every guest that was switched off has one."""
    if not patient.tools.has("xfs_repair"):
        return None
    reason = replay_journal(item) if item.writable else ""
    if reason in DAMAGE:
        return judge_unmountable(reason)
    return _reported(patient, ["xfs_repair", "-n", item.reading_device])


def judge_btrfs(patient: Patient, item: Filesystem) -> Judgement | None:
    if not patient.tools.has("btrfs"):
        return None
    return _reported(patient, ["btrfs", "check", "--readonly", item.reading_device])


def judge_unmountable(reason: str) -> Judgement:
    """What follows from the kernel's reason not to mount it."""
    if reason in DAMAGE:
        return Judgement("error", "high", "is damaged, and cannot be mounted", repairable=False, lines=(reason,))
    what = "cannot be mounted here: damaged, or newer than this kernel"
    return Judgement("error", "low", what, repairable=False, lines=(reason,))


def _reported(patient: Patient, argv: t.Sequence[str]) -> Judgement | None:
    done = patient.tools.run(argv, timeout=TIMEOUT, ok=ANY_CODE)
    output = done.stdout + done.stderr
    if _NOT_JUDGED.search(output):
        what = "cannot be judged: its journal was not replayed, or a part is missing"
        return Judgement("info", "low", what, repairable=False)
    if done.rc != 1:
        return None
    lines = tuple(line for line in output.splitlines() if _BAD_LINE.search(line))
    return Judgement("error", "medium", "is damaged", repairable=False, lines=lines)
