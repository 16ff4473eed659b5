# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Safe reading beneath one directory that a stranger filled.

Paths are the patient's own, absolute or not, and always begin at its root. Symbolic links are followed
inside the root as the booted patient would follow them, and ``..`` ends at the root. Only regular files
are opened, and never more of them than asked. This is openat2(RESOLVE_IN_ROOT), which Python lacks.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import fnmatch
import os
import stat
import typing as t

from ..._errors import OpenRescueError
from ..._text import printable
from ..syscalls import sync_filesystem
from .usage import Usage, usage_of

__all__ = ("Place", "Tree")

#: configuration files are smaller than this
READ_LIMIT = 8 * 1024 * 1024
#: as many as the kernel follows
MAX_LINKS = 40
#: each level holds a descriptor while a path is walked
MAX_DEPTH = 200

_ABSENT = (errno.ENOENT, errno.ENOTDIR)


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a path ends: a directory that is open, a name in it, and what is there (None if nothing).

    For the root itself, ``name`` is ``.``.
    """

    directory: int
    name: str
    path: str
    stat: os.stat_result | None


class Tree:
    """What is beneath one directory. Holds no descriptor open, so that mounts beneath it can change.

    Absent is a value (None, False, empty), since faults ask about absence; what is there but cannot be
    used (a FIFO where a file belongs, a file over the limit, a loop of links, an I/O error) raises
    OpenRescueError with code ``patient_path_refused`` or ``patient_io``.
    """

    def __init__(self, root: str) -> None:
        self.root = root

    def exists(self, path: str) -> bool:
        """Whether something is there, links followed."""
        return self.stat(path) is not None

    def is_file(self, path: str) -> bool:
        found = self.stat(path)
        return found is not None and stat.S_ISREG(found.st_mode)

    def is_dir(self, path: str) -> bool:
        found = self.stat(path)
        return found is not None and stat.S_ISDIR(found.st_mode)

    def stat(self, path: str) -> os.stat_result | None:
        """Links followed; None if absent or a dangling link."""
        with self.place(path) as place:
            return place.stat if place else None

    def lstat(self, path: str) -> os.stat_result | None:
        """The last component not followed; None if absent."""
        with self.place(path, follow=False) as place:
            return place.stat if place else None

    def readlink(self, path: str) -> str | None:
        """The target as written; None if absent or no link."""
        with self.place(path, follow=False) as place:
            if place is None or place.stat is None or not stat.S_ISLNK(place.stat.st_mode):
                return None
            return os.readlink(place.name, dir_fd=place.directory)

    def usage(self, path: str, *, fstype: str) -> Usage | None:
        """How full the file system under this directory, of that type, is at this moment; None if absent."""
        with self._directory(path) as directory, _io_errors(path):
            return None if directory is None else usage_of(directory, fstype=fstype)

    def settle(self, path: str) -> None:
        """Bring the file system under this directory to rest: what was written is there, what was removed is free."""
        with self._directory(path) as directory, _io_errors(path):
            if directory is not None:
                sync_filesystem(directory)

    def resolve(self, path: str) -> str | None:
        """The absolute path in the patient without any link; None if absent."""
        with self.place(path) as place:
            return place.path if place and place.stat else None

    def listdir(self, path: str, *, limit: int = 20000) -> list[str]:
        """Names, sorted; empty if absent or no directory. Beyond ``limit`` raises."""
        with self._directory(path) as directory:
            return [] if directory is None else self._names(directory, path, limit=limit)

    def glob(self, pattern: str, *, limit: int = 20000) -> list[str]:
        """Absolute paths that match, each component by fnmatch: ``/boot/vmlinuz-*``; sorted."""
        found = [""]
        for part in _parts(pattern):
            if not any(char in part for char in "*?["):
                found = [f"{base}/{part}" for base in found]
                continue
            found = [
                f"{base}/{name}"
                for base in found
                for name in self.listdir(base or "/", limit=limit)
                if fnmatch.fnmatchcase(name, part) and (part.startswith(".") or not name.startswith("."))
            ]
        return sorted(path for path in found if self.lstat(path) is not None)

    def walk(self, path: str, *, limit: int = 200000) -> t.Iterator[tuple[str, os.stat_result]]:
        """Every entry beneath, with lstat, links not followed, mounts not crossed; stops at ``limit`` entries."""
        top = self.resolve(path)
        if top is None:
            return
        start = self.stat(top)
        pending, seen = [top], 0
        while pending and start is not None:
            for entry, found in self._entries(pending.pop(), limit=limit - seen):
                seen += 1
                yield entry, found
                if stat.S_ISDIR(found.st_mode) and found.st_dev == start.st_dev:
                    pending.append(entry)
            if seen >= limit:
                return

    def read_bytes(self, path: str, *, limit: int = READ_LIMIT) -> bytes | None:
        """The whole of a regular file; None if absent. Larger than ``limit`` raises."""
        file = self.open(path)
        if file is None:
            return None
        with file, _io_errors(path):
            # Not the limit itself: what is asked for is allocated at once.
            data = file.read(min(os.fstat(file.fileno()).st_size, limit) + 1)
        if len(data) > limit:
            raise _refused(path, f"is larger than {limit} bytes")
        return data

    def read_text(self, path: str, *, limit: int = READ_LIMIT) -> str | None:
        """UTF-8 with ``surrogateescape``: encode it back the same way and it is what it was."""
        data = self.read_bytes(path, limit=limit)
        return None if data is None else data.decode("utf-8", "surrogateescape")

    def open(self, path: str) -> t.BinaryIO | None:
        """A regular file for reading piece by piece (an initramfs); None if absent. The caller closes it."""
        with self.place(path) as place:
            if place is None or place.stat is None:
                return None
            # Looked at before it is opened: the mere opening of a device or a FIFO has effects.
            if not stat.S_ISREG(place.stat.st_mode):
                raise _refused(path, "is not a regular file")
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
            with _io_errors(path):
                return os.fdopen(os.open(place.name, flags, dir_fd=place.directory), "rb")

    @contextlib.contextmanager
    def place(self, path: str, *, follow: bool = True) -> t.Iterator[Place | None]:
        """Where a path ends, with its directory open; None if that directory is absent."""
        walk = _Walk(self.root, path)
        try:
            with _io_errors(path):
                place = walk.go(follow=follow)
            yield place
        finally:
            walk.close()

    @contextlib.contextmanager
    def _directory(self, path: str) -> t.Iterator[int | None]:
        with self.place(path) as place:
            if place is None or place.stat is None or not stat.S_ISDIR(place.stat.st_mode):
                yield None
                return
            with _io_errors(path):
                directory = os.open(place.name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=place.directory)
            try:
                yield directory
            finally:
                os.close(directory)

    @staticmethod
    def _names(directory: int, path: str, *, limit: int) -> list[str]:
        names: list[str] = []
        with _io_errors(path), os.scandir(directory) as entries:
            for entry in entries:
                if len(names) >= limit:
                    raise _refused(path, f"holds more than {limit} entries")
                names.append(entry.name)
        return sorted(names)

    def _entries(self, path: str, *, limit: int) -> t.Iterator[tuple[str, os.stat_result]]:
        base = path.rstrip("/")
        with self._directory(path) as directory:
            if directory is None:
                return
            with _io_errors(path), os.scandir(directory) as entries:
                for count, entry in enumerate(entries):
                    if count >= limit:
                        return
                    yield f"{base}/{entry.name}", entry.stat(follow_symlinks=False)


class _Walk:
    """One walk along one path: a stack of open directories, so that ``..`` cannot leave the root."""

    def __init__(self, root: str, path: str) -> None:
        self._path = path
        self._root = root
        self._stack: list[tuple[int, str]] = []

    def go(self, *, follow: bool) -> Place | None:
        if "\0" in self._path:
            return None
        self._stack = [(os.open(self._root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC), "")]
        todo = _parts(self._path)[::-1]
        links = 0
        while todo:
            name = todo.pop()
            if name == "..":
                self._up(keep=max(1, len(self._stack) - 1))
                continue
            found = self._look(name)
            if found is not None and stat.S_ISLNK(found.st_mode) and (todo or follow):
                links += 1
                if links > MAX_LINKS:
                    raise _refused(self._path, "goes through too many symbolic links")
                target = os.readlink(name, dir_fd=self._stack[-1][0])
                if target.startswith("/"):
                    self._up(keep=1)
                todo.extend(_parts(target)[::-1])
            elif not todo:
                return Place(self._stack[-1][0], name, self._join(name), found)
            elif found is None or not stat.S_ISDIR(found.st_mode):
                return None
            else:
                self._down(name)
        return Place(self._stack[-1][0], ".", self._join(""), os.fstat(self._stack[-1][0]))

    def _look(self, name: str) -> os.stat_result | None:
        try:
            return os.stat(name, dir_fd=self._stack[-1][0], follow_symlinks=False)
        except OSError as exc:
            if exc.errno in _ABSENT:
                return None
            raise

    def _down(self, name: str) -> None:
        if len(self._stack) > MAX_DEPTH:
            raise _refused(self._path, "is nested too deeply")
        flags = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        self._stack.append((os.open(name, flags, dir_fd=self._stack[-1][0]), name))

    def _up(self, *, keep: int) -> None:
        while len(self._stack) > keep:
            os.close(self._stack.pop()[0])

    def _join(self, name: str) -> str:
        return "/" + "/".join([part for _fd, part in self._stack[1:]] + ([name] if name else []))

    def close(self) -> None:
        self._up(keep=0)


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]


def _refused(path: str, why: str) -> OpenRescueError:
    return OpenRescueError(f"on the patient, {printable(path)} {why}", code="patient_path_refused")


@contextlib.contextmanager
def _io_errors(path: str) -> t.Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise OpenRescueError(
            f"on the patient, {printable(path)} cannot be read: {exc.strerror}",
            code="patient_io",
            hint="Its file system may be damaged",
        ) from exc
