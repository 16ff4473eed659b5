# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Safe reading beneath one directory that a stranger filled.

Paths are the patient's own, absolute or not, and always begin at its root. Symbolic links are followed
inside the root as the booted patient would follow them, and ``..`` ends at the root. Only regular files
are opened, and never more of them than asked.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import typing as t

__all__ = ("Tree",)

#: configuration files are smaller than this
READ_LIMIT = 8 * 1024 * 1024


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
        raise NotImplementedError

    def is_file(self, path: str) -> bool:
        raise NotImplementedError

    def is_dir(self, path: str) -> bool:
        raise NotImplementedError

    def stat(self, path: str) -> os.stat_result | None:
        """Links followed; None if absent or a dangling link."""
        raise NotImplementedError

    def lstat(self, path: str) -> os.stat_result | None:
        """The last component not followed; None if absent."""
        raise NotImplementedError

    def readlink(self, path: str) -> str | None:
        """The target as written; None if absent or no link."""
        raise NotImplementedError

    def resolve(self, path: str) -> str | None:
        """The absolute path in the patient without any link; None if absent."""
        raise NotImplementedError

    def listdir(self, path: str, *, limit: int = 20000) -> list[str]:
        """Names, sorted; empty if absent or no directory. Beyond ``limit`` raises."""
        raise NotImplementedError

    def glob(self, pattern: str, *, limit: int = 20000) -> list[str]:
        """Absolute paths that match, each component by fnmatch: ``/boot/vmlinuz-*``; sorted."""
        raise NotImplementedError

    def walk(self, path: str, *, limit: int = 200000) -> t.Iterator[tuple[str, os.stat_result]]:
        """Every entry beneath, with lstat, links not followed, mounts not crossed; stops at ``limit`` entries."""
        raise NotImplementedError

    def read_bytes(self, path: str, *, limit: int = READ_LIMIT) -> bytes | None:
        """The whole of a regular file; None if absent. Larger than ``limit`` raises."""
        raise NotImplementedError

    def read_text(self, path: str, *, limit: int = READ_LIMIT) -> str | None:
        """UTF-8 with ``surrogateescape``: encode it back the same way and it is what it was."""
        data = self.read_bytes(path, limit=limit)
        return None if data is None else data.decode("utf-8", "surrogateescape")

    def open(self, path: str) -> t.BinaryIO | None:
        """A regular file for reading piece by piece (an initramfs); None if absent. The caller closes it."""
        raise NotImplementedError
