# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The archive on the rescue system: a .tar.gz that only its owner can read, there whole or not at all.

Its members are regular files with harmless names: whoever unpacks it meets no link, no device and no way out.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import datetime
import errno
import gzip
import hashlib
import io
import os
import stat
import tarfile
import tempfile
import typing as t

from ..._errors import OpenRescueError
from ..tree.tree import Tree
from .plan import Chosen

__all__ = ("TOP", "Archive", "DestRefused", "Padded", "default_dest", "place_of")

#: the folder in which all members are
TOP = "openrescue-collect"
#: places for the archive if none is asked for, the first that has room; memory first, for it is gone with the rescue
PLACES = ("/run", "/var/tmp")  # noqa: S108
#: of memory no more than this is taken: everything else of the rescue system lives there too
_MEMORY_SHARE = 4
_SPARE = 16 * 1024 * 1024
_BLOCK = 1024 * 1024
#: enough for text, and several times as fast as the default
_LEVEL = 4
_NAME_LIMIT = 255


class DestRefused(OpenRescueError):
    """The archive cannot be where it was asked for."""

    code = "dest_refused"


def default_dest(size: int) -> str:
    """Where an archive of so many bytes goes; its folder is made with it, and nobody else can look into it."""
    name = f"{datetime.datetime.now(datetime.timezone.utc):%Y%m%dT%H%M%SZ}.tar.gz"
    for place in PLACES:
        try:
            room = os.statvfs(place)
        except OSError:
            continue
        free = room.f_bavail * room.f_frsize
        if size + _SPARE <= (free // _MEMORY_SHARE if place == PLACES[0] else free):
            return os.path.join(place, TOP, name)
    raise DestRefused(
        f"there is no room for an archive of {size} bytes in {' or '.join(PLACES)}",
        hint="Collect less with 'max_bytes', or name a place that has room with 'dest'",
    )


def place_of(dest: str) -> str:
    """The folder of an archive, made if it is the default one."""
    folder = os.path.dirname(dest)
    if folder in [os.path.join(place, TOP) for place in PLACES]:
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, 0o700)
        found = os.lstat(folder)
        # Anybody can make a folder in /var/tmp.
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
            raise DestRefused(f"{folder} belongs to somebody else", hint="Remove it, or name another place with 'dest'")
    if not os.path.isdir(folder):
        raise DestRefused(f"there is no directory {folder}", hint="Make it first, or leave 'dest' out")
    if os.path.isdir(dest):
        raise DestRefused(f"{dest} is a directory", hint="Name a file with 'dest'")
    return folder


class Padded(io.RawIOBase):
    """So many bytes of a file, whatever becomes of it: what cannot be read is zeros."""

    def __init__(self, file: t.BinaryIO, size: int, *, check: t.Callable[[], None]) -> None:
        super().__init__()
        self._file, self._left, self._check = file, size, check
        self.digest = hashlib.sha256()
        #: why some of it is zeros
        self.reason = ""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """As much as is asked for, up to the end."""
        self._check()
        wanted = self._left if size < 0 else min(size, self._left)
        data = b"" if self.reason else self._read(wanted)
        data += bytes(wanted - len(data))
        self._left -= wanted
        self.digest.update(data)
        return data

    def _read(self, wanted: int) -> bytes:
        try:
            data = self._file.read(wanted)
        except OSError as exc:
            self.reason = f"it cannot be read to its end ({exc.strerror}), the rest is zeros"
            return b""
        if len(data) < wanted:
            self.reason = "it is shorter than its directory says, the rest is zeros"
        return data


class Archive:
    """One archive under way. :meth:`finish` puts it in place; until then it is under a name of its own.

    :param check: raises if no more may be done.
    """

    def __init__(self, dest: str, *, check: t.Callable[[], None]) -> None:
        self._dest, self._check = dest, check
        fd, self._path = tempfile.mkstemp(prefix=".openrescue-", dir=place_of(dest))
        self._file = os.fdopen(fd, "w+b")
        self._zip = gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=self._file)
        self._tar = tarfile.TarFile(fileobj=self._zip, mode="w", format=tarfile.PAX_FORMAT)
        self._odd = 0

    def name_for(self, path: str) -> str:
        """What a file of the patient is called here; an odd name is in the manifest only."""
        parts = path.split("/")
        if path.isprintable() and path.isascii() and "\\" not in path and max(map(len, parts)) <= _NAME_LIMIT:
            return f"patient{path}"
        self._odd += 1
        return f"odd-names/{self._odd}"

    def add(self, name: str, data: bytes, *, mtime: float = 0) -> None:
        self._add(name, io.BytesIO(data), len(data), mtime)

    def add_file(self, name: str, tree: Tree, chosen: Chosen) -> Padded | None:
        """The end of a file, or all of it; None if it is not there any more."""
        file = tree.open(chosen.file.path)
        if file is None:
            return None
        with file:
            file.seek(chosen.file.size - chosen.take)
            source = Padded(file, chosen.take, check=self._check)
            self._add(name, t.cast("t.BinaryIO", source), chosen.take, chosen.file.mtime)
        return source

    def _add(self, name: str, source: t.BinaryIO, size: int, mtime: float) -> None:
        self._check()
        info = tarfile.TarInfo(f"{TOP}/{name}")
        info.size, info.mode, info.mtime = size, 0o600, int(min(max(mtime, 0), 1 << 33))
        with self._room():
            self._tar.addfile(info, source)

    def finish(self) -> tuple[int, str]:
        """Its size and its hash, once it is in place."""
        with self._room():
            self._tar.close()
            self._zip.close()
            self._file.flush()
            os.fsync(self._file.fileno())
        self._file.seek(0)
        digest = hashlib.sha256()
        for block in iter(lambda: self._file.read(_BLOCK), b""):
            digest.update(block)
        size = self._file.tell()
        self._file.close()
        os.replace(self._path, self._dest)
        return size, digest.hexdigest()

    def discard(self) -> None:
        """Leave nothing of it, unless it is finished."""
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)

    @contextlib.contextmanager
    def _room(self) -> t.Iterator[None]:
        try:
            yield
        except OSError as exc:
            hint = "Collect less with 'max_bytes', or name a place that has room with 'dest'"
            text = f"the archive cannot be written to {os.path.dirname(self._dest)}: {exc.strerror}"
            raise DestRefused(text, hint=hint if exc.errno == errno.ENOSPC else "") from exc
