# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Opening a patient: from block devices to one tree, and back to nothing, without changing one bit.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import os
import typing as t

from .._errors import OpenRescueError
from .checkup import EXT, certain_damage
from .devices.facts import Attached, Devices, attached
from .devices.layers import Layers
from .devices.layout import describe
from .devices.stack import Stack
from .patient import Filesystem, Patient
from .rootless import NotWritten, SharedDisk, StillDamaged
from .syscalls import forget_btrfs
from .tools import Tools
from .tree.mounts import Mounts

__all__ = ("WORK", "DeviceGone", "View")

#: on memory, and away with the next boot of the rescue system
WORK = "/run/openrescue"


class DeviceGone(OpenRescueError):
    """A disk is not there any more, so that nothing follows from what was read of it."""

    code = "device_gone"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"a disk went away while it was looked at: {what}",
            hint="Look at the kernel messages of the rescue system, and attach the disk again",
            retryable=True,
        )


class View:
    """The patient's disks, opened.

    :param only: devices that the user named; empty for all that are not the rescue system's own.
    :param root: the device with the patient's root, where there are several.
    :param trial: writes are taken, and thrown away.
    :param target: where the tree is mounted for others to see; by default it is seen by this process only,
        which has to have called :func:`~.syscalls.private_mounts` before.
    :param passphrases: for LUKS.
    :param server_disks: the server's disks as the provider lists them.
    """

    def __init__(
        self,
        *,
        tools: Tools,
        only: t.Sequence[str] = (),
        root: str | None = None,
        trial: bool = False,
        target: str | None = None,
        passphrases: t.Sequence[str] = (),
        server_disks: t.Sequence[t.Mapping[str, t.Any]] = (),
    ) -> None:
        self._root = root
        self._trial = trial
        self._server_disks = server_disks
        tag = "mount" if target else "run"
        work = os.path.join(WORK, tag)
        self.mounts = Mounts(work=work, target=target or os.path.join(work, "tree"))
        self._layers = Layers(tools=tools, tag=tag, folder=self.mounts.memory, state=os.path.join(WORK, f"{tag}.json"))
        self._stack = Stack(
            tools=tools,
            layers=self._layers,
            only=tuple(only),
            ignored=(WORK, target) if target else (WORK,),
            passphrases=passphrases,
        )
        #: paths of the devices that are written to, with all that they are made of
        self._opened: set[str] = set()
        #: names of the file systems among them
        self._written: set[str] = set()
        self._devices = Devices(self._stack, Attached())
        #: the kernel's names of the disks that were here at any time
        self._disks: set[str] = set()
        self.patient = Patient(tools=tools)

    @classmethod
    def asked(
        cls, params: t.Mapping[str, t.Any], *, tools: Tools, trial: bool = False, target: str | None = None
    ) -> View:
        """The view that a module's options ask for."""
        return cls(
            tools=tools,
            only=params["devices"],
            root=params["root"],
            trial=trial,
            target=target,
            passphrases=params["luks_passphrases"],
            server_disks=params["server_disks"],
        )

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
        try:
            self._stack.look()
            self._disks |= set(self._stack.found.tops)
            self.check_devices()
            if not self._stack.found.tops:
                raise OpenRescueError(
                    "there is no disk here but the rescue system's own",
                    code="no_patient",
                    hint="Attach the server's disk, or name it with 'devices'",
                )
            self._devices = Devices(self._stack, attached(self._server_disks, self._stack.found))
            self._stack.build(opened=self._opened)
        except OSError as exc:
            raise DeviceGone(f"{exc.filename or 'device'}: {exc.strerror}") from exc
        self._devices.tell(self.patient)

    def mount(self, *, read_only: bool = False, root: str | None = None) -> None:
        """To the tree stage; ``patient.root`` is None afterwards if there is no operating system.

        :param read_only: mount nothing for writing, not even layers.
        :param root: the device with the root, for this once.
        """
        patient = self.patient
        if self.is_mounted:
            self._unmount()
        patient.drop_facts()
        trial = self._trial and not read_only
        writable = {item.device for item in patient.filesystems if self.is_written(item) and not read_only}
        if trial:
            writable |= {item.device for item in patient.filesystems if item.writable and not item.shared}
        self.mounts.mount(
            patient,
            root=root or self._root,
            writable=writable,
            trial=trial and not self.has_layers,
            closed=self._devices.closed(),
        )
        if patient.root is None:
            self.check_devices()
        patient.layout = describe(self._stack, (*patient.filesystems, *patient.blank))

    def mount_for_others(self, *, writable: bool) -> None:
        """Mount the tree at a place that everybody sees, or raise if there is none.

        :param writable: let all writes to the tree through to the disks, and let programs run. What must not be written
            to is mounted read-only; where that is the root, it is refused.
        """
        self.mount(read_only=writable)
        root = self.patient.root
        if root is None:
            raise self.patient.no_root
        if not writable:
            return
        self.refuse(root)
        placed = [item for item in self.patient.filesystems if item.mount_point]
        # What the journals say is in the layers now, as it would be on the disks.
        self._unmount()
        for item in placed:
            damage = "" if item.shared else certain_damage(self.patient, item)
            self.patient.damaged.update({item.device: damage} if damage else {})
        self.refuse(root)
        kept = {item.device: why for item in placed if (why := self._devices.why_read_only(item) or self._damage(item))}
        self._write_to([item for item in placed if item.device not in kept])
        self.open()
        self.mount()
        self.patient.notes += [f"{device} is mounted read-only: {why}" for device, why in kept.items()]
        self.mounts.allow_programs()

    def leave(self) -> None:
        """End without closing: what is open stays so."""
        self._layers.leave()

    def close(self) -> None:
        """Leave nothing active, whatever state this is in."""
        self._unmount()
        self._layers.remove()
        self.mounts.remove()

    def _unmount(self) -> None:
        self.patient.opened_tree = None
        self.mounts.unmount()
        forget_btrfs()

    def make_writable(self, filesystem: Filesystem, *, mount: bool = True) -> None:
        """From here on writes to this file system reach the disk. Everything else stays as it is.

        :raises NotWritten: as :meth:`refuse` does.
        """
        if self.is_written(filesystem):
            return
        self.refuse(filesystem, damaged_too=mount)
        if self._trial:
            return
        self._write_to([filesystem])
        self.open()
        if mount:
            self.mount()

    def refuse(self, filesystem: Filesystem, *, damaged_too: bool = True) -> None:
        """Raise if it must not be written to.

        :param damaged_too: also for damage, which only who repairs it writes to.
        :raises NotWritten: what it lies on is shared, or a part of it is not here, or it is damaged; each by a class
            of its own.
        """
        if reason := self._devices.why_read_only(filesystem):
            error = SharedDisk if filesystem.shared else NotWritten
            raise error(f"{filesystem.device} is not written to: {reason}")
        if damaged_too and (damage := self._damage(filesystem)):
            raise StillDamaged(f"{filesystem.device} is not written to: {damage}", hint=_way_out(filesystem))
        if self.is_mounted and self.patient.several is not None:
            raise self.patient.several  # pylint: disable=raising-bad-type

    def layers_of(self, filesystem: Filesystem) -> list[tuple[Filesystem, str, str]]:
        """The devices of a file system that have layers: each with the path of its layer, and of the store."""
        return [
            (self._devices.filesystem(block), self._layers.snapshots[block.kname], self._layers.stores[block.kname])
            for block in self._devices.covers(filesystem)
        ]

    def bottoms(self) -> list[Filesystem]:
        """Every device of the patient that is written to directly, what is only a part of something included."""
        return [self._devices.filesystem(block) for block in self._stack.blocks()]

    def seal(self) -> None:
        """Close all that was opened for writing; back to the device stage, with the disk as it is now.

        A trial has nothing open, and goes on with what it has tried so far.
        """
        if not self._trial:
            self._opened, self._written = set(), set()
            self.open()

    def is_written(self, filesystem: Filesystem) -> bool:
        """Whether what is written to it reaches the disk."""
        return filesystem.device in self._written

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
        before = self._opened, self._written
        self._opened, self._written, self._trial = set(), set(), True
        try:
            self.open()
            self.mount()
            yield
        finally:
            self._opened, self._written = before
            self._trial = False
            self.open()
            self.mount()

    def open_device(self, device: Filesystem) -> None:
        """Let writes through to one device itself, with nothing mounted."""
        self.refuse(device, damaged_too=False)
        self._write_to([device])
        self.open()

    def refresh(self) -> None:
        """Look again at what is on the devices: a repair may have brought a file system back."""
        self.patient.drop_facts()
        self._stack.refresh()
        self._devices.tell(self.patient)

    def check_devices(self) -> None:
        """Raise if a disk went away meanwhile: what of it was in memory still looked well."""
        gone = [name for name in sorted(self._disks) if not os.path.exists(f"/sys/class/block/{name}")]
        if gone:
            raise DeviceGone(", ".join(f"/dev/{name.replace('!', '/')}" for name in gone))

    def check_layers(self) -> None:
        """Raise if the memory for a throw-away layer ran out, since what is read from it then is wrong."""
        self._layers.check()

    def _write_to(self, items: t.Iterable[Filesystem]) -> None:
        items = list(items)
        self._written |= {item.device for item in items}
        self._opened |= self._stack.closure([self._devices.block(item.device) for item in items])

    def _damage(self, filesystem: Filesystem) -> str:
        return self.patient.damaged.get(filesystem.device, "")


def _way_out(filesystem: Filesystem) -> str:
    """What a user can do about a damaged file system."""
    if filesystem.fstype in EXT:
        return "Repair it first, with openrescue.server.disk_repair and 'faults: filesystem-corrupt'"
    return "Repair it first, by hand on the rescue system: this collection has no remedy for it"
