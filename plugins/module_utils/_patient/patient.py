# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The patient as faults see it: its file systems, its tree, its kernels. Nothing here writes.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .._errors import OpenRescueError
from .tools import Tools
from .tree import Tree

__all__ = ("Filesystem", "Kernel", "OsRelease", "Patient")


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
    #: the layout as modules return it
    layout: list[dict[str, t.Any]]
    #: what was found while opening and is worth telling, such as a mount that failed
    notes: list[str]
    tools: Tools

    def __init__(self, *, tools: Tools) -> None:
        self.tools = tools
        self.filesystems = ()
        self.blank = ()
        self.root = self.boot = self.esp = None
        self.os = None
        self.kernels = ()
        self.layout = []
        self.notes = []
        self.opened_tree: Tree | None = None

    @property
    def tree(self) -> Tree:
        """The patient's whole tree, /boot and the rest mounted in it."""
        if self.opened_tree is None:
            raise OpenRescueError("the disk holds no operating system", code="no_root")
        return self.opened_tree

    def find(self, spec: str) -> Filesystem | None:
        """What a first field of fstab or a ``root=`` means, looked up on the patient's devices only.

        Takes ``UUID=``, ``LABEL=``, ``PARTUUID=``, ``PARTLABEL=`` (quoted or not), ``/dev/disk/by-*/…``,
        ``/dev/mapper/…``, ``/dev/<vg>/<lv>`` and ``/dev/sda1``. A bare name such as ``/dev/sda1`` is judged
        by the patient's own numbering, since the rescue system sees the disk under another name.
        None if no device of the patient answers.
        """
        raise NotImplementedError

    def at(self, mount_point: str) -> Filesystem | None:
        """The file system mounted exactly at this path of the patient."""
        return next((item for item in self.filesystems if item.mount_point == mount_point), None)

    def covering(self, path: str) -> Filesystem | None:
        """The file system on which this path of the patient lies."""
        raise NotImplementedError
