# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configuration of extlinux and syslinux, with which Alpine boots.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import re

from .boot_entry import MAX_ENTRIES, BootEntry
from .kernel_cmdline import split_cmdline

__all__ = ("ExtlinuxMenu", "parse_extlinux")

MAX_TEXT = 1024 * 1024


@dataclasses.dataclass
class ExtlinuxMenu:
    """Entries, and the label that starts by itself."""

    entries: list[BootEntry] = dataclasses.field(default_factory=list)
    default: str = ""

    def default_entry(self) -> BootEntry | None:
        """The labelled default; where DEFAULT names a menu program such as ``menu.c32``, the first entry."""
        named = next((entry for entry in self.entries if entry.id == self.default), None)
        return named or next(iter(self.entries), None)


def parse_extlinux(text: str) -> ExtlinuxMenu:
    """Keywords in any case, one a line, those of an entry after its LABEL."""
    menu, common = ExtlinuxMenu(), ""
    entry: BootEntry | None = None
    for line in text[:MAX_TEXT].splitlines():
        words = line.split(None, 1)
        if not words or words[0].startswith("#"):
            continue
        keyword, value = words[0].upper(), words[1].strip() if len(words) > 1 else ""
        if keyword == "LABEL" and len(menu.entries) < MAX_ENTRIES:
            entry = BootEntry(title=value, id=value)
            menu.entries.append(entry)
        elif keyword in ("DEFAULT", "ONTIMEOUT"):
            menu.default = value.split()[0] if value else menu.default
        elif keyword == "MENU" and entry is not None and re.fullmatch(r"(?i)default", value):
            menu.default = entry.id
        elif keyword == "APPEND" and entry is None:
            common = value
        elif entry is not None:
            _inside(entry, keyword, value)
    for one in menu.entries:
        one.options = one.options or split_cmdline(common)
    return menu


def _inside(entry: BootEntry, keyword: str, value: str) -> None:
    if keyword in ("LINUX", "KERNEL") and not value.lower().endswith((".c32", ".bin", ".0")):
        entry.linux, entry.loads = value, True
    elif keyword == "INITRD":
        entry.initrds = tuple(re.split(r"[,\s]+", value))
    elif keyword == "APPEND":
        words = split_cmdline(value)
        named = [word[len("initrd=") :] for word in words if word.startswith("initrd=")]
        entry.initrds = entry.initrds or tuple(one for name in named for one in name.split(","))
        entry.options = tuple(word for word in words if not word.startswith("initrd="))
    elif keyword in ("COM32", "BOOT", "LOCALBOOT", "FDT"):
        entry.loads = entry.loads or keyword != "FDT"
