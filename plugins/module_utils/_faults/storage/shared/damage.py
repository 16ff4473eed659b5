# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The damage of one file system, as the checker of its type tells it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ...model import Finding
from .e2fsck import EXT, Judgement, check_ext, evidence_of, judge_ext
from .xfs_and_btrfs import judge_btrfs, judge_xfs

if t.TYPE_CHECKING:
    from ...._patient.patient import Filesystem, Patient

__all__ = ("damage_of", "finding_of")

_JUDGES = {"xfs": judge_xfs, "btrfs": judge_btrfs}


def damage_of(patient: Patient, item: Filesystem, *, fault: str) -> t.Iterator[Finding]:
    """At most one finding, not yet weighed by how the server uses the device."""
    if item.fstype in EXT:
        yield from _ext(patient, item, fault)
    elif item.fstype in _JUDGES and (judgement := _JUDGES[item.fstype](patient, item)):
        yield finding_of(item, judgement, fault=fault)


def _ext(patient: Patient, item: Filesystem, fault: str) -> t.Iterator[Finding]:
    checked = check_ext(patient, item)
    judgement = judge_ext(checked)
    if judgement is not None:
        remedy = "let e2fsck repair it" if checked.preen else "let e2fsck repair it, answering yes to all it asks"
        yield dataclasses.replace(
            finding_of(item, dataclasses.replace(judgement, lines=checked.lines), fault=fault),
            remedy=remedy if judgement.repairable else None,
            remedy_safe=judgement.repairable and checked.preen,
        )


def finding_of(item: Filesystem, judgement: Judgement, *, fault: str) -> Finding:
    """A judgement as a finding without a remedy."""
    return Finding(
        fault=fault,
        severity=judgement.severity,
        summary=f"{item.fstype} on {item.device} {judgement.summary}",
        evidence=evidence_of(item, judgement.lines),
        confidence=judgement.confidence,
    )
