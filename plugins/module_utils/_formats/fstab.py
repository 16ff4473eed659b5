# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The patient's fstab, parsed as libmount does. Pure.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import re

__all__ = ("FstabEntry", "parse_fstab")


@dataclasses.dataclass(frozen=True)
class FstabEntry:
    """One line that names a file system; ``line`` counts from 1, fields are unescaped."""

    line: int
    spec: str
    mount_point: str
    fstype: str
    options: tuple[str, ...]

    def option(self, name: str) -> str | None:
        """The value of ``name=value``; the last one counts."""
        found = [item.split("=", 1)[1] for item in self.options if item.startswith(f"{name}=")]
        return found[-1] if found else None


def parse_fstab(text: str) -> list[FstabEntry]:
    """The entries that can be read; lines that cannot are left out, to judge them is a fault's affair."""
    entries = []
    for number, line in enumerate(text.splitlines(), start=1):
        fields = line.split()
        if len(fields) < 3 or fields[0].startswith("#"):
            continue
        spec, where, fstype = (_unescape(field) for field in fields[:3])
        options = tuple(_unescape(fields[3]).split(",")) if len(fields) > 3 else ()
        entries.append(FstabEntry(number, spec, where, fstype, options))
    return entries


def _unescape(field: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8) & 0xFF), field)
