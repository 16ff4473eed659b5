# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An initramfs, read as the kernel unpacks it: cpio archives and compressed streams, one after the other.

Bounded in memory (what a stream asks for, and one piece of it) and in time, whatever the file is.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import bz2
import dataclasses
import errno
import lzma
import re
import typing as t
import zlib

__all__ = ("MAX_SIZE", "Condition", "Source", "end_of_zstd", "examine", "is_empty", "is_zstd")

Condition = t.Literal["sound", "empty", "truncated", "unknown"]

CHUNK = 1024 * 1024
SEEK_END, SEEK_DATA = 2, 3
#: larger ones are not looked through; a bomb is not unpacked to its end
MAX_SIZE = 1024 * CHUNK
MAX_UNPACKED = 2 * 1024 * CHUNK
#: ``xz -9`` needs 65 MiB to unpack
MAX_MEMORY = 160 * CHUNK

_CPIO = (b"070701", b"070702")
_GZIP, _BZIP2, _XZ, _LZMA = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"]\x00\x00"
_ZSTD, _LZ4_LEGACY = b"\x28\xb5\x2f\xfd", b"\x02\x21\x4c\x18"


class _CannotTell(Exception):
    """The file may be sound, but finding out would take too much."""


class _Damaged(Exception):
    """The file ends before it should, or holds what cannot be unpacked."""


@dataclasses.dataclass(frozen=True)
class Source:
    """A file, and the question whether there is no time left to read on."""

    file: t.BinaryIO
    is_over: t.Callable[[], bool] = lambda: False

    def at(self, offset: int, count: int) -> bytes:
        self.file.seek(offset)
        return self.file.read(count)

    def size(self) -> int:
        return self.file.seek(0, SEEK_END)

    def check(self) -> None:
        if self.is_over():
            raise _CannotTell

    def next_data(self, offset: int) -> int:
        """The first place from here on that is no hole, where the file system tells."""
        try:
            return self.file.seek(offset, SEEK_DATA)
        except ValueError:  # not a file of a file system
            return offset
        except OSError as exc:
            return self.size() if exc.errno == errno.ENXIO else offset


def examine(source: Source) -> Condition:
    """Read an initramfs to its end."""
    if is_empty(source):
        return "empty"
    if source.size() > MAX_SIZE:
        return "unknown"
    try:
        return _walk(source)
    except _Damaged:
        return "truncated"
    except _CannotTell:
        return "unknown"


def is_empty(source: Source) -> bool:
    """Whether it has no content, or begins with zeros where data were never written."""
    return not source.at(0, 4096).strip(b"\0")


def is_zstd(source: Source) -> bool:
    return source.at(0, 4) == _ZSTD


def end_of_zstd(source: Source) -> int:
    """Where the Zstandard frame that the file begins with ends, without the padding behind it; 0 if nowhere."""
    try:
        return _end_of_zstd(source, 0)
    except (_Damaged, _CannotTell):
        return 0


def _walk(source: Source) -> Condition:
    main = False
    offset = 0
    while True:
        source.check()
        offset = _skip_zeros(source, offset)
        magic = source.at(offset, 6)
        if not magic:
            # An early archive alone holds microcode, but no system.
            return "sound" if main else "truncated"
        if magic in _CPIO:
            offset, early = _end_of_cpio(source, offset)
            main = main or not early
            continue
        walker = next((walk for magics, walk in _STREAMS if magic.startswith(magics)), None)
        if walker is None:
            return "unknown" if not main and offset == 0 else "sound"
        offset, main = walker(source, offset), True


def _skip_zeros(source: Source, offset: int) -> int:
    while True:
        source.check()
        offset = source.next_data(offset)
        chunk = source.at(offset, CHUNK)
        kept = chunk.lstrip(b"\0")
        offset += len(chunk) - len(kept)
        if kept or not chunk:
            return offset


def _end_of_cpio(source: Source, offset: int) -> tuple[int, bool]:
    """Where an archive ends, and whether it is the early one with microcode only."""
    early, size = True, source.size()
    while True:
        source.check()
        header = source.at(offset, 110)
        if len(header) < 110 or header[:6] not in _CPIO:
            raise _Damaged
        try:
            data_size, name_size = int(header[54:62], 16), int(header[94:102], 16)
        except ValueError:
            raise _Damaged from None
        name = source.at(offset + 110, min(name_size, 4096)).rstrip(b"\0")
        offset = _aligned(_aligned(offset + 110 + name_size) + data_size)
        if offset > size + 3:
            raise _Damaged
        if name == b"TRAILER!!!":
            return min(offset, size), early
        if not re.match(rb"^(?:\.|\./)?(?:early_cpio|kernel(?:/.*)?)?$", name):
            early = False


def _aligned(offset: int) -> int:
    return (offset + 3) & ~3


def _end_of_gzip(source: Source, offset: int) -> int:
    stream = zlib.decompressobj(wbits=31)
    read, unpacked = offset, 0
    while not stream.eof:
        source.check()
        chunk = stream.unconsumed_tail
        if not chunk:
            chunk = source.at(read, CHUNK)
            read += len(chunk)
        if not chunk:
            raise _Damaged
        try:
            unpacked += len(stream.decompress(chunk, CHUNK))
        except zlib.error:
            raise _Damaged from None
        if unpacked > MAX_UNPACKED:
            raise _CannotTell
    return read - len(stream.unused_data)


def _end_of_bzip2(source: Source, offset: int) -> int:
    return _decompress(source, offset, bz2.BZ2Decompressor())


def _end_of_xz(source: Source, offset: int) -> int:
    return _decompress(source, offset, lzma.LZMADecompressor(memlimit=MAX_MEMORY))


def _decompress(source: Source, offset: int, stream: bz2.BZ2Decompressor | lzma.LZMADecompressor) -> int:
    read, unpacked = offset, 0
    while not stream.eof:
        source.check()
        chunk = source.at(read, CHUNK) if stream.needs_input else b""
        read += len(chunk)
        if stream.needs_input and not chunk:
            raise _Damaged
        try:
            unpacked += len(stream.decompress(chunk, CHUNK))
        except lzma.LZMAError as exc:
            # The library has one class for all its errors.
            raise (_CannotTell if "limit" in str(exc) else _Damaged) from None
        except (OSError, EOFError):
            raise _Damaged from None
        if unpacked > MAX_UNPACKED:
            raise _CannotTell
    return read - len(stream.unused_data)


def _end_of_zstd(source: Source, offset: int) -> int:
    """From the sizes of its blocks (RFC 8878); nothing is unpacked."""
    size = source.size()
    descriptor = source.at(offset + 4, 1)
    if not descriptor:
        raise _Damaged
    flags = descriptor[0]
    single = bool(flags & 0x20)
    content = (1 if single else 0, 2, 4, 8)[flags >> 6]
    offset += 5 + (0 if single else 1) + (0, 1, 2, 4)[flags & 3] + content
    while True:
        source.check()
        header = int.from_bytes(source.at(offset, 3), "little")
        kind, length = (header >> 1) & 3, header >> 3
        offset += 3 + (1 if kind == 1 else length)
        if offset > size or kind == 3:
            raise _Damaged
        if header & 1:
            offset += 4 if flags & 4 else 0
            if offset > size:
                raise _Damaged
            return offset


def _end_of_lz4(source: Source, offset: int) -> int:
    """A legacy LZ4 stream ends with the file or at what is no block."""
    offset, size = offset + 4, source.size()
    while offset < size:
        source.check()
        header = source.at(offset, 4)
        length = int.from_bytes(header, "little")
        # A block holds 8 MiB at most; more is the next thing in the file, such as padding.
        if len(header) == 4 and (length == 0 or length > 9 * CHUNK):
            return offset
        if len(header) < 4:
            if header.strip(b"\0"):
                raise _Damaged
            return offset
        offset += 4 + length
        if offset > size:
            raise _Damaged
    return offset


_STREAMS: tuple[tuple[bytes | tuple[bytes, ...], t.Callable[[Source, int], int]], ...] = (
    (_ZSTD, _end_of_zstd),
    (_LZ4_LEGACY, _end_of_lz4),
    (_GZIP, _end_of_gzip),
    (_BZIP2, _end_of_bzip2),
    ((_XZ, _LZMA), _end_of_xz),
)
