# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The patient's devices put together: a throw-away layer over all that is not to be written, units opened whole.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..._formats.lvm import VolumeGroup
from ..._text import printable
from ..tools import Tools
from .assembly import FIRST_ARRAY, Assembly, Failed, WrongPassphrase, assemble
from .graph import Closed, Unit, is_container, units_of, unsupported
from .labels import read_labels
from .layers import Layers
from .survey import Block, Survey, probe, survey

__all__ = ("Stack",)

_BIOS_BOOT = "21686148-6449-6e6f-744e-656564454649"
_SMALLEST = 64 * 1024
#: volumes that hold others, and the bond between a snapshot and its origin: none has a device of its own name
_WITHOUT_DEVICE = {"thin-pool", "cache-pool", "vdo-pool", "snapshot"}


class Stack:
    """All block devices of the patient, and how they hang together.

    :param only: devices that the user named; empty for all that are not the rescue system's own.
    :param ignored: mounts under these paths do not count as use by the running system.
    :param passphrases: for what is locked.
    """

    def __init__(
        self,
        *,
        tools: Tools,
        layers: Layers,
        only: t.Sequence[str],
        ignored: t.Sequence[str],
        passphrases: t.Sequence[str],
    ) -> None:
        self._tools = tools
        self._layers = layers
        self._only = only
        self._ignored = ignored
        self._passphrases = passphrases
        self.found = Survey({})
        self.units: tuple[Unit, ...] = ()
        #: UUID of a unit -> why it did not come up
        self.failed: Failed = {}
        self._opened: frozenset[str] = frozenset()
        self._numbers: dict[str, int] = {}

    def look(self) -> None:
        self.found = survey(self._tools, only=self._only, ignore_mounts_below=self._ignored)
        self.units, self.failed = (), {}

    def build(self, *, opened: t.Collection[str]) -> None:
        """Lay the layers and put together what can be, as long as there is something new.

        :param opened: paths of devices that are written to, with all that they are made of.
        """
        self._opened = frozenset(opened)
        blocks = self.blocks()
        self._layers.keep([block for block in blocks if block.kname.startswith(("dm-", "md"))])
        self._layers.protect(blocks)
        self._layers.open_up([block for block in blocks if block.path in opened])
        tried: set[str] = set()
        while True:
            self._layers.lay([block for block in self.blocks() if self._needs_layer(block)])
            self._relate()
            todo = [] if self._layers.reason else [unit for unit in self.units if self._is_due(unit, tried)]
            if not todo:
                return
            tried |= {unit.uuid for unit in todo}
            wanted = [self._assembly(unit) for unit in todo]
            self._layers.build_on({path for item in wanted for path in item.paths})
            self.failed.update(assemble(self._tools, wanted, passphrases=self._passphrases))
            self.found = survey(self._tools, only=self._only, ignore_mounts_below=self._ignored, known=self.found)

    def blocks(self) -> list[Block]:
        """Every device of the patient; our layers are none of its own."""
        return [block for block in self.found.patients() if not block.is_layer]

    def children(self, block: Block) -> list[Block]:
        """What is built on this device, our layers left out."""
        found: list[Block] = []
        for child in self.found.children(block.kname):
            found.extend(self.children(child) if child.is_layer else [child])
        return found

    def ends(self) -> list[Block]:
        """What can hold something by itself: nothing is built on it, and it is part of nothing."""
        folded = {name for unit in self.units if unit.kind == "btrfs" for name in (*unit.members[1:], *unit.doubles)}
        return [block for block in self._leaves() if not is_container(block) and block.kname not in folded]

    def members(self) -> list[Block]:
        """What is only a part of something, or the outside of it."""
        ends = {block.kname for block in self.ends()}
        leaves = {block.kname for block in self._leaves()}
        return [
            block
            for block in self.blocks()
            if block.kname not in ends and block.fstype and (is_container(block) or block.kname in leaves)
        ]

    def unit_of(self, block: Block) -> Unit | None:
        """The unit that it is a member of."""
        return next((unit for unit in self.units if block.kname in (*unit.members, *unit.doubles)), None)

    def units_needed(self, block: Block) -> list[Unit]:
        """All units that this device hangs on, its own included."""
        needed = self.closure([block])
        return [unit for unit in self.units if any(self.found.blocks[name].path in needed for name in unit.members)]

    def closure(self, blocks: t.Iterable[Block]) -> set[str]:
        """Paths of these devices and of all that has to be opened with them: units whole, down to the disks."""
        found: set[str] = set()
        pending = list(blocks)
        while pending:
            block = pending.pop()
            if block.path in found:
                continue
            found.add(block.path)
            parts = self._parts(block)
            names = {parent.kname for parent in parts}
            whole = [
                unit
                for unit in self.units
                if (block.kname in unit.members if unit.kind == "btrfs" else names & set(unit.members))
            ]
            pending.extend(parts)
            pending.extend(self.found.blocks[name] for unit in whole for name in unit.members)
        return found

    def reading(self, block: Block) -> str:
        return self._layers.snapshots.get(block.kname, f"/dev/{block.kname.replace('!', '/')}")

    def is_covered(self, block: Block) -> bool:
        """Whether what is written to it ends in a layer."""
        if block.kname in self._layers.snapshots:
            return True
        if block.path in self._opened or block.type.startswith("raid") or block.type in ("linear", "crypt"):
            return False  # an array and an unlocked container take no writes unless they are opened
        return any(parent.is_layer or self.is_covered(parent) for parent in self._parents(block))

    def covers(self, block: Block) -> list[Block]:
        """The devices whose layers take what is written to this one."""
        if block.kname in self._layers.snapshots:
            return [block]
        return [found for parent in self._parts(block) for found in self.covers(parent)]

    def refresh(self) -> None:
        """Read again what is on the devices."""
        known = self._leaves()
        signatures = probe(self._tools, [self.reading(block) for block in known])
        blocks = dict(self.found.blocks)
        for block in known:
            fresh = {**block.signature, **signatures.get(self.reading(block), {})}
            blocks[block.kname] = dataclasses.replace(block, signature=fresh)
        self.found = dataclasses.replace(self.found, blocks=blocks)
        self._relate()

    def closed(self) -> list[Closed]:
        """What of the patient is not open here."""
        found = unsupported(self.blocks())
        for unit in self.units:
            if unit.missing:
                found.append(Closed("incomplete", f"{unit.title} is incomplete: it lacks {', '.join(unit.missing)}"))
            built = any(self.children(self.found.blocks[name]) for name in unit.members)
            if unit.kind == "luks" and not built:
                found.append(self._locked(unit))
            elif unit.kind == "array" and not built and not unit.missing:
                reason = self._why(unit) or "nobody knows why"
                found.append(Closed("unsupported", f"{unit.title} did not come up: {reason}"))
            elif unit.group and not unit.missing:
                found += self._asleep(unit, unit.group)
        return found

    def _locked(self, unit: Unit) -> Closed:
        """A container that is not open; where the tool failed, another passphrase is no way out."""
        error = self.failed.get(unit.uuid)
        if error is not None and not isinstance(error, WrongPassphrase):
            return Closed("unsupported", f"{unit.name} could not be unlocked (LUKS): {error}")
        return Closed("locked", f"{unit.name} is locked (LUKS)" + (f" ({error.message})" if error else ""))

    def _why(self, unit: Unit) -> str:
        """Why a unit did not come up, as far as anybody knows."""
        error = self.failed.get(unit.uuid)
        return error.message if error else self._layers.reason

    def _asleep(self, unit: Unit, group: VolumeGroup) -> list[Closed]:
        """Volumes of a whole group that are not active all the same."""
        here = {block.path for block in self.blocks()}
        names = [
            volume.name
            for volume in group.volumes
            if _volume_path(group.name, volume.name) not in here and not set(volume.types) & _WITHOUT_DEVICE
        ]
        reason = self._why(unit) or "they may need tools that are missing here"
        shown = ", ".join(printable(name, limit=60) for name in names[:5]) + (", …" if names[5:] else "")
        return [Closed("unsupported", f"volumes of {unit.title} did not come up: {shown} ({reason})")] if names else []

    def _leaves(self) -> list[Block]:
        return [
            block
            for block in self.blocks()
            if block.size >= _SMALLEST
            and not block.is_inner
            and "PTTYPE" not in block.signature
            and block.signature.get("PART_ENTRY_TYPE", "") != _BIOS_BOOT
            and not self.children(block)
        ]

    def _needs_layer(self, block: Block) -> bool:
        return (
            block.size >= _SMALLEST
            and block.fstype not in ("swap", "crypto_LUKS")
            and "PTTYPE" not in block.signature
            and block.signature.get("PART_ENTRY_TYPE", "") != _BIOS_BOOT
            and block.path not in self._opened
            and not block.is_inner
            and not self.found.children(block.kname)
            and not self.is_covered(block)
        )

    def _relate(self) -> None:
        blocks = [block for block in self.blocks() if not block.is_inner]
        self.units = units_of(blocks, read_labels(blocks, self.reading))

    def _is_due(self, unit: Unit, tried: t.Container[str]) -> bool:
        built = any(self.children(self.found.blocks[name]) for name in unit.members)
        locked = unit.kind == "luks" and not self._passphrases
        return unit.kind != "btrfs" and unit.uuid not in tried and not built and not locked

    def _assembly(self, unit: Unit) -> Assembly:
        members = [self.found.blocks[name] for name in unit.members]
        writable = all(block.path in self._opened for block in members)
        volumes = [volume.name for volume in unit.group.volumes] if unit.group else []
        return Assembly(
            unit,
            tuple(self.reading(block) for block in members),
            number=self._numbers.setdefault(unit.uuid, FIRST_ARRAY + len(self._numbers)) if unit.kind == "array" else 0,
            writable=writable,
            volumes=tuple(name for name in volumes if _volume_path(unit.name, name) in self._opened),
        )

    def _parents(self, block: Block) -> list[Block]:
        """What it is made of; where our layers keep what was changed is no part of the patient."""
        own = {one.kname for one in self.found.patients()}
        return [self.found.blocks[name] for name in block.parents if name in own]

    def _parts(self, block: Block) -> list[Block]:
        """What it is made of, our layers left out."""
        found: list[Block] = []
        for parent in self._parents(block):
            found.extend(self._parts(parent) if parent.is_layer else [parent])
        return found


def _volume_path(group: str, volume: str) -> str:
    """A dash inside a name is doubled."""
    return f"/dev/mapper/{group.replace('-', '--')}-{volume.replace('-', '--')}"
