# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines of /etc/fstab that say another type than the device holds.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..._formats.filesystem_types import BLOCK_TYPES, is_local, same_type, without_foreign_options
from ..._formats.fstab import FstabEntry
from ..model import Fault, Severity, Signature, Words
from .shared.devices import is_kernel_name, names_device
from .shared.duplicates import lines_in_force
from .shared.findings import detector, repairer
from .shared.table import Problem, Table, severity_at_boot, shown

__all__ = ("FSTAB_WRONG_TYPE", "judge_types")

ID = "fstab-wrong-type"

#: what lies at the end of a device beside a file system that can be mounted all the same
_PERHAPS_BESIDE = ("linux_raid_member", "isw_raid_member", "ddf_raid_member", "zfs_member", "LVM2_member")


def judge_types(table: Table) -> list[Problem]:
    return [problem for entry in lines_in_force(table) for problem in _wrong_type(entry, table)]


def _wrong_type(entry: FstabEntry, table: Table) -> t.Iterator[Problem]:
    found = table.device_of(entry).filesystem if is_local(entry.fstype) else None
    if found is None or not found.fstype or same_type(entry.fstype, found.fstype):
        return
    if not (names_device(entry) or found.device == entry.spec):
        return
    what = f"says {shown(entry.fstype)}, but {found.device} holds {shown(found.fstype)}"
    # The root file system is mounted before anybody reads its line.
    severity: Severity = "warning" if entry.place == "/" or entry.is_swap else severity_at_boot(entry)
    if found.fstype in _PERHAPS_BESIDE:
        yield Problem(entry, entry.lines, "info", f"{what} too", certain=False)
        return
    if entry.is_swap or found.fstype not in BLOCK_TYPES:
        yield Problem(entry, entry.lines, severity, f"{what}, which is not to be used like that")
        return
    new, certain = _with_type(entry, found.fstype), not is_kernel_name(entry.spec)
    yield Problem(entry, entry.lines, severity, what, new, f"write {found.fstype}", certain=certain)


def _with_type(entry: FstabEntry, fstype: str) -> str:
    """The line with another type, and without options that only another family knows."""
    fitting = without_foreign_options(entry.raw_options, fstype)
    typed = entry.with_field(2, fstype)
    if len(entry.fields) < 4 or len(fitting) == len(entry.raw_options):
        return typed
    return dataclasses.replace(entry, text=typed).with_options(fitting)


FSTAB_WRONG_TYPE = Fault(
    id=ID,
    title="A line of /etc/fstab says another type than the device holds",
    signatures=(
        Signature(
            # What is at /sysroot is mounted by the initramfs, without a line of fstab.
            r"mount: (/(?!sysroot)\S{0,200}): wrong fs type, bad option, bad superblock on (/dev/\S{1,100}),",
            "{1} could not be mounted at {0} with the type and options of its line",
            confidence="medium",
        ),
        Signature(
            r"mount: (?:/\S{0,200}: )?unknown filesystem type '(\S{1,40})'",
            "a file system is to be mounted as {0}, which the kernel does not know",
        ),
    ),
    detect=detector(ID, judge_types),
    repair=repairer(ID, judge_types),
    safe=True,
    words=Words(
        meaning="A line of ``/etc/fstab`` says ``xfs``, and its device holds ``ext4``, as after it was formatted anew.",
        effect="The mount fails, and the boot ends in emergency mode, unless the line has ``nofail``. The root file "
        "system is mounted before anybody reads its line, so there it is a warning.",
        detection="The type of each line is compared with what is on its device. ``auto``, a newer ext for an older "
        "one and names of the same driver, such as ``vfat`` and ``msdos``, are no mismatch.",
        scope="Every distribution; file systems on devices of the server. A device that has the mark of RAID, LVM or "
        "ZFS beside the file system is reported as ``info`` only.",
        remedy="The line gets the type that is there, and loses the options ``errors=``, ``data=``, ``commit=`` and "
        "``barrier=`` where only ext knows them.",
        safety="Safe, unless the line names the device by a kernel name such as ``/dev/sdb1``, which may mean another "
        "disk at the next boot. There is no remedy for a line of swap, nor for a device that holds no file system, "
        "such as a LUKS container.",
    ),
)
