# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""File systems that are damaged, weighed by how the server uses them.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ..model import Fault, Finding, Signature, Words
from .shared.damage import damage_of, finding_of
from .shared.e2fsck import EXT, repair_ext, shown_devices
from .shared.use import is_shared, use_of, weigh_damage
from .shared.xfs_and_btrfs import DAMAGE, judge_unmountable

if t.TYPE_CHECKING:
    from ..._patient.patient import Patient
    from ..._patient.write.change import Change

__all__ = ("FILESYSTEM_CORRUPT",)

ID = "filesystem-corrupt"


def detect(patient: Patient) -> t.Iterator[Finding]:
    for item in patient.filesystems:
        if not is_shared(item):
            yield from damage_of(patient, item, fault=ID)


def weigh(patient: Patient, found: t.Sequence[Finding]) -> t.Iterator[Finding]:
    """Each by how the server uses its device; and what could not be mounted, though no checker said why."""
    cannot_mount = dict(patient.unmountable)
    for finding in found:
        for item in shown_devices(patient, finding.evidence):
            told = {evidence.text for evidence in finding.evidence}
            mounts = not cannot_mount.pop(item.device, "") and not told & set(DAMAGE)
            yield weigh_damage(finding, use_of(patient, item), mounts=mounts)
    for item in patient.filesystems:
        if item.device in cannot_mount and not is_shared(item):
            finding = finding_of(item, judge_unmountable(cannot_mount[item.device]), fault=ID)
            yield weigh_damage(finding, use_of(patient, item), mounts=False)


def repair(patient: Patient, finding: Finding, change: Change) -> None:
    for item in shown_devices(patient, finding.evidence):
        if item.fstype in EXT:
            repair_ext(item, change)


FILESYSTEM_CORRUPT = Fault(
    id=ID,
    title="A file system is damaged",
    stage="device",
    tools=("e2fsck",),
    signatures=(
        Signature(
            r"(/dev/\S{1,100}|\S{1,60}): UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY",
            "{0} is damaged, and the check at boot stopped for it",
        ),
        Signature(
            r"The (?:root )?file ?system on (/dev/\S{1,100}) requires a manual fsck",
            "{0} is damaged, and the check at boot stopped for it",
        ),
        Signature(
            r"EXT4-fs \((\S{1,40})\): (?:group descriptors corrupted|bad geometry|ext4_check_descriptors: "
            r"|no journal found|error loading journal|get root inode failed|corrupt root inode)",
            "{0} is damaged so that it cannot be mounted",
        ),
        *(
            Signature(pattern, "{0} is damaged", severity="error", survives_boot=True)
            for pattern in (
                r"EXT4-fs error \(device (\S{1,40})\)",
                r"XFS \((\S{1,40})\): (?:Metadata (?:CRC error|corruption) detected|Corruption )",
                r"BTRFS (?:critical|error) \(device (\S{1,40}?)(?: state \S{1,10})?\)",
            )
        ),
        Signature(
            # systemd cuts the name of the service in its middle.
            r"Failed to start (?:systemd-fsck\S{0,200} - )?(?:File System Check on|systemd-fs\S{0,40}…)",
            "the check of a file system failed",
            confidence="medium",
        ),
    ),
    detect=detect,
    weigh=weigh,
    repair=repair,
    safe=True,
    words=Words(
        meaning="A file system contradicts itself: the machine or its storage failed in the middle of writing.",
        effect="Where the check at boot finds more than it may repair, it stops: ``UNEXPECTED INCONSISTENCY``, then "
        "emergency mode. Otherwise the server boots, turns the file system read-only sooner or later, or fails at a "
        "file.",
        detection="Its own checker looks at it without writing, after the journal was replayed in a throw-away layer: "
        "what any boot heals by itself is no damage. What the kernel refuses to mount is reported too.",
        scope="ext2, ext3 and ext4 by e2fsck, xfs by xfs_repair, btrfs by ``btrfs check``. Not on disks that other "
        "servers use.",
        remedy="e2fsck repairs an ext file system: without questions, and where that is not enough with yes to all of "
        "them. xfs and btrfs have no remedy here.",
        safety="Safe where e2fsck repairs it without asking, which was tried in a layer, and the server uses the file "
        "system. Where e2fsck asks, its answers may cost files: a person decides.",
    ),
)
