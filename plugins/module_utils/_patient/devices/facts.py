# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the graph of devices to what faults see of it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import os
import typing as t

from ..._text import printable
from ..patient import Filesystem, Patient
from .graph import Closed
from .layout import describe
from .lookup import Surroundings
from .stack import Stack
from .survey import Block, Survey, seeds

__all__ = ("Attached", "Devices", "attached", "filesystem_of", "names_of", "surroundings")


@dataclasses.dataclass(frozen=True)
class Attached:
    """What the provider's list of disks says of those that are here, and of those that are not.

    :param shared: kernel names of disks that other servers use at this moment.
    """

    shared: frozenset[str] = frozenset()
    closed: tuple[Closed, ...] = ()


def attached(
    server_disks: t.Sequence[t.Mapping[str, t.Any]],
    found: Survey,
    *,
    resolve: t.Callable[[str], str] = os.path.realpath,
) -> Attached:
    """Compare the provider's list with what is here.

    :param resolve: where a link such as ``/dev/disk/by-id/virtio-…`` leads.
    """
    by_path = {f"/dev/{name}": name for name in found.tops}
    closed, shared, told, lost = [], set(), set(), False
    for disk in server_disks:
        name = printable(str(disk.get("target") or disk.get("source") or disk.get("serial") or "a disk"), limit=80)
        kname = by_path.get(resolve(str(disk.get("device") or "")))
        if kname:
            told.add(kname)
        if disk.get("hidden"):
            closed.append(Closed("absent", f"the server's disk {name} is not attached to the rescue system"))
        elif disk.get("shared"):
            shared |= {kname} if kname else set()
            lost = lost or kname is None
    # One that cannot be told from the others may be any of those of which nothing is known.
    shared |= set(found.tops) - told if lost else set()
    return Attached(frozenset(shared), tuple(closed))


class Devices:
    """The graph as faults see it: file systems for its ends, and back to the devices that they are on.

    :param listed: what the provider says of the disks.
    """

    def __init__(self, stack: Stack, listed: Attached) -> None:
        self._stack = stack
        self._listed = listed

    def tell(self, patient: Patient) -> None:
        """Fill the patient's devices from the graph."""
        ends = [self.filesystem(block) for block in self._stack.ends()]
        patient.filesystems = tuple(item for item in ends if item.fstype)
        patient.blank = tuple(item for item in ends if not item.fstype)
        patient.members = tuple(self.filesystem(block) for block in self._stack.members())
        patient.uncertain = tuple(printable(item.text) for item in self.closed())
        patient.around = surroundings(self._stack, shifted=bool(seeds(self._stack.found)))
        patient.layout = describe(self._stack, ends)
        patient.disks = tuple(self._stack.found.blocks[name].path for name in self._stack.found.tops)

    def closed(self) -> list[Closed]:
        """What of the server is not open here, or not here at all."""
        return [*self._stack.closed(), *self._listed.closed]

    def filesystem(self, block: Block) -> Filesystem:
        return filesystem_of(block, self._stack, shared=self._listed.shared)

    def block(self, device: str) -> Block:
        return next(block for block in self._stack.found.blocks.values() if block.path == device)

    def covers(self, filesystem: Filesystem) -> list[Block]:
        """Every device that has a layer which takes what is written to this file system, in order."""
        block = self.block(filesystem.device)
        unit = self._stack.unit_of(block)
        others = unit.members[1:] if unit and unit.kind == "btrfs" else ()
        parts = [block, *(self._stack.found.blocks[name] for name in others)]
        covers = {cover.kname: cover for part in parts for cover in self._stack.covers(part)}
        return [covers[name] for name in sorted(covers)]

    def why_read_only(self, filesystem: Filesystem) -> str:
        """Why nothing may be written to it, by what it lies on; empty if it may."""
        if filesystem.shared:
            return "other servers use its disk at this moment"
        split = [unit for unit in self._stack.units_needed(self.block(filesystem.device)) if unit.split]
        if split:
            return f"{split[0].title} lacks {', '.join(split[0].missing)}, and what is written now would not be there"
        return ""


def surroundings(stack: Stack, *, shifted: bool) -> Surroundings:
    whole = [unit.name for unit in stack.units if unit.kind == "group" and not unit.missing]
    return Surroundings(
        disks=stack.found.tops,
        shifted=shifted,
        groups=tuple(whole),
        arrays=any(unit.kind == "array" for unit in stack.units),
    )


def filesystem_of(block: Block, stack: Stack, *, shared: t.Collection[str] = ()) -> Filesystem:
    values = block.signature
    parts = stack.found.made_of(block.kname)
    top = next(index for index, name in enumerate(stack.found.tops) if name in parts)
    unit = stack.unit_of(block)
    several = unit.members[1:] if unit and unit.kind == "btrfs" and block.kname in unit.members else ()
    others = [stack.found.blocks[name] for name in several]
    units = [one for one in stack.units if one.kind != "btrfs" and set(one.members) & parts - {block.kname}]
    members = {name for one in (block, *others) for name in stack.found.made_of(one.kname)}
    return Filesystem(
        device=block.path,
        reading_device=stack.reading(block),
        fstype=block.fstype,
        uuid=values.get("UUID"),
        label=values.get("LABEL"),
        partuuid=values.get("PART_ENTRY_UUID"),
        partlabel=values.get("PART_ENTRY_NAME"),
        size=block.size,
        writable=stack.is_covered(block),
        aliases=tuple(sorted({name for one in (block, *others) for name in names_of(one, stack)} - {block.path})),
        # A volume hangs on disks but is no partition of one.
        number=(top, int(values.get("PART_ENTRY_NUMBER", "0"))) if block.type in ("disk", "part", "loop") else None,
        others=tuple(stack.reading(one) for one in others),
        shared=bool(members & set(shared)),
        snapshot=any(stack.found.blocks[name].mapping.endswith("-cow") for name in block.parents),
        unit=units[-1].uuid if units else "",
    )


def names_of(block: Block, stack: Stack) -> list[str]:
    """Other names of the same device."""
    names = [f"/dev/{block.kname.replace('!', '/')}", block.path]
    if block.kname.startswith("dm-"):
        names.append(f"/dev/mapper/{block.name}")
        if block.type == "lvm":
            # A dash inside a name is doubled in the mapping's name.
            group, _dash, volume = block.name.replace("--", "\0").partition("-")
            names.append(f"/dev/{group}/{volume}".replace("\0", "-"))
    if block.kname.startswith("md") and block.type != "part":
        parts = stack.found.made_of(block.kname)
        own = [unit for unit in stack.units if unit.kind == "array" and set(unit.members) & parts]
        for unit in own[-1:]:
            name = unit.name.rpartition(":")[2]
            names += [f"/dev/md/{name}", *([f"/dev/md{name}"] if name.isdecimal() else [])]
    return names
