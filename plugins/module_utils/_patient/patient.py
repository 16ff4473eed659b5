# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The patient as faults see it: its file systems, its tree, its kernels. Nothing here writes.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import os
import re
import typing as t

from .._errors import OpenRescueError
from .._formats.crypttab import parse_crypttab
from .devices.lookup import Surroundings, array_uuids, bare_number, decoded, is_bare, why_unknown
from .rootless import NoRoot
from .tools import Tools
from .tree.tree import Tree

__all__ = ("Filesystem", "Found", "Kernel", "OsRelease", "Patient")

T = t.TypeVar("T")

_TAGS: dict[str, t.Callable[[Filesystem], str | None]] = {
    "UUID": lambda item: item.uuid,
    "LABEL": lambda item: item.label,
    "PARTUUID": lambda item: item.partuuid,
    "PARTLABEL": lambda item: item.partlabel,
}
#: what the rescue system calls as it likes
_OWN_NAME = r"/dev/dm-\d|/dev/md9\d\d$"


@dataclasses.dataclass(frozen=True)
class Filesystem:
    """A block device of the patient and what is on it.

    :param device: the name that results show, such as ``/dev/vdb1`` or ``/dev/vg/root``.
    :param reading_device: what to read instead: the throw-away layer over ``device``, or ``device`` itself.
    :param fstype: as libblkid says (``ext4``, ``xfs``, ``btrfs``, ``vfat``, ``swap``); empty if nothing is recognised.
    :param mount_point: where it is in the patient's tree (``/``, ``/boot``), None if it is not mounted.
    :param writable: whether ``reading_device`` takes writes that never reach the disk.
    :param aliases: other names of the same device: ``/dev/mapper/…``, ``/dev/disk/by-…``, ``/dev/dm-…``.
    """

    device: str
    reading_device: str
    fstype: str = ""
    uuid: str | None = None
    label: str | None = None
    partuuid: str | None = None
    partlabel: str | None = None
    size: int = 0
    mount_point: str | None = None
    writable: bool = False
    total_bytes: int | None = None
    free_bytes: int | None = None
    available_bytes: int | None = None
    total_inodes: int | None = None
    free_inodes: int | None = None
    aliases: tuple[str, ...] = ()
    #: of a file system over several devices: where to read the others
    others: tuple[str, ...] = ()
    #: whether it lies on a disk that other servers use at this moment: it is read at most, and never judged
    shared: bool = False
    #: whether it is a snapshot of another volume, and so answers to the same names
    snapshot: bool = False
    #: UUID of the unit (array, container) that it comes out of
    unit: str = ""
    #: which of the patient's disks it is, counted from 0, and which partition of it (0: the whole disk)
    number: tuple[int, int] | None = None


@dataclasses.dataclass(frozen=True)
class OsRelease:
    """Of ``/etc/os-release``, parsed and never sourced; values are untrusted text."""

    id: str
    id_like: tuple[str, ...]
    version_id: str
    pretty_name: str


@dataclasses.dataclass(frozen=True)
class Kernel:
    """One installed kernel; paths are absolute in the patient.

    :param initramfs: the path where this distribution keeps this kernel's initramfs, if the file is there.
    :param expected_initramfs: the same path, whether or not the file is there.
    :param has_modules: whether ``/lib/modules/<version>/modules.dep`` or a kernel directory is there.
    """

    version: str
    vmlinuz: str
    initramfs: str | None
    expected_initramfs: str
    has_modules: bool


@dataclasses.dataclass(frozen=True)
class Found:
    """What a device specification means on this patient: a device, certainly nothing, or "cannot tell".

    :param filesystem: the device; None if none of those that are open answers.
    :param unknown: why it cannot be told whether the server has it, such as ``/dev/vdb2 (LUKS) is locked``; empty
        where it can be told.
    """

    filesystem: Filesystem | None
    unknown: str = ""

    @property
    def is_absent(self) -> bool:
        """Whether the server certainly has no such device."""
        return self.filesystem is None and not self.unknown


class Patient:
    """An opened patient.

    In the ``device`` stage nothing is mounted: ``filesystems`` and ``blank`` are known, ``tree`` raises.
    In the ``tree`` stage everything of the patient's fstab that could be found is mounted under ``tree``.
    """

    #: every recognised file system of the patient's disks, swap included
    filesystems: tuple[Filesystem, ...]
    #: devices that end the stack (partition, volume, whole disk) and on which nothing is recognised
    blank: tuple[Filesystem, ...]
    #: the file systems mounted as /, /boot and /boot/efi; boot is None if /boot is a directory of root
    root: Filesystem | None
    boot: Filesystem | None
    esp: Filesystem | None
    os: OsRelease | None
    #: newest first
    kernels: tuple[Kernel, ...]
    #: whether writes to the tree go to memory, so that the room which it reports is not the disk's
    written_to_memory: bool
    #: the layout as modules return it
    layout: list[dict[str, t.Any]]
    #: the whole disks, as the rescue system names them, in their order
    disks: tuple[str, ...]
    #: what was found while opening and is worth telling, such as a mount that failed
    notes: list[str]
    #: what is only a part of something, or the outside of it: physical volumes, members of arrays, containers
    members: tuple[Filesystem, ...]
    #: why devices of the server may be missing here: locked containers, incomplete units, disks that are not attached
    uncertain: tuple[str, ...]
    #: what a name of a device depends on
    around: Surroundings
    #: device -> why its file system cannot be mounted
    unmountable: dict[str, str]
    #: device -> why it must not be written to, such as damage that was not repaired
    damaged: dict[str, str]
    #: every device that holds an operating system
    roots: tuple[str, ...]
    #: why there is no root, or why it is not certain which of several it is
    no_root: OpenRescueError
    several: OpenRescueError | None
    tools: Tools

    def __init__(self, *, tools: Tools) -> None:
        self.tools = tools
        self.filesystems = ()
        self.blank = ()
        self.root = self.boot = self.esp = None
        self.os = None
        self.kernels = ()
        self.written_to_memory = False
        self.layout = []
        self.disks = ()
        self.notes = []
        self.members = ()
        self.uncertain = ()
        self.around = Surroundings()
        self.unmountable = {}
        self.damaged = {}
        self.roots = ()
        self.no_root = NoRoot("the disk holds no operating system")
        self.several = None
        self._facts: dict[str, t.Any] = {}
        self.opened_tree: Tree | None = None

    @property
    def tree(self) -> Tree:
        """The patient's whole tree, /boot and the rest mounted in it."""
        if self.opened_tree is None:
            raise self.no_root
        return self.opened_tree

    def disk_bytes(self, disk: str, offset: int, size: int) -> bytes:
        """A piece of one of the ``disks``, such as its boot sector; empty where it cannot be read."""
        try:
            with open(disk, "rb", buffering=0) as file:
                file.seek(offset)
                return file.read(size)
        except (OSError, OverflowError):
            return b""

    def once(self, fact: str, read: t.Callable[[], T]) -> T:
        """A fact of the patient, read at its first need and kept until something of the patient changes.

        :param fact: its name, unique among all facts.
        """
        if fact not in self._facts:
            self._facts[fact] = read()
        return t.cast("T", self._facts[fact])

    def drop_facts(self) -> None:
        """Something was changed, mounted or unmounted: what was read before may not be so any more."""
        self._facts.clear()

    def lookup(self, spec: str) -> Found:
        """What :meth:`find` finds; where it finds nothing, whether that is certain."""
        found = self.find(spec)
        if found is not None:
            return Found(found)
        why = why_unknown(spec, self.around, made=self._mappings)
        return Found(None, "; ".join([*([why] if why else []), *self.uncertain]))

    def find(self, spec: str) -> Filesystem | None:
        """What a first field of fstab or a ``root=`` means, looked up on the patient's devices only.

        Takes ``UUID=``, ``LABEL=``, ``PARTUUID=``, ``PARTLABEL=`` (quoted or not), ``/dev/disk/by-*/…``,
        ``/dev/mapper/…``, ``/dev/<vg>/<lv>`` and ``/dev/sda1``. A bare name such as ``/dev/sda1`` is judged
        by the patient's own numbering, since the rescue system sees the disk under another name.
        None if no device of the patient answers.
        """
        key, _sign, value = spec.partition("=")
        value = value.strip("\"'")
        if key in _TAGS and value:
            return self._by_tag(key, value)
        by = re.match(r"/dev/disk/by-(uuid|label|partuuid|partlabel)/(.+)$", spec)
        if by:
            return self._by_tag(by[1].upper(), decoded(by[2]))
        return self._by_path(spec)

    def _by_tag(self, key: str, value: str) -> Filesystem | None:
        wanted = value if key in ("LABEL", "PARTLABEL") else value.lower()
        fitting = []
        for item in self._known:
            has = _TAGS[key](item) or ""
            if (has if key in ("LABEL", "PARTLABEL") else has.lower()) == wanted:
                fitting.append(item)
        # A snapshot has all the names of what it was made of, and the server boots the latter.
        return min(fitting, key=lambda item: item.snapshot, default=None)

    @property
    def _known(self) -> tuple[Filesystem, ...]:
        return (*self.filesystems, *self.blank, *self.members)

    def _by_path(self, spec: str) -> Filesystem | None:
        if is_bare(spec):
            number = bare_number(spec, self.around)
            return next((item for item in self._known if number is not None and item.number == number), None)
        wanted = {os.path.normpath(spec)}
        if spec.startswith("/dev/disk/by-id/") and os.path.exists(spec):
            wanted.add(os.path.realpath(spec))
        if spec.startswith("/dev/mapper/"):
            wanted |= self._unlocked(spec)
        arrays = self._arrays.get(spec)
        for item in self._known:
            names = {item.device, *item.aliases}
            # The rescue system has names of its own for arrays.
            if arrays == item.unit if arrays else wanted & names and not re.match(_OWN_NAME, spec):
                return item
        return None

    @property
    def _mappings(self) -> dict[str, str]:
        """What the patient's crypttab makes: name -> source."""
        return self.once(
            "device mappings",
            lambda: {entry.name: entry.device for entry in parse_crypttab(self._settings("/etc/crypttab"))},
        )

    @property
    def _arrays(self) -> dict[str, str]:
        files = ("/etc/mdadm/mdadm.conf", "/etc/mdadm.conf")
        return self.once("device arrays", lambda: array_uuids("\n".join(self._settings(path) for path in files)))

    def _settings(self, path: str) -> str:
        try:
            return (self.opened_tree.read_text(path) if self.opened_tree else None) or ""
        except OpenRescueError:  # whatever stands there is no such file
            return ""

    def unlocked(self) -> dict[str, str]:
        """Mappings of the patient's crypttab -> what they are called here, open or not."""
        found = {name: self._unlocked(f"/dev/mapper/{name}") for name in self._mappings}
        return {name: os.path.basename(path) for name, paths in found.items() for path in paths}

    def _unlocked(self, spec: str) -> set[str]:
        """By which name a mapping of the patient's crypttab is open here."""
        source = self._mappings.get(spec[len("/dev/mapper/") :])
        chained = source and source[len("/dev/mapper/") :] in self._mappings
        container = self.find(source) if source and not chained else None
        return {f"/dev/mapper/luks-{container.uuid}"} if container and container.uuid else set()

    def device(self, device: str) -> Filesystem:
        """The file system or blank device with this name, as it is now: after a change it is read elsewhere."""
        return next(item for item in (*self.filesystems, *self.blank) if item.device == device)

    def at(self, mount_point: str) -> Filesystem | None:
        """The file system mounted exactly at this path of the patient."""
        return next((item for item in self.filesystems if item.mount_point == mount_point), None)

    def covering(self, path: str) -> Filesystem | None:
        """The file system on which this path of the patient lies."""
        place = self.tree.resolve(path)
        if place is None:  # what is not there yet lies where its directory lies
            folder, name = os.path.split(path)
            place = f"{(self.tree.resolve(folder) or '').rstrip('/')}/{name}"
        fitting = [
            item
            for item in self.filesystems
            if item.mount_point and f"{place}/".startswith(item.mount_point.rstrip("/") + "/")
        ]
        return max(fitting, key=lambda item: len(item.mount_point or ""), default=None)
