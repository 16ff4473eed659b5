# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an ELF program needs to start: its interpreter and its libraries.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import struct
import typing as t

__all__ = ("ElfProgram", "read_elf")

MAX_HEADERS = 256
MAX_DYNAMIC = 64 * 1024
MAX_STRINGS = 4 * 1024 * 1024
_LOAD, _DYNAMIC, _INTERP = 1, 2, 3
_NEEDED, _STRTAB, _STRSZ, _RPATH, _RUNPATH = 1, 5, 10, 15, 29


@dataclasses.dataclass(frozen=True)
class ElfProgram:
    """An ELF file; ``interpreter`` is empty where it is linked statically."""

    interpreter: str = ""
    needed: tuple[str, ...] = ()
    run_path: tuple[str, ...] = ()


def read_elf(file: t.BinaryIO) -> ElfProgram | None:
    """None if it is no ELF file for a machine of little endian, or is cut off where its headers are."""
    try:
        return _read(file)
    except (struct.error, ValueError, OverflowError):
        return None


def _read(file: t.BinaryIO) -> ElfProgram | None:
    head = _at(file, 0, 64)
    if head[:4] != b"\x7fELF" or head[5] != 1:
        return None
    wide = head[4] == 2
    offset = struct.unpack_from("<Q" if wide else "<I", head, 32 if wide else 28)[0]
    size, count = struct.unpack_from("<HH", head, 54 if wide else 42)
    if count > MAX_HEADERS:
        return None
    headers = [_header(_at(file, offset + index * size, size), wide=wide) for index in range(count)]
    interpreter = next((_at(file, at, length) for kind, at, _address, length in headers if kind == _INTERP), b"")
    dynamic = next(
        (_at(file, at, min(length, MAX_DYNAMIC)) for kind, at, _a, length in headers if kind == _DYNAMIC), b""
    )
    step = "<qQ" if wide else "<iI"
    width = struct.calcsize(step)
    pairs = [struct.unpack_from(step, dynamic, at) for at in range(0, len(dynamic) - width + 1, width)]
    strings = _strings(file, dict(pairs), headers)
    return ElfProgram(
        interpreter=_text(interpreter, 0),
        needed=tuple(_text(strings, value) for tag, value in pairs if tag == _NEEDED),
        run_path=tuple(
            part for tag, value in pairs if tag in (_RPATH, _RUNPATH) for part in _text(strings, value).split(":")
        ),
    )


def _header(raw: bytes, *, wide: bool) -> tuple[int, int, int, int]:
    """Kind, place in the file, address, length."""
    if wide:
        kind, _flags, offset, address, _physical, length = struct.unpack_from("<IIQQQQ", raw)
    else:
        kind, offset, address, _physical, length = struct.unpack_from("<IIIII", raw)
    return kind, offset, address, length


def _strings(file: t.BinaryIO, dynamic: t.Mapping[int, int], headers: t.Sequence[tuple[int, int, int, int]]) -> bytes:
    address = dynamic.get(_STRTAB, 0)
    for kind, offset, start, length in headers:
        if kind == _LOAD and start <= address < start + length:
            return _at(file, offset + address - start, min(dynamic.get(_STRSZ, 0), MAX_STRINGS))
    return b""


def _at(file: t.BinaryIO, offset: int, count: int) -> bytes:
    file.seek(offset)
    return file.read(min(count, MAX_STRINGS))


def _text(data: bytes, start: int) -> str:
    return data[start : start + 4096].partition(b"\0")[0].decode("utf-8", "surrogateescape")
