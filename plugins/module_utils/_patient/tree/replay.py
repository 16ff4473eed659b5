# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Letting the kernel finish what a file system's journal says, where that reaches no disk.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import tempfile
import typing as t

from .. import syscalls

if t.TYPE_CHECKING:
    from ..patient import Filesystem

__all__ = ("replay_journal",)

_SAFE = syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC | syscalls.MS_NOATIME
#: Two of one UUID are common where a copy of the disk is attached too; and a superblock may say errors=panic.
_OPTIONS = {"xfs": "nouuid", **dict.fromkeys(("ext2", "ext3", "ext4"), "errors=remount-ro")}


def replay_journal(item: Filesystem) -> str:
    """Mount the throw-away layer over a file system for writing once, and unmount it.

    :returns: why that did not work, empty if it did.
    """
    if not item.writable:
        raise AssertionError("the journal would be replayed on the disk itself")
    with tempfile.TemporaryDirectory(prefix="openrescue-") as place:
        try:
            syscalls.mount(item.reading_device, place, item.fstype, flags=_SAFE, data=_OPTIONS.get(item.fstype, ""))
        except OSError as exc:
            return exc.strerror or str(exc)
        syscalls.unmount(place)
    return ""
