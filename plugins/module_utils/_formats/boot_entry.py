# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One entry of a boot menu, whichever loader's it is.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

__all__ = ("MAX_ENTRIES", "BootEntry", "flat")

#: no honest menu has more on one level
MAX_ENTRIES = 200


@dataclasses.dataclass
class BootEntry:
    """A menu entry, or a submenu with its own.

    Paths are the loader's: they begin at the file system that it calls its root.

    :param linux: the kernel; empty where the entry loads none.
    :param options: the kernel's command line, in words.
    :param device: the file system that the paths begin at, as a device specification such as ``UUID=…``; empty if the
        loader keeps its own.
    :param loads: whether it starts anything: a kernel, another loader, another configuration.
    """

    title: str = ""
    id: str = ""
    submenu: bool = False
    linux: str = ""
    options: tuple[str, ...] = ()
    initrds: tuple[str, ...] = ()
    device: str = ""
    loads: bool = False
    children: list[BootEntry] = dataclasses.field(default_factory=list)


def flat(entries: t.Iterable[BootEntry]) -> t.Iterator[BootEntry]:
    """All entries at any depth, in the order of the menu."""
    for entry in entries:
        yield entry
        yield from flat(entry.children)
