# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One tree from many file systems: mount each, find the root by what it holds, put the rest where it belongs.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
import re
import typing as t

from ..._errors import OpenRescueError
from ..._formats.fstab import FstabEntry, parse_fstab
from ..._text import printable
from .. import syscalls
from ..patient import Filesystem, Patient
from ..rootless import why_no_root
from .contents import holds_root, part_of, read_kernels, read_os_release
from .roots import Source, choose
from .tree import Tree
from .usage import usage_of

if t.TYPE_CHECKING:
    from ..devices.graph import Closed

__all__ = ("Mounts", "mounts_below")

T = t.TypeVar("T")

_MOUNTABLE = ("ext2", "ext3", "ext4", "xfs", "btrfs", "vfat", "f2fs", "jfs", "nilfs2", "reiserfs")
_SAFE = syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC | syscalls.MS_NOATIME
#: file systems of systems that are not Linux
_FOREIGN = ("ntfs", "apfs", "hfsplus", "ufs", "refs")
#: where distributions put their root on btrfs, if not in the default subvolume
_ROOT_SUBVOLUMES = ("@", "root", "@rootfs", "@root")
_SUBVOLUME = re.compile(r"[\w@./+-]{1,255}")


class Mounts:
    """Everything that is mounted for one patient.

    :param work: a folder for what is mounted on the way; memory is mounted there.
    :param target: where the tree is mounted.
    """

    def __init__(self, *, work: str, target: str) -> None:
        self._work = work
        self._target = target
        self._trial = False
        self._count = 0

    @property
    def memory(self) -> str:
        """A folder in memory for what is to be thrown away."""
        return os.path.join(self._work, "memory")

    def prepare(self) -> None:
        os.makedirs(self._work, mode=0o700, exist_ok=True)
        # The changed blocks and a rebuilt initramfs live here; half of the memory, tmpfs' default, is tight.
        syscalls.mount("openrescue", self._work, "tmpfs", flags=_SAFE & ~syscalls.MS_NOEXEC, data="mode=0700,size=75%")
        # Mounts beneath are ours alone: as peers of the tree, they would get what is mounted there.
        syscalls.make_private(self._work)
        os.makedirs(self.memory)
        os.makedirs(self._target, mode=0o700, exist_ok=True)

    def mount(
        self,
        patient: Patient,
        *,
        root: str | None,
        writable: t.Collection[str],
        trial: bool,
        closed: t.Sequence[Closed] = (),
    ) -> None:
        """Find the root and mount the tree.

        :param root: the device that holds it, if the user said so.
        :param writable: devices to be mounted for writing.
        :param trial: mount for writing what is mounted here, yet keep the writes in memory.
        :param closed: what is not open, and so may hold the root that is not found.
        """
        self._trial = patient.written_to_memory = trial
        patient.unmountable = {}
        sources = self._mount_each(patient, writable)
        roots = [item for item in sources if is_root(patient, item)]
        patient.roots = tuple(item.filesystem.device for item in roots)
        choice = choose(roots, sources, asked=root, find=patient.find)
        patient.several = choice.several
        if choice.note:
            patient.notes.append(choice.note)
        if choice.source is None:
            patient.root = None
            patient.no_root = why_no_root(closed, patient.unmountable, _unsupported(patient, sources))
            return
        placed: dict[str, Source] = {"/": choice.source}
        self._attach(choice.source, self._target)
        tree = Tree(self._target)
        # For what the patient's own settings say of names.
        patient.opened_tree = tree
        patient.drop_facts()
        self._mount_rest(patient, tree, sources, placed, writable)
        _fill(patient, tree, sources, placed)

    def unmount(self) -> None:
        """Unmount the tree and the file systems, the last first; the memory stays for :meth:`remove`."""
        for path in reversed(mounts_below(self._target) + mounts_below(os.path.join(self._work, "fs"))):
            self._unmount(path)

    def remove(self) -> None:
        """Give the memory back, as soon as the kernel has let go of the loop devices in it."""
        for path in reversed(mounts_below(self._work)):
            syscalls.unmount(path, lazy=True)
        with contextlib.suppress(OSError):
            os.rmdir(self._work)

    @contextlib.contextmanager
    def stage(self) -> t.Iterator[str]:
        """A second, writable copy of the tree: what is written there is in memory, and gone at the end."""
        top = self._folder("stage")
        begin = len(self._target.rstrip("/"))
        try:
            for path in mounts_below(self._target):
                self._overlay(path, top + path[begin:])
            yield top
        finally:
            for path in reversed(mounts_below(top)):
                self._unmount(path)

    @contextlib.contextmanager
    def executable(self) -> t.Iterator[str]:
        """The tree itself, with programs allowed to run; what is mounted onto it meanwhile is unmounted."""
        before = mounts_below(self._target)
        for path in before:
            _remount(path, _SAFE & ~syscalls.MS_NOEXEC)
        try:
            yield self._target
        finally:
            for path in reversed(mounts_below(self._target)[len(before) :]):
                self._unmount(path)
            for path in before:
                _remount(path, _SAFE)

    def allow_programs(self) -> None:
        for path in mounts_below(self._target):
            _remount(path, _SAFE & ~syscalls.MS_NOEXEC)

    def _mount_each(self, patient: Patient, writable: t.Collection[str]) -> list[Source]:
        sources: list[Source] = []
        for item in patient.filesystems:
            if item.fstype not in _MOUNTABLE:
                continue
            source = self._try(patient, item, writable)
            if source is not None and item.fstype == "btrfs" and not is_root(patient, source):
                source = self._root_subvolume(patient, item, writable) or source
            if source is not None:
                sources.append(source)
        return sources

    def _root_subvolume(self, patient: Patient, item: Filesystem, writable: t.Collection[str]) -> Source | None:
        top = self._try(patient, item, writable, subvolume="/")
        if top is not None:
            for name in _ROOT_SUBVOLUMES:
                if is_root(patient, Source(item, os.path.join(top.place, name))):
                    return self._try(patient, item, writable, subvolume=name)
        return None

    def _try(
        self, patient: Patient, item: Filesystem, writable: t.Collection[str], *, subvolume: str = ""
    ) -> Source | None:
        """Mount a file system at a place of its own; one that does not mount is noted and left out."""
        place = self._folder("fs")
        write = item.device in writable
        members = tuple(f"device={path}" for path in (item.reading_device, *item.others) if item.others)
        options = (f"subvol={subvolume}",) if subvolume else ()
        reason = ""
        for extra in _options(item.fstype, replay=write or item.writable):
            data = ",".join((*extra, *options, *members))
            flags = _SAFE | (0 if write else syscalls.MS_RDONLY)
            try:
                syscalls.mount(item.reading_device, place, item.fstype, flags=flags, data=data)
            except OSError as exc:
                reason = exc.strerror or str(exc)
                continue
            return Source(item, place, subvolume.strip("/"))
        patient.notes.append(f"{item.device} ({item.fstype}) cannot be mounted: {reason}")
        if not subvolume:
            patient.unmountable[item.device] = reason
        return None

    def _mount_rest(
        self,
        patient: Patient,
        tree: Tree,
        sources: list[Source],
        placed: dict[str, Source],
        writable: t.Collection[str],
    ) -> None:
        """First what fstab says, as far as it is right; then what nobody names, by what it holds."""
        entries = _read_entries(patient, tree)
        for entry in entries:
            item = patient.find(entry.spec)
            source = next((one for one in sources if item is not None and one.filesystem.device == item.device), None)
            subvolume = entry.option("subvol")
            if source is not None and source.filesystem.fstype == "btrfs" and subvolume:
                if not _SUBVOLUME.fullmatch(subvolume):
                    continue
                source = self._try(patient, source.filesystem, writable, subvolume=subvolume)
            if source is not None:
                with noted(patient):
                    self._put(patient, tree, source, entry.mount_point, placed)
        used = {source.filesystem.device for source in placed.values()}
        parts = [(_look(patient, part_of, one), one) for one in sources if one.filesystem.device not in used]
        for where, source in sorted((item for item in parts if item[0]), key=lambda item: item[0] or ""):
            with noted(patient):
                if where and not tree.listdir(where):
                    self._put(patient, tree, source, where, placed)

    def _put(self, patient: Patient, tree: Tree, source: Source, where: str, placed: dict[str, Source]) -> None:
        with tree.place(where) as place:
            if place is None or place.stat is None or place.path in placed:
                return
            try:
                fd = os.open(place.name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=place.directory)
            except OSError as exc:
                patient.notes.append(f"nothing can be mounted at {printable(where)}: {exc.strerror}")
                return
            try:
                # By descriptor: a path through the patient's tree could lead elsewhere.
                self._attach(source, f"/proc/self/fd/{fd}")
            finally:
                os.close(fd)
            placed[place.path] = source

    def _attach(self, source: Source, target: str) -> None:
        if self._trial:
            self._overlay(source.place, target)
        else:
            syscalls.mount(source.place, target, "", flags=syscalls.MS_BIND)

    def _overlay(self, lower: str, target: str) -> None:
        """Mount ``lower`` at ``target`` with a layer in memory that takes the writes."""
        upper, work = self._folder("upper"), self._folder("work")
        held = os.open(lower, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            # A descriptor's name has none of the characters that mean something among mount options.
            data = f"lowerdir=/proc/self/fd/{held},upperdir={upper},workdir={work}"
            info = os.stat(lower)
            os.chmod(upper, info.st_mode & 0o7777)
            os.chown(upper, info.st_uid, info.st_gid)
            syscalls.mount("openrescue", target, "overlay", flags=syscalls.MS_NOATIME | syscalls.MS_NODEV, data=data)
        except OSError as exc:
            if exc.errno not in (errno.EINVAL, errno.ENOSYS):
                raise
            # vfat cannot lie under an overlay; then it is seen there, and not written.
            syscalls.mount(lower, target, "", flags=syscalls.MS_BIND)
        finally:
            os.close(held)

    def _folder(self, kind: str) -> str:
        self._count += 1
        path = os.path.join(self._work, kind, str(self._count))
        os.makedirs(path, mode=0o755)
        return path

    @staticmethod
    def _unmount(path: str) -> None:
        try:
            syscalls.unmount(path)
        except OSError as exc:
            if exc.errno == errno.EBUSY:
                raise OpenRescueError(
                    f"{printable(path)} is in use and cannot be unmounted",
                    code="mount_busy",
                    hint="End the processes that work beneath it, such as a shell, and try again",
                    retryable=True,
                ) from exc
            raise


def _remount(path: str, flags: int) -> None:
    """Change what one mount permits, and nothing of the file system."""
    syscalls.mount("", path, "", flags=syscalls.MS_REMOUNT | syscalls.MS_BIND | flags)


def mounts_below(path: str) -> list[str]:
    """Mount points at or beneath a path, in the order in which they were mounted."""
    found = []
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            where = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), line.split()[4])
            if f"{where}/".startswith(f"{path.rstrip('/')}/"):
                found.append(where)
    return found


def _options(fstype: str, *, replay: bool) -> tuple[tuple[str, ...], ...]:
    """Mount options by type, the preferred first; without ``replay``, the journal is left alone."""
    if fstype == "xfs":
        return (("nouuid",),) if replay else (("nouuid", "norecovery"),)
    if fstype.startswith("ext"):
        # Its superblock may say errors=panic, and that would be this system's panic. Ext2 has no journal, and does not
        # let itself be told to leave one alone.
        return (("errors=remount-ro",),) if replay or fstype == "ext2" else (("errors=remount-ro", "noload"),)
    if fstype == "btrfs" and not replay:
        return (("rescue=nologreplay",), ("nologreplay",))
    return ((),)


@contextlib.contextmanager
def noted(patient: Patient) -> t.Iterator[None]:
    """What goes wrong with one file system or one mount point is its own affair, and is said."""
    try:
        yield
    except OpenRescueError as exc:
        patient.notes.append(exc.message)
    except OSError as exc:
        patient.notes.append(f"a file system cannot be read: {exc.strerror}")


def is_root(patient: Patient, source: Source) -> bool:
    return bool(_look(patient, holds_root, source))


def _look(patient: Patient, look: t.Callable[[Tree], T], source: Source) -> T | None:
    try:
        return look(source.tree)
    except (OpenRescueError, OSError) as exc:
        patient.notes.append(
            f"{source.filesystem.device}: {exc.message if isinstance(exc, OpenRescueError) else exc.strerror}"
        )
        return None


def _unsupported(patient: Patient, sources: t.Sequence[Source]) -> list[str]:
    """What holds an operating system of a kind that nobody opens here."""
    found = [f"{item.device} holds {item.fstype}" for item in patient.filesystems if item.fstype in _FOREIGN]
    for source in sources:
        with noted(patient):
            if source.tree.is_dir("/ostree/deploy"):
                found.append(f"{source.filesystem.device} holds an ostree system")
    return found


def _read_entries(patient: Patient, tree: Tree) -> list[FstabEntry]:
    try:
        text = tree.read_text("/etc/fstab") or ""
    except OpenRescueError as exc:
        patient.notes.append(exc.message)
        return []
    entries = [item for item in parse_fstab(text) if item.mount_point.startswith("/") and item.fstype != "swap"]
    return sorted(
        entries, key=lambda entry: os.path.normpath(entry.mount_point).count("/") if entry.mount_point != "/" else 0
    )


def _fill(patient: Patient, tree: Tree, sources: t.Sequence[Source], placed: t.Mapping[str, Source]) -> None:
    """Tell the patient what is where now."""
    where: dict[str, str] = {}
    for path, source in placed.items():
        where.setdefault(source.filesystem.device, path)
    places = {source.filesystem.device: source.place for source in reversed(sources)}
    patient.filesystems = tuple(
        dataclasses.replace(item, mount_point=where.get(item.device), **_usage(places.get(item.device), item.fstype))
        for item in patient.filesystems
    )
    patient.root = patient.at("/")
    patient.boot = patient.at("/boot")
    patient.esp = patient.at("/boot/efi") or patient.at("/efi")
    patient.os, patient.kernels = None, ()
    with noted(patient):
        patient.os = read_os_release(tree)
    with noted(patient):
        patient.kernels = read_kernels(tree, patient.os)


def _usage(place: str | None, fstype: str) -> dict[str, t.Any]:
    if place is None:
        return {}
    try:
        directory = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:  # its disk went away, and that is said where something is read from it
        return {}
    try:
        return dataclasses.asdict(usage_of(directory, fstype=fstype))
    except OSError:
        return {}
    finally:
        os.close(directory)
