# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the checkers of xfs and btrfs say, and the kernel where it mounts neither. Their repair is left to a person.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ...._patient.checkup import checkup
from ...._patient.tree.replay import replay_journal
from .e2fsck import Judgement

if t.TYPE_CHECKING:
    from ...._patient.patient import Filesystem, Patient
    from ...model import Confidence

__all__ = ("DAMAGE", "judge_btrfs", "judge_unmountable", "judge_xfs")

#: what the kernel says where what is on the device contradicts itself, or cannot be read at all
DAMAGE = ("Structure needs cleaning", "Bad message", "Input/output error")


def judge_xfs(patient: Patient, item: Filesystem) -> Judgement | None:
    """xfs_repair looks past a log that was not replayed: every guest that was switched off has one."""
    reason = replay_journal(item) if item.writable else ""
    if reason in DAMAGE:
        return judge_unmountable(reason)
    return _reported(patient, item, confidence="high" if item.writable else "medium")


def judge_btrfs(patient: Patient, item: Filesystem) -> Judgement | None:
    return _reported(patient, item, confidence="medium")


def judge_unmountable(reason: str) -> Judgement:
    """What follows from the kernel's reason not to mount it."""
    if reason in DAMAGE:
        return Judgement("error", "high", "is damaged, and cannot be mounted", repairable=False, lines=(reason,))
    what = "cannot be mounted here: damaged, or newer than this kernel"
    return Judgement("error", "low", what, repairable=False, lines=(reason,))


def _reported(patient: Patient, item: Filesystem, *, confidence: Confidence) -> Judgement | None:
    found = checkup(patient, item)
    if found is None:
        return None
    if found.partial:
        what = "cannot be judged: its journal was not replayed, or a part is missing"
        return Judgement("info", "low", what, repairable=False)
    return Judgement("error", confidence, "is damaged", repairable=False, lines=found.lines) if found.damaged else None
