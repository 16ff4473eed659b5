# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one place in which anything reaches a patient: files, links, directories, blocks of a device.

Remedies come here by way of :class:`~.change.Change`, which keeps what was there; putting back and the patient's own
copy of a bundle come here too. A file is there whole or not at all, also after a power cut.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import os
import stat
import typing as t

from ..._text import printable
from ..syscalls import inode_flags, set_inode_flags
from ..tree.tree import Place
from .blocks import Extents, put_blocks
from .errors import PatientFull, WriteFailed, WriteRefused
from .file_state import BLOCK, KEPT_FLAGS, LOCKS, FileState
from .undo import is_temporary

if t.TYPE_CHECKING:
    from ..opening import View

__all__ = ("Writer",)


class Writer:
    """Writes to an opened patient. Paths are the patient's, without links, as the tree has resolved them."""

    def __init__(self, view: View) -> None:
        self._view = view

    def look(self, path: str) -> None:
        """Raise if nothing may be written there, before anything is kept for it."""
        filesystem = self._view.patient.covering(path)
        if filesystem is not None:
            self._view.refuse(filesystem)
        with self._view.patient.tree.place(path, follow=False) as place:
            if place is not None:
                _refuse_second_name(place)

    def file(self, path: str, source: t.BinaryIO, state: FileState, *, temporary: str, keep_time: bool = False) -> None:
        """Put a regular file in place, with everything that the state says."""
        # pylint: disable-next=used-before-assignment
        with self._opened(path) as (place, directory), _removed_on_error(directory, temporary):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(temporary, flags, 0o600, dir_fd=directory), "wb") as file:
                fd = file.fileno()
                # Before the first byte: btrfs takes some of them for an empty file only.
                self._set_flags(fd, state.flags & ~LOCKS)
                for block in iter(lambda: source.read(BLOCK), b""):
                    file.write(block)
                file.flush()
                os.fchown(fd, state.uid, state.gid)
                os.fchmod(fd, state.mode)
                for name, value in state.xattrs.items():
                    os.setxattr(fd, name, base64.b64decode(value))
                if keep_time:
                    os.utime(fd, ns=(state.mtime_ns, state.mtime_ns))
                os.fsync(fd)
                os.rename(temporary, place.name, src_dir_fd=directory, dst_dir_fd=directory)
                # Only now: under its temporary name it could not be renamed with them.
                self._set_flags(fd, state.flags)
                os.fsync(fd)
            os.fsync(directory)

    def link(self, path: str, state: FileState, *, temporary: str) -> None:
        """Put a symbolic link in place."""
        # pylint: disable-next=used-before-assignment
        with self._opened(path) as (place, directory), _removed_on_error(directory, temporary):
            os.symlink(state.target or "", temporary, dir_fd=directory)
            os.chown(temporary, state.uid, state.gid, dir_fd=directory, follow_symlinks=False)
            os.rename(temporary, place.name, src_dir_fd=directory, dst_dir_fd=directory)
            os.fsync(directory)

    def remove(self, path: str) -> None:
        """Remove a file or a link; absent is fine."""
        with self._opened(path) as (place, directory):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(place.name, dir_fd=directory)
            os.fsync(directory)

    def tidy(self, path: str) -> bool:
        """Remove what killed runs left beside a path under temporary names; whether there was anything."""
        left = [name for name in self._view.patient.tree.listdir(os.path.dirname(path)) if is_temporary(name)]
        for name in left:
            place = os.path.join(os.path.dirname(path), name)
            (self.remove_folder if self._view.patient.tree.is_dir(place) else self.remove)(place)
        return bool(left)

    def lock(self, path: str, *, flags: int, folder_flags: int) -> None:
        """Set again what a write lifts for a moment, where a run was killed in that moment."""
        if not (flags | folder_flags) & LOCKS:
            return
        with self._opened(path) as (place, directory):
            for name, wanted in ((place.name, flags & LOCKS), (".", folder_flags & LOCKS)):
                if wanted:
                    with _descriptor(directory, name) as fd:
                        set_inode_flags(fd, inode_flags(fd) | wanted)

    def folder(self, path: str, *, mode: int) -> None:
        """Make a directory; one that is there stays as it is."""
        with self._opened(path) as (place, directory):
            if place.stat is None:
                os.mkdir(place.name, mode, dir_fd=directory)
                os.fsync(directory)

    def whole_folder(self, path: str, state: FileState, *, temporary: str) -> None:
        """Put an empty directory in place, with everything that the state says."""
        with self._opened(path) as (place, directory):
            os.mkdir(temporary, 0o700, dir_fd=directory)
            try:
                with _descriptor(directory, temporary) as fd:
                    os.fchown(fd, state.uid, state.gid)
                    os.fchmod(fd, state.mode)
                    for name, value in state.xattrs.items():
                        os.setxattr(fd, name, base64.b64decode(value))
                    os.fsync(fd)
                os.rename(temporary, place.name, src_dir_fd=directory, dst_dir_fd=directory)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.rmdir(temporary, dir_fd=directory)
                raise
            os.fsync(directory)

    def remove_folder(self, path: str) -> None:
        """Remove a directory if it is there and empty."""
        with self._opened(path) as (place, directory):
            if place.stat is not None and stat.S_ISDIR(place.stat.st_mode):
                try:
                    os.rmdir(place.name, dir_fd=directory)
                except OSError as exc:
                    if exc.errno != errno.ENOTEMPTY:
                        raise

    @staticmethod
    def blocks(device: str, source: str, extents: Extents) -> None:
        """Put blocks where they belong, on a device that the caller has let writes through to."""
        try:
            put_blocks(source, device, extents)
        except OSError as exc:
            raise WriteFailed(f"{device} cannot be written: {exc.strerror}") from exc

    @contextlib.contextmanager
    def _opened(self, path: str) -> t.Iterator[tuple[Place, int]]:
        """Where a path ends, on a file system that takes writes now, with nothing of chattr(1) in the way."""
        patient = self._view.patient
        filesystem = patient.covering(path)
        if filesystem is not None:
            self._view.make_writable(filesystem)
        with patient.tree.place(path, follow=False) as place:
            if place is None:
                raise WriteRefused(f"on the patient, the directory of {printable(path)} is missing")
            _refuse_second_name(place)
            with _directory(place) as directory, _lifted(directory, "."):
                regular = place.stat is not None and stat.S_ISREG(place.stat.st_mode)
                with _lifted(directory, place.name) if regular else contextlib.nullcontext():
                    yield place, directory
        patient.drop_facts()

    def _set_flags(self, fd: int, wanted: int) -> None:
        now = inode_flags(fd)
        if wanted & KEPT_FLAGS & ~now:
            try:
                set_inode_flags(fd, now | (wanted & KEPT_FLAGS))
            except OSError:
                if not self._view.patient.written_to_memory:
                    raise


def _refuse_second_name(place: Place) -> None:
    """A file with several names is several files to whoever made them so: nobody knows which of them are meant."""
    found = place.stat
    if found is not None and stat.S_ISREG(found.st_mode) and found.st_nlink > 1:
        raise WriteRefused(
            f"on the patient, {printable(place.path)} has {found.st_nlink} names (hard links), and replacing it would"
            " part them",
            hint="Mount it with openrescue.server.disk_mount and 'read_only: false', and edit it there",
        )


@contextlib.contextmanager
def _descriptor(directory: int, name: str) -> t.Iterator[int]:
    fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    try:
        yield fd
    finally:
        os.close(fd)


@contextlib.contextmanager
def _lifted(directory: int, name: str) -> t.Iterator[None]:
    """Lift immutable and append-only from a directory or file, and set them again on what of it is still there."""
    with _descriptor(directory, name) as fd:
        flags = inode_flags(fd)
        if not flags & LOCKS:
            yield
            return
        set_inode_flags(fd, flags & ~LOCKS)
        try:
            yield
        finally:
            if os.fstat(fd).st_nlink:
                set_inode_flags(fd, inode_flags(fd) | (flags & LOCKS))


@contextlib.contextmanager
def _directory(place: Place) -> t.Iterator[int]:
    """The place's directory, open for more than finding one's way; errors name the file."""
    directory = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=place.directory)
    try:
        yield directory
    except OSError as exc:
        text = f"on the patient, {printable(place.path)} cannot be written: {exc.strerror}"
        if exc.errno in (errno.ENOSPC, errno.EDQUOT):
            raise PatientFull(text, hint="Make room on its file system first") from exc
        raise WriteFailed(text) from exc
    finally:
        os.close(directory)


@contextlib.contextmanager
def _removed_on_error(directory: int, temporary: str) -> t.Iterator[None]:
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=directory)
        raise
