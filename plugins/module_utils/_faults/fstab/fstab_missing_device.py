# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines of /etc/fstab that name a device which the server does not have, or perhaps does not have.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ..._formats.filesystem_types import same_type
from ..._formats.fstab import FstabEntry
from ..model import Fault, Signature, Words
from .shared.devices import is_kernel_name, names_device
from .shared.duplicates import lines_in_force
from .shared.findings import detector, repairer
from .shared.table import Problem, Table, severity_at_boot, shown

if t.TYPE_CHECKING:
    from ..._patient.patient import Filesystem

__all__ = ("FSTAB_MISSING_DEVICE", "judge_missing")

ID = "fstab-missing-device"


def judge_missing(table: Table) -> list[Problem]:
    """A line that the boot does not wait for may name what is not there; swap only costs the wait."""
    entries = lines_in_force(table)
    used = {found.device for entry in entries for found in [table.device_of(entry).filesystem] if found}
    return [problem for entry in entries for problem in _missing(entry, table, used)]


def _missing(entry: FstabEntry, table: Table, used: t.Collection[str]) -> t.Iterator[Problem]:
    needed = entry.stops_boot or (entry.is_swap and not (entry.nofail or entry.noauto))
    found = table.device_of(entry)
    if not needed or not names_device(entry) or found.filesystem is not None:
        return
    what = f"names {shown(entry.spec)} for {shown(entry.mount_point)}"
    if found.unknown:
        if entry.stops_boot:
            reason = f"{what}; whether the server has it cannot be told: {found.unknown}"
            yield Problem(entry, entry.lines, "info", reason)
        return
    what += ", and the server has no such device"
    certain = not is_kernel_name(entry.spec)
    right = _belongs(entry, table, used)
    if right is not None and right.uuid:
        new, remedy = entry.with_field(0, f"UUID={right.uuid}"), f"name {right.device} instead, which belongs there"
        yield Problem(
            entry, entry.lines, severity_at_boot(entry), what, new, f"{remedy}: UUID={right.uuid}", certain=certain
        )
        return
    remedy = "add nofail, so that the boot goes on without it"
    yield Problem(
        entry,
        entry.lines,
        severity_at_boot(entry),
        what,
        entry.with_nofail(),
        remedy,
        certain=certain,
        optional_place="" if entry.is_swap else entry.place,
    )


def _belongs(entry: FstabEntry, table: Table, used: t.Collection[str]) -> Filesystem | None:
    """The one device that plainly belongs where a line mounts a device that is not there."""
    root = table.root
    # Subvolumes are named as the root file system is.
    named_as_root = table.root_line is not None and table.root_line.spec == entry.spec
    if entry.place == "/" or (root is not None and root.fstype == "btrfs" and named_as_root):
        return root if root is not None and same_type(entry.fstype, root.fstype) else None
    mounted = table.mounted.get(entry.place)
    if mounted is not None:
        return mounted if mounted.device not in used and same_type(entry.fstype, mounted.fstype) else None
    taken = {*used, *([root.device] if root else [])}
    free = [item for item in table.filesystems if item.device not in taken and same_type(entry.fstype, item.fstype)]
    if entry.is_swap:
        return free[0] if len(free) == 1 else None
    free = [item for item in free if item.fstype != "swap" and item.mount_point is None]
    told = [item for item in free if table.last_mounted(item) == entry.place]
    return told[0] if len(told) == 1 else None


FSTAB_MISSING_DEVICE = Fault(
    id=ID,
    title="A line of /etc/fstab names a device that the server does not have",
    signatures=(
        Signature(
            r"Timed out waiting for device (?!.{0,200}tty)(?:\S{1,200} - )?(\S{1,200}?)\.?$",
            "{0} did not appear in time",
            after_initramfs=True,
        ),
    ),
    detect=detector(ID, judge_missing),
    repair=repairer(ID, judge_missing),
    safe=True,
    words=Words(
        meaning="A disk was replaced, detached or formatted anew, and its line in ``/etc/fstab`` still has the old "
        "name.",
        effect="systemd waits for the device, for 90 seconds where nobody has set another time, and ends in emergency "
        "mode. A line of swap costs the wait only.",
        detection="The device of each line that the boot waits for is looked up on the server's disks. Where a "
        "container is locked, a disk is not attached or ``/etc/crypttab`` opens the device at boot, nobody can tell: "
        "that is reported as ``info``, and not repaired. A line with ``nofail`` or ``noauto`` is no finding.",
        scope="Every distribution. UUIDs and labels, also of partitions, kernel names and LVM volumes are looked up; "
        "network, bind and loop mounts, ``/dev/disk/by-path`` and ``by-id``, multipath and ``/dev/md`` are not.",
        remedy="If one file system plainly belongs there, the line names its UUID: the root file system at ``/``, "
        "what was recognised as the content of that mount point, the ext file system that was mounted there last, or "
        "the only swap that no line names. Otherwise the line gets ``nofail``.",
        safety="Naming the device that belongs there is safe. ``nofail`` is safe for swap, for media that come and go "
        "(``/media``, ``/cdrom``), and beneath ``/mnt`` where nothing in the server's configuration names the mount "
        "point. Elsewhere a service could start on an empty directory, so a person decides. A kernel name such as "
        "``/dev/sdb1`` may mean another disk at the next boot: then neither is safe.",
    ),
)
