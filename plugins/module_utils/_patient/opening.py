# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Opening a patient: from block devices to one tree, and back to nothing, without changing one bit.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import typing as t

from .._errors import OpenRescueError
from .devices.assembly import MEMBERS, assemble
from .devices.layers import Layers
from .devices.layout import describe
from .devices.survey import OVERLAY_PREFIX, Block, Survey, probe, survey
from .patient import Filesystem, Patient
from .tools import Tools
from .tree.mounts import Mounts

__all__ = ("WORK", "View")

#: on memory, and away with the next boot of the rescue system
WORK = "/run/openrescue"

_UNTOUCHED = ("swap", "crypto_LUKS")
_BIOS_BOOT = "21686148-6449-6e6f-744e-656564454649"
_SMALLEST = 64 * 1024


class View:
    """The patient's disks, opened.

    :param only: devices that the user named; empty for all that are not the rescue system's own.
    :param root: the device with the patient's root, where there are several.
    :param trial: writes are taken, and thrown away.
    :param target: where the tree is mounted for others to see; by default it is seen by this process only,
        which has to have called :func:`~.syscalls.private_mounts` before.
    """

    def __init__(
        self,
        *,
        tools: Tools,
        only: t.Sequence[str] = (),
        root: str | None = None,
        trial: bool = False,
        target: str | None = None,
    ) -> None:
        self._tools = tools
        self._only = tuple(only)
        self._root = root
        self._trial = trial
        self._tag = "mount" if target else "run"
        self._ignored = (WORK, target) if target else (WORK,)
        work = os.path.join(WORK, self._tag)
        self.mounts = Mounts(work=work, target=target or os.path.join(work, "tree"))
        self._layers = Layers(
            tools=tools, tag=self._tag, folder=self.mounts.memory, state=os.path.join(WORK, f"{self._tag}.json")
        )
        self._found = Survey({})
        self._opened_up: set[str] = set()
        self.patient = Patient(tools=tools)

    @property
    def access(self) -> dict[str, str]:
        """How the disk is kept as it is: ``overlay`` or ``read_only``, and why not the former."""
        reason = self._layers.reason
        return {"strategy": "read_only" if reason else "overlay", "reason": reason}

    @property
    def has_layers(self) -> bool:
        return not self._layers.reason

    @contextlib.contextmanager
    def opened(self) -> t.Iterator[View]:
        try:
            self.open()
            yield self
        finally:
            self.close()

    def open(self) -> None:
        """To the device stage: layers laid, RAID and LVM put together, nothing of the patient mounted."""
        self.close()  # what was open before, or what a killed run left behind
        self.patient.drop_facts()
        self.patient.notes = []
        self.mounts.prepare()
        self._survey()
        if not self._found.tops:
            raise OpenRescueError(
                "there is no disk here but the rescue system's own",
                code="no_patient",
                hint="Attach the server's disk, or name it with 'devices'",
            )
        self._layers.protect(self._found.patients())
        self._layers.open_up([self._found.blocks[name] for name in self._lines()])
        bottoms = self._bottoms()
        self._layers.lay([block for block in bottoms if block.kname not in self._opened_up])
        self._assemble()
        self._list()

    def mount(self, *, read_only: bool = False) -> None:
        """To the tree stage; ``patient.root`` is None afterwards if there is no operating system.

        :param read_only: mount nothing for writing, not even layers.
        """
        patient = self.patient
        patient.drop_facts()
        trial = self._trial and not read_only
        writable = {item.device for item in patient.filesystems if self._is_open(item) and not read_only}
        if trial:
            writable |= {item.device for item in patient.filesystems if item.writable}
        self.mounts.mount(patient, root=self._root, writable=writable, trial=trial and not self.has_layers)
        patient.layout = describe(self._found, self._shown(), (*patient.filesystems, *patient.blank))

    def mount_for_others(self, *, writable: bool) -> None:
        """Mount the tree at a place that everybody sees, or raise if there is none.

        :param writable: let all writes through to the disks, and let programs run.
        """
        if writable:
            self._opened_up = {block.kname for block in self._bottoms()}
            self.open()
        self.mount()
        if self.patient.root is None:
            raise OpenRescueError(
                "the disk holds no operating system",
                code="no_root",
                hint="; ".join(self.patient.notes) or "Look at it with openrescue.server.disk_diagnose",
            )
        if writable:
            self.mounts.allow_programs()

    def leave(self) -> None:
        """End without closing: what is open stays so."""
        self._layers.leave()

    def close(self) -> None:
        """Leave nothing active, whatever state this is in."""
        self.patient.opened_tree = None
        self.mounts.unmount()
        self._layers.remove()
        self.mounts.remove()

    def make_writable(self, filesystem: Filesystem, *, mount: bool = True) -> None:
        """From here on writes to this file system reach the disk. Everything else stays as it is."""
        if self._trial or self._is_open(filesystem):
            return
        self._opened_up |= self._bottoms_of(filesystem)
        self.open()
        if mount:
            self.mount()

    def layers_of(self, filesystem: Filesystem) -> list[tuple[Filesystem, str, str]]:
        """The devices beneath a file system that have layers: each with the path of its layer, and of the store."""
        return [
            (self._filesystem(self._found.blocks[name]), self._layers.snapshots[name], self._layers.stores[name])
            for name in sorted(self._bottoms_of(filesystem))
            if name in self._layers.snapshots
        ]

    def bottoms(self) -> list[Filesystem]:
        """Every device of the patient that is written to directly, what is only a part of something included."""
        return [
            self._filesystem(block) for block in self._found.patients() if not block.name.startswith(OVERLAY_PREFIX)
        ]

    def seal(self) -> None:
        """Close all that was opened for writing; back to the device stage, with the disk as it is now.

        A trial has nothing open, and goes on with what it has tried so far.
        """
        if not self._trial:
            self._opened_up = set()
            self.open()

    @property
    def is_mounted(self) -> bool:
        return self.patient.opened_tree is not None

    @property
    def is_trial(self) -> bool:
        return self._trial

    @property
    def stages_in_place(self) -> bool:
        """Whether what a program writes on the stage is in the tree at once, since all of it is thrown away."""
        return self._trial and self.has_layers

    @contextlib.contextmanager
    def stage(self) -> t.Iterator[str]:
        """The whole tree, for one of the patient's programs to run in; what it writes never reaches the disk.

        Where there are layers it is the layers themselves, for programs such as grub-probe want to see a
        device under the root and not an overlay. They are fresh ones then: a layer over a device that is
        being written would be wrong.
        """
        if not self.has_layers:
            with self.mounts.stage() as top:
                yield top
        elif self._trial:
            with self.mounts.executable() as top:
                yield top
        else:
            with self._as_trial(), self.mounts.executable() as top:
                yield top

    @contextlib.contextmanager
    def _as_trial(self) -> t.Iterator[None]:
        opened_up, self._opened_up, self._trial = self._opened_up, set(), True
        try:
            self.open()
            self.mount()
            yield
        finally:
            self._opened_up, self._trial = opened_up, False
            self.open()
            self.mount()

    def open_device(self, device: Filesystem) -> None:
        """Let writes through to one device itself, with nothing mounted."""
        self._opened_up.add(self._block(device).kname)
        self.open()

    def refresh(self) -> None:
        """Look again at what is on the devices: a repair may have brought a file system back."""
        patient = self.patient
        patient.drop_facts()
        known = (*patient.filesystems, *patient.blank)
        signatures = probe(self._tools, [item.reading_device for item in known])
        for item in known:
            block = self._block(item)
            fresh = {**block.signature, **signatures.get(item.reading_device, {})}
            blocks = {**self._found.blocks, block.kname: dataclasses.replace(block, signature=fresh)}
            self._found = dataclasses.replace(self._found, blocks=blocks)
        self._list()

    def check_layers(self) -> None:
        """Raise if the memory for a throw-away layer ran out, since what is read from it then is wrong."""
        self._layers.check()

    def _survey(self) -> None:
        self._found = survey(self._tools, only=self._only, ignore_mounts_below=self._ignored)

    def _assemble(self) -> None:
        """RAID first, LVM on it next: as long as there is something new to put together."""
        done: set[str] = set()
        while True:
            members = [
                (block, self._reading(block))
                for block in self._found.patients()
                if block.fstype in MEMBERS and block.kname not in done and not self._children(block)
            ]
            # LVM needs device-mapper as our layers do; without, its volumes stay closed.
            members = [member for member in members if not member[0].name.startswith(OVERLAY_PREFIX)]
            if not members or self._layers.reason:
                return
            done |= {block.kname for block, _uuid in members}
            self.patient.notes.extend(assemble(self._tools, members, writable=self._opened_up))
            self._survey()

    def _bottoms(self) -> list[Block]:
        """What gets a layer: every device that nothing is built on yet, and that may be written by looking."""
        return [
            block
            for block in self._found.patients()
            if block.size >= _SMALLEST
            and not self._found.children(block.kname)
            and block.fstype not in _UNTOUCHED
            and "PTTYPE" not in block.signature
            and block.signature.get("PART_ENTRY_TYPE", "") != _BIOS_BOOT
        ]

    def _bottoms_of(self, filesystem: Filesystem) -> set[str]:
        above = self._found.above(self._block(filesystem).kname)
        return {
            name
            for name in above
            if name in self._layers.snapshots or (self._layers.reason and name == self._block(filesystem).kname)
        }

    def _is_open(self, filesystem: Filesystem) -> bool:
        return bool(self._found.above(self._block(filesystem).kname) & self._opened_up)

    def _lines(self) -> list[str]:
        """What is opened up, with the disks beneath: a partition of a read-only disk is read-only."""
        return sorted({name for opened in self._opened_up for name in self._found.above(opened)})

    def _block(self, filesystem: Filesystem) -> Block:
        return next(block for block in self._found.blocks.values() if block.path == filesystem.device)

    def _reading(self, block: Block) -> str:
        return self._layers.snapshots.get(block.kname, f"/dev/{block.kname}")

    def _children(self, block: Block) -> list[Block]:
        """What is built on this device, our layers left out."""
        found: list[Block] = []
        for child in self._found.children(block.kname):
            found.extend(self._children(child) if child.name.startswith(OVERLAY_PREFIX) else [child])
        return found

    def _shown(self) -> dict[str, list[str]]:
        return {block.kname: [child.kname for child in self._children(block)] for block in self._found.patients()}

    def _list(self) -> None:
        """Fill the patient's file systems and blank devices from the survey."""
        ends = [
            self._filesystem(block)
            for block in self._found.patients()
            if not block.name.startswith(OVERLAY_PREFIX)
            and block.size >= _SMALLEST
            and not self._children(block)
            and "PTTYPE" not in block.signature
            and block.fstype not in MEMBERS
            and block.signature.get("PART_ENTRY_TYPE", "") != _BIOS_BOOT
        ]
        patient = self.patient
        patient.filesystems = tuple(item for item in ends if item.fstype)
        patient.blank = tuple(item for item in ends if not item.fstype)
        patient.layout = describe(self._found, self._shown(), ends)
        patient.disks = tuple(self._found.blocks[name].path for name in self._found.tops)

    def _filesystem(self, block: Block) -> Filesystem:
        values = block.signature
        above = self._found.above(block.kname)
        top = next(index for index, name in enumerate(self._found.tops) if name in above)
        layered = any(self._found.blocks[name].name.startswith(OVERLAY_PREFIX) for name in above)
        return Filesystem(
            device=block.path,
            reading_device=self._reading(block),
            fstype=block.fstype,
            uuid=values.get("UUID"),
            label=values.get("LABEL"),
            partuuid=values.get("PART_ENTRY_UUID"),
            partlabel=values.get("PART_ENTRY_NAME"),
            size=block.size,
            # An array is assembled read-only, unless it is opened up.
            writable=block.kname in self._layers.snapshots or (layered and not any(n.startswith("md") for n in above)),
            aliases=tuple(sorted({f"/dev/{block.kname}", *_mapper_names(block)})),
            number=(top, int(values.get("PART_ENTRY_NUMBER", "0"))),
        )


def _mapper_names(block: Block) -> list[str]:
    """``/dev/mapper/group-volume`` and ``/dev/group/volume``; a dash inside a name is doubled in the former."""
    if not block.kname.startswith("dm-"):
        return []
    names = [f"/dev/mapper/{block.name}"]
    if block.type == "lvm":
        group, _dash, volume = block.name.replace("--", "\0").partition("-")
        names.append(f"/dev/{group}/{volume}".replace("\0", "-"))
    return names
