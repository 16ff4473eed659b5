# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is part of what: volume groups, arrays, encrypted containers, file systems over several devices. Pure.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..._formats.lvm import VolumeGroup
from ..._formats.superblocks import BtrfsMember, MdMember
from ..._text import printable
from .survey import Block

__all__ = ("CONTAINERS", "Closed", "Label", "PhysicalVolume", "Unit", "is_container", "units_of", "unsupported")

#: what libblkid calls a part or the outside of something larger, and what that is
CONTAINERS = {
    "LVM2_member": "LVM",
    "linux_raid_member": "RAID",
    "crypto_LUKS": "LUKS",
    "zfs_member": "ZFS",
    "BitLocker": "BitLocker",
    "bcache": "bcache",
    "drbd": "DRBD",
    "LVM1_member": "LVM 1",
    "isw_raid_member": "RAID of the firmware",
    "ddf_raid_member": "RAID of the firmware",
    "bcachefs": "bcachefs",
    "VMFS": "VMFS",
    "stratis": "Stratis",
    "DM_verity_hash": "dm-verity",
    "DM_integrity": "dm-integrity",
}
_OPENED = ("LVM2_member", "linux_raid_member", "crypto_LUKS")

Kind = t.Literal["group", "array", "luks", "btrfs"]
_WORDS: dict[Kind, str] = {"group": "volume group", "array": "array", "luks": "LUKS", "btrfs": "btrfs"}


@dataclasses.dataclass(frozen=True)
class PhysicalVolume:
    """A member of a volume group; the group is None where this member does not describe it."""

    uuid: str
    group: VolumeGroup | None


Label = t.Union[PhysicalVolume, MdMember, BtrfsMember]


@dataclasses.dataclass(frozen=True)
class Closed:
    """Something of the server that is not open here, as people call it, and why."""

    kind: t.Literal["locked", "incomplete", "unsupported", "absent"]
    text: str


@dataclasses.dataclass(frozen=True)
class Unit:
    """What is opened whole: its members are read together and written together, or not at all.

    :param members: kernel names, in the order of the survey; a double of another member is no member.
    :param doubles: kernel names of copies of members, such as a disk that was cloned.
    :param missing: what it lacks, in words.
    :param split: whether a member is missing of which the others do not know, so that the two would part company.
    """

    kind: Kind
    uuid: str
    name: str
    members: tuple[str, ...]
    doubles: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    split: bool = False
    group: VolumeGroup | None = None

    @property
    def title(self) -> str:
        return f"{_WORDS[self.kind]} {printable(self.name, limit=80)}"


def is_container(block: Block) -> bool:
    """Whether what is on it is no file system but the outside of something."""
    return block.fstype in CONTAINERS or block.signature.get("USAGE") in ("raid", "crypto")


def units_of(blocks: t.Sequence[Block], labels: t.Mapping[str, Label]) -> tuple[Unit, ...]:
    """The units that these devices make up.

    :param labels: kernel name -> what the member's own label says.
    """
    groups: dict[str, list[str]] = {}
    arrays: dict[str, list[str]] = {}
    filesystems: dict[str, list[str]] = {}
    units: list[Unit] = []
    whole = _groups(labels)
    for block in blocks:
        label = labels.get(block.kname)
        if isinstance(label, PhysicalVolume):
            group = next((one for one in whole.values() if label.uuid in one.physical), None)
            groups.setdefault(group.uuid if group else "", []).append(block.kname)
        elif isinstance(label, MdMember):
            arrays.setdefault(label.uuid, []).append(block.kname)
        elif isinstance(label, BtrfsMember):
            filesystems.setdefault(label.uuid, []).append(block.kname)
        elif block.fstype == "crypto_LUKS":
            units.append(Unit("luks", block.signature.get("UUID", ""), block.path, (block.kname,)))
    units += [_group(whole[uuid], names, labels) for uuid, names in groups.items() if uuid]
    units += [_array(uuid, names, labels) for uuid, names in arrays.items()]
    units += [_btrfs(uuid, names, labels) for uuid, names in filesystems.items()]
    return tuple(units)


def _groups(labels: t.Mapping[str, Label]) -> dict[str, VolumeGroup]:
    """Each group by its newest description."""
    found: dict[str, VolumeGroup] = {}
    for label in labels.values():
        if isinstance(label, PhysicalVolume) and label.group:
            known = found.get(label.group.uuid)
            if known is None or known.seqno < label.group.seqno:
                found[label.group.uuid] = label.group
    return found


def _once(names: t.Sequence[str], key: t.Callable[[str], t.Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The first of each key, and the doubles."""
    first: dict[t.Any, str] = {}
    for name in names:
        first.setdefault(key(name), name)
    return tuple(first.values()), tuple(name for name in names if name not in first.values())


def _group(group: VolumeGroup, names: t.Sequence[str], labels: t.Mapping[str, Label]) -> Unit:
    ids = {name: t.cast("PhysicalVolume", labels[name]).uuid for name in names}
    members, doubles = _once(names, lambda name: ids[name])
    missing = [
        f"the physical volume {uuid}" + (f" (last seen as {printable(device, limit=60)})" if device else "")
        for uuid, device in group.physical.items()
        if uuid not in ids.values()
    ]
    return Unit("group", group.uuid, group.name, members, doubles, tuple(missing), group=group)


def _array(uuid: str, names: t.Sequence[str], labels: t.Mapping[str, Label]) -> Unit:
    views = {name: t.cast("MdMember", labels[name]) for name in names}
    members, doubles = _once(names, lambda name: views[name].number)
    newest = max(views.values(), key=lambda view: view.events)
    fresh = {view.role for view in views.values() if view.role is not None and view.events >= newest.events - 1}
    lacking = newest.places - len(fresh)
    missing = (f"{lacking} of its {newest.places} members",) if lacking > 0 else ()
    return Unit("array", uuid, newest.name, members, doubles, missing, split=newest.filled > len(fresh))


def _btrfs(uuid: str, names: t.Sequence[str], labels: t.Mapping[str, Label]) -> Unit:
    views = {name: t.cast("BtrfsMember", labels[name]) for name in names}
    members, doubles = _once(names, lambda name: views[name].device)
    newest = max(views.values(), key=lambda view: view.generation)
    lacking = newest.devices - len(members)
    missing = (f"{lacking} of its {newest.devices} devices",) if lacking > 0 else ()
    return Unit("btrfs", uuid, uuid, members, doubles, missing, split=bool(missing))


def unsupported(blocks: t.Iterable[Block]) -> list[Closed]:
    """What nobody opens here."""
    found = []
    for block in blocks:
        kind = CONTAINERS.get(block.fstype, block.fstype)
        if is_container(block) and block.fstype not in _OPENED:
            state: t.Literal["locked", "unsupported"] = "locked" if block.fstype == "BitLocker" else "unsupported"
            found.append(Closed(state, f"{block.path} holds {printable(kind, limit=40)}, which is not opened here"))
        elif block.type == "mpath" or block.kname.startswith(("bcache", "drbd", "zd", "rbd")):
            found.append(Closed("unsupported", f"{block.path} ({block.type}) is not opened here"))
    return found
