# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines of /etc/crypttab: which encrypted devices are opened at boot, and how.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

__all__ = ("CrypttabEntry", "opened_by_initramfs", "parse_crypttab")

MAX_TEXT = 1024 * 1024
MAX_ENTRIES = 1000


@dataclasses.dataclass(frozen=True)
class CrypttabEntry:
    """One mapping: ``/dev/mapper/<name>`` out of a device."""

    line: int
    name: str
    device: str
    key: str
    options: tuple[str, ...]


def parse_crypttab(text: str) -> list[CrypttabEntry]:
    """Every line that names a mapping and a device; comments and what is too short are left out."""
    found = []
    for number, line in enumerate(text[:MAX_TEXT].splitlines(), 1):
        words = line.split()
        if len(words) < 2 or words[0].startswith("#"):
            continue
        key = words[2] if len(words) > 2 else "none"
        options = tuple(words[3].split(",")) if len(words) > 3 else ()
        found.append(CrypttabEntry(number, words[0], words[1].strip("\"'"), "none" if key == "-" else key, options))
        if len(found) == MAX_ENTRIES:
            break
    return found


def opened_by_initramfs(text: str, names: t.Collection[str]) -> str:
    """The same crypttab with Debian's option ``initramfs`` on these mappings; other lines are left as they are."""
    lines = text.splitlines(keepends=True)
    for entry in parse_crypttab(text):
        if entry.name in names and "initramfs" not in entry.options:
            words = [*lines[entry.line - 1].split()[:2], entry.key, ",".join((*entry.options, "initramfs"))]
            lines[entry.line - 1] = " ".join(words) + "\n"
    return "".join(lines)
