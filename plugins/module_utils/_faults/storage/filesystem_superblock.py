# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ext file systems that have lost their superblock, and still have a copy of it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ..._patient.devices.lost import lost_filesystems
from ..model import Fault, Finding, Signature, Words
from .shared.e2fsck import ANY_CODE, TIMEOUT, evidence_of, is_benign, repair_ext, shown_devices
from .shared.use import is_shared, use_of, weigh_lost

if t.TYPE_CHECKING:
    from ..._patient.devices.lost import LostFilesystem
    from ..._patient.patient import Patient
    from ..._patient.write.change import Change

__all__ = ("FILESYSTEM_SUPERBLOCK",)

ID = "filesystem-superblock"


def detect(patient: Patient) -> t.Iterator[Finding]:
    for lost in lost_filesystems(patient):
        item = lost.filesystem
        if is_shared(item):
            continue
        done = patient.tools.run(
            ["e2fsck", "-f", "-n", *_copy(lost), item.reading_device], timeout=TIMEOUT, ok=ANY_CODE
        )
        whole = done.rc == 0 or is_benign(done.stdout)
        yield Finding(
            fault=ID,
            severity="critical" if whole else "warning",
            summary=f"{item.device} has lost the superblock of its ext file system {lost.superblock.uuid}",
            evidence=evidence_of(item, [f"a copy is at block {lost.block} of {lost.block_size} bytes"]),
            remedy=f"write the superblock anew from its copy at block {lost.block}",
            # A copy can outlive its file system: where the rest does not fit to it, a person decides.
            remedy_safe=whole,
            confidence="high" if whole else "low",
        )


def weigh(patient: Patient, found: t.Sequence[Finding]) -> t.Iterator[Finding]:
    """A disk that was wiped keeps its copies too: what the server does not name is left alone."""
    lost = {item.filesystem.device: item.names for item in lost_filesystems(patient)}
    for finding in found:
        for item in shown_devices(patient, finding.evidence):
            yield weigh_lost(finding, use_of(patient, item, names=lost.get(item.device, ())))


def repair(patient: Patient, finding: Finding, change: Change) -> None:
    lost = {item.filesystem.device: item for item in lost_filesystems(patient)}
    for item in shown_devices(patient, finding.evidence):
        if item.device in lost:
            repair_ext(item, change, *_copy(lost[item.device]))


def _copy(lost: LostFilesystem) -> tuple[str, ...]:
    """Options of e2fsck that name the copy."""
    return ("-b", str(lost.block), "-B", str(lost.block_size))


FILESYSTEM_SUPERBLOCK = Fault(
    id=ID,
    title="An ext file system has lost its superblock, but still has a copy of it",
    stage="device",
    tools=("dumpe2fs", "e2fsck"),
    signatures=(
        Signature(
            # A check by the wrong type says the same.
            r"Bad magic number in super-block while trying to open (/dev/\S{1,100})",
            "{0} has no superblock of an ext file system",
            confidence="medium",
        ),
        Signature(r"EXT4-fs \((\S{1,40})\): unable to read superblock", "{0} has no valid superblock"),
        *(
            Signature(pattern, "the root file system {0} was not found", confidence="low")
            for pattern in (
                r"ALERT!\s{1,4}(\S{1,200}) does not exist\.\s{1,4}Dropping to a shell",
                r"Warning: (/dev/(?:disk/by-|mapper/)\S{1,200}) does not exist",
            )
        ),
        Signature(
            r"error: (?:\S{1,80}:\d{1,5}: ?)?no such device: ([0-9a-fA-F-]{1,40})",
            "the boot loader does not find the file system {0} that it needs",
            confidence="medium",
        ),
        Signature(
            r"error: (?:\S{1,80}:\d{1,5}: ?)?unknown filesystem",
            "the boot loader does not recognise the file system that it needs",
            confidence="medium",
        ),
    ),
    detect=detect,
    weigh=weigh,
    repair=repair,
    safe=True,
    words=Words(
        meaning="The beginning of an ext file system was overwritten, as by a tool that was told the wrong disk, and "
        "with it its superblock. The copies farther back are still there.",
        effect="Nothing recognises the file system any more. On the root, the boot ends in the initramfs; on "
        "``/boot``, at the prompt ``grub rescue>``; elsewhere systemd waits for the device and ends in emergency "
        "mode.",
        detection="Where nothing is recognised on a device, a superblock is looked for where mke2fs puts its copies, "
        "and the file system is checked by that copy, without writing.",
        scope="ext2, ext3 and ext4, on partitions, volumes and whole disks. Other types are not looked for, nor disks "
        "that other servers use.",
        remedy="e2fsck writes the superblock anew from the copy, and repairs what goes with it.",
        safety="Safe where the server's root or ``/etc/fstab`` names the file system, and all of it fits to the copy. "
        "A copy outlives its file system: a disk that was wiped, or formatted anew, is reported as ``info``, or its "
        "remedy is left to a person.",
    ),
)
