# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One file of the patient, whole: content and everything that is not content. Nothing here writes.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import base64
import collections
import contextlib
import dataclasses
import errno
import hashlib
import os
import stat
import typing as t

from ..syscalls import inode_flags
from ..tree.tree import Tree

__all__ = ("BLOCK", "KEPT_FLAGS", "LABEL", "LOCKS", "FileState", "label_for", "of_type", "state_of", "with_label")

BLOCK = 1024 * 1024
#: immutable and append-only: while a file or its directory has one of them, it cannot be replaced
LOCKS = 0x10 | 0x20
#: what chattr(1) sets and a file keeps when it is replaced: sS uc ia dA m j t C
KEPT_FLAGS = LOCKS | 0x1 | 0x2 | 0x4 | 0x8 | 0x40 | 0x80 | 0x400 | 0x4000 | 0x8000 | 0x800000
#: written as any other attribute, so that it is kept where the rescue system knows nothing of SELinux
LABEL = "security.selinux"
#: as many neighbours as are asked for the label of a new file
_NEIGHBOURS = 64


@dataclasses.dataclass(frozen=True)
class FileState:
    """All of a file, a symbolic link or a directory but what it holds; of bytes the hash is here."""

    kind: str  # file, link or folder
    size: int
    sha256: str
    mode: int
    uid: int
    gid: int
    mtime_ns: int
    xattrs: t.Mapping[str, str]
    target: str | None = None
    flags: int = 0

    @classmethod
    def from_dict(cls, values: t.Mapping[str, t.Any]) -> FileState:
        """Bundles of the first release know no flags."""
        return cls(
            **{field.name: values[field.name] for field in dataclasses.fields(cls) if field.name != "flags"},
            flags=int(values.get("flags", 0)),
        )

    def same_content(self, other: FileState | None) -> bool:
        """Whether the other is the same but for its time."""
        return other is not None and dataclasses.replace(self, mtime_ns=other.mtime_ns) == other

    def same_but_locks(self, other: FileState | None) -> bool:
        """The same with the flags aside that a write lifts, and sets again after it."""
        return other is not None and self.unlocked().same_content(other.unlocked())

    def unlocked(self) -> FileState:
        return dataclasses.replace(self, flags=self.flags & ~LOCKS)


def state_of(tree: Tree, path: str, *, copy_to: t.BinaryIO | None = None) -> FileState | None:
    """The state of what stands at a path, links not followed; None if nothing does.

    :param copy_to: takes the bytes of a regular file.
    """
    found = tree.lstat(path)
    if found is None:
        return None
    if stat.S_ISLNK(found.st_mode):
        target = tree.readlink(path) or ""
        digest = hashlib.sha256(os.fsencode(target)).hexdigest()
        return FileState("link", len(target), digest, 0o777, found.st_uid, found.st_gid, found.st_mtime_ns, {}, target)
    if stat.S_ISDIR(found.st_mode):
        return _state_of_folder(tree, path)
    file = tree.open(path)
    if file is None:
        return None
    with file:
        hasher, size = hashlib.sha256(), 0
        for block in iter(lambda: file.read(BLOCK), b""):
            hasher.update(block)
            size += len(block)
            if copy_to is not None:
                copy_to.write(block)
        info = os.fstat(file.fileno())
        xattrs = _xattrs(file.fileno())
        flags = inode_flags(file.fileno()) & KEPT_FLAGS
    mode, digest = stat.S_IMODE(info.st_mode), hasher.hexdigest()
    return FileState("file", size, digest, mode, info.st_uid, info.st_gid, info.st_mtime_ns, xattrs, flags=flags)


def _state_of_folder(tree: Tree, path: str) -> FileState | None:
    with tree.place(path, follow=False) as place:
        if place is None:
            return None
        fd = os.open(place.name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=place.directory)
        try:
            info = os.fstat(fd)
            flags = inode_flags(fd) & KEPT_FLAGS
            mode = stat.S_IMODE(info.st_mode)
            return FileState(
                "folder", 0, "", mode, info.st_uid, info.st_gid, info.st_mtime_ns, _xattrs(fd), flags=flags
            )
        finally:
            os.close(fd)


def with_label(state: FileState, label: str | None) -> FileState:
    """The state with this label of SELinux, and with none if that is None."""
    rest = {name: value for name, value in state.xattrs.items() if name != LABEL}
    return dataclasses.replace(state, xattrs=rest if label is None else {**rest, LABEL: label})


def label_for(tree: Tree, path: str) -> str | None:
    """The label that a file at this path has, or that a new one should have: what most of its neighbours have."""
    current = state_of(tree, path) if tree.lstat(path) else None
    if current is not None:
        return current.xattrs.get(LABEL)
    folder = os.path.dirname(path)
    labels = collections.Counter(
        label
        for name in tree.listdir(folder)[:_NEIGHBOURS]
        if (label := _label_at(tree, f"{folder.rstrip('/')}/{name}", kind=stat.S_ISREG)) is not None
    )
    return labels.most_common(1)[0][0] if labels else _label_at(tree, folder, kind=stat.S_ISDIR)


def of_type(label: str | None, name: str) -> str | None:
    """The same label with another type, such as ``ssh_home_t``; None where there is no label."""
    parts = base64.b64decode(label).split(b":", 3) if label else []
    if len(parts) < 3:
        return None
    end = b"\0" if parts[2].endswith(b"\0") else b""
    return base64.b64encode(b":".join([*parts[:2], name.encode("ascii") + end, *parts[3:]])).decode()


def _label_at(tree: Tree, path: str, *, kind: t.Callable[[int], bool]) -> str | None:
    with tree.place(path, follow=False) as place:
        if place is None or place.stat is None or not kind(place.stat.st_mode):
            return None
        with contextlib.suppress(OSError):
            fd = os.open(place.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=place.directory)
            try:
                return base64.b64encode(os.getxattr(fd, LABEL)).decode()
            finally:
                os.close(fd)
    return None


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
