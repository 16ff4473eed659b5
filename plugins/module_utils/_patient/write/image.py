# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One file of the patient, whole: content and everything that is not content. Reading and putting in place.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import errno
import hashlib
import os
import secrets
import stat
import typing as t

from ..._errors import OpenRescueError
from ..._text import printable
from ..tree.tree import Place, Tree

__all__ = ("Image", "image_of", "put_link", "put_stream", "remove_entry", "temporary_name")

_BLOCK = 1024 * 1024


@dataclasses.dataclass(frozen=True)
class Image:
    """All of a file or a symbolic link but its bytes, of which only the hash is here."""

    kind: str  # file or link
    size: int
    sha256: str
    mode: int
    uid: int
    gid: int
    mtime_ns: int
    xattrs: t.Mapping[str, str]
    target: str | None = None

    def as_dict(self) -> dict[str, t.Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: t.Mapping[str, t.Any]) -> Image:
        return cls(**{field.name: values[field.name] for field in dataclasses.fields(cls)})

    def same_content(self, other: Image | None) -> bool:
        """Whether the other is the same but for its time."""
        return other is not None and dataclasses.replace(self, mtime_ns=other.mtime_ns) == other


def image_of(tree: Tree, path: str, *, copy_to: t.BinaryIO | None = None) -> Image | None:
    """The image of what stands at a path, links not followed; None if nothing does.

    :param copy_to: takes the bytes of a regular file.
    """
    found = tree.lstat(path)
    if found is None:
        return None
    if stat.S_ISLNK(found.st_mode):
        target = tree.readlink(path) or ""
        digest = hashlib.sha256(os.fsencode(target)).hexdigest()
        return Image("link", len(target), digest, 0o777, found.st_uid, found.st_gid, found.st_mtime_ns, {}, target)
    file = tree.open(path)
    if file is None:
        return None
    with file:
        hasher, size = hashlib.sha256(), 0
        for block in iter(lambda: file.read(_BLOCK), b""):
            hasher.update(block)
            size += len(block)
            if copy_to is not None:
                copy_to.write(block)
        info = os.fstat(file.fileno())
        xattrs = _xattrs(file.fileno())
    return Image(
        "file", size, hasher.hexdigest(), stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid, info.st_mtime_ns, xattrs
    )


def temporary_name() -> str:
    return f".openrescue-{secrets.token_hex(8)}"


def put_stream(
    place: Place,
    source: t.BinaryIO,
    *,
    mode: int,
    uid: int,
    gid: int,
    xattrs: t.Mapping[str, str],
    temporary: str,
    mtime_ns: int | None = None,
) -> None:
    """Put a regular file in place, atomically: it is there whole or not at all, also after a power cut."""
    with _directory(place) as directory, _removed_on_error(directory, temporary):
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(temporary, flags, 0o600, dir_fd=directory), "wb") as file:
            for block in iter(lambda: source.read(_BLOCK), b""):
                file.write(block)
            file.flush()
            os.fchown(file.fileno(), uid, gid)
            os.fchmod(file.fileno(), mode)
            for name, value in xattrs.items():
                os.setxattr(file.fileno(), name, base64.b64decode(value))
            if mtime_ns is not None:
                os.utime(file.fileno(), ns=(mtime_ns, mtime_ns))
            os.fsync(file.fileno())
        os.rename(temporary, place.name, src_dir_fd=directory, dst_dir_fd=directory)
        os.fsync(directory)


def put_link(place: Place, target: str, *, uid: int, gid: int, temporary: str) -> None:
    with _directory(place) as directory, _removed_on_error(directory, temporary):
        os.symlink(target, temporary, dir_fd=directory)
        os.chown(temporary, uid, gid, dir_fd=directory, follow_symlinks=False)
        os.rename(temporary, place.name, src_dir_fd=directory, dst_dir_fd=directory)
        os.fsync(directory)


def remove_entry(place: Place, name: str | None = None) -> None:
    """Remove what stands at a place, or beside it under another name; absent is fine."""
    with _directory(place) as directory:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name or place.name, dir_fd=directory)
        os.fsync(directory)


@contextlib.contextmanager
def _directory(place: Place) -> t.Iterator[int]:
    """The place's directory, open for more than finding one's way; errors name the file."""
    directory = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=place.directory)
    try:
        yield directory
    except OSError as exc:
        full = exc.errno in (errno.ENOSPC, errno.EDQUOT)
        raise OpenRescueError(
            f"on the patient, {printable(place.path)} cannot be written: {exc.strerror}",
            code="patient_full" if full else "patient_io",
            hint="Make room on its file system first" if full else "",
        ) from exc
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


def _xattrs(fd: int) -> dict[str, str]:
    try:
        names = os.listxattr(fd)
    except OSError as exc:
        if exc.errno in (errno.ENOTSUP, errno.ENOSYS):
            return {}
        raise
    # Only overlayfs itself reads and writes its own marks.
    return {
        name: base64.b64encode(os.getxattr(fd, name)).decode()
        for name in sorted(names)
        if not name.startswith("trusted.overlay.")
    }
