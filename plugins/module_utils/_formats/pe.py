# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sections of a PE file, which is what every EFI program is.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import struct
import typing as t

__all__ = ("PeSection", "read_pe_sections")

MAX_SECTIONS = 96
SEEK_END = 2


@dataclasses.dataclass(frozen=True)
class PeSection:
    """Where a section lies in its file; ``size`` is that of its content, without padding."""

    offset: int
    size: int


def read_pe_sections(file: t.BinaryIO) -> dict[str, PeSection] | None:
    """The sections by name; None if it is no PE file, or ends before one of its sections does."""
    file.seek(0)
    head = file.read(64)
    if len(head) < 64 or head[:2] != b"MZ":
        return None
    start = struct.unpack_from("<I", head, 60)[0]
    file.seek(start)
    header = file.read(24)
    if len(header) < 24 or header[:4] != b"PE\0\0":
        return None
    count, optional = struct.unpack_from("<H", header, 6)[0], struct.unpack_from("<H", header, 20)[0]
    if count > MAX_SECTIONS:
        return None
    file.seek(start + 24 + optional)
    table = file.read(40 * count)
    end = file.seek(0, SEEK_END)
    found = {}
    for at in range(0, len(table) - 39, 40):
        name = table[at : at + 8].rstrip(b"\0").decode("ascii", "replace")
        content, _address, size, offset = struct.unpack_from("<IIII", table, at + 8)
        if size and offset + size > end:
            return None
        found[name] = PeSection(offset, min(content, size) if content else size)
    return found if len(table) == 40 * count else None
