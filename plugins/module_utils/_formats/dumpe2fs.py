# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``dumpe2fs -h`` tells of a superblock. Pure.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import re

__all__ = ("ExtSuperblock", "parse_dumpe2fs")


@dataclasses.dataclass(frozen=True)
class ExtSuperblock:
    """:param last_mounted: where it was mounted last; empty if it does not say."""

    uuid: str
    label: str
    size: int
    last_mounted: str


def parse_dumpe2fs(text: str) -> ExtSuperblock | None:
    """None if it says nothing that could be used."""

    def value(name: str) -> str:
        found = re.search(rf"^{name}: +(.*)$", text, re.MULTILINE)
        return "" if found is None or found[1] in ("<none>", "<not available>") else found[1]

    uuid, count, size = value("Filesystem UUID"), value("Block count"), value("Block size")
    if not re.fullmatch(r"[0-9a-f-]{36}", uuid) or not count.isdecimal() or not size.isdecimal():
        return None
    return ExtSuperblock(uuid, value("Filesystem volume name"), int(count) * int(size), value("Last mounted on"))
