# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Blocks of a device that a tool has changed in a layer over it: which they are, and moving them about.

A file system is repaired in its layer first. Then the changed blocks are known, and their old contents, so the
repair can be written down before it reaches the disk, and taken back exactly, whatever the tool was.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import hashlib
import os
import struct
import typing as t

__all__ = (
    "CHUNK",
    "Extents",
    "changed_chunks",
    "copy_device",
    "differing",
    "head",
    "matches",
    "put_blocks",
    "take_blocks",
)

#: the unit in which changes are found
CHUNK = 4096
#: what a disk writes whole or not at all
SECTOR = 512

#: (offset, length) in bytes, in order
Extents = list[tuple[int, int]]

_PIECE = 1024 * 1024
_HEAD = 128 * 1024
_MAGIC = 0x70416E53


def changed_chunks(cow: str) -> list[int]:
    """Numbers of the chunks that a persistent snapshot holds, read from the store of device-mapper.

    The store: a header, then areas of one chunk of pairs (chunk of the origin, chunk here) with the chunks behind it.
    """
    found: list[int] = []
    with open(cow, "rb") as file:
        magic, _valid, version, sectors = struct.unpack("<4I", file.read(16))
        if magic != _MAGIC or version != 1 or sectors * 512 != CHUNK:
            raise ValueError(f"{cow} is no snapshot store")
        per_area = CHUNK // 16
        area = 0
        while True:
            file.seek((1 + area * (per_area + 1)) * CHUNK)
            data = file.read(CHUNK)
            for old, new in struct.iter_unpack("<2Q", data):
                if new == 0:
                    return sorted(found)
                found.append(old)
            if len(data) < CHUNK:
                return sorted(found)
            area += 1


def differing(device: str, layer: str, chunks: t.Iterable[int]) -> Extents:
    """Where the two really differ, among these chunks."""
    extents: Extents = []
    with open(device, "rb") as old, open(layer, "rb") as new:
        for chunk in chunks:
            before, after = (os.pread(file.fileno(), CHUNK, chunk * CHUNK) for file in (old, new))
            if before == after:
                continue
            if extents and sum(extents[-1]) == chunk * CHUNK:
                extents[-1] = (extents[-1][0], extents[-1][1] + len(after))
            else:
                extents.append((chunk * CHUNK, len(after)))
    return extents


def take_blocks(device: str, extents: Extents, target: t.BinaryIO) -> str:
    """Copy blocks of a device to a file, one behind the other; returns their hash."""
    hasher = hashlib.sha256()
    with open(device, "rb") as file:
        for offset, length in extents:
            for piece in _pieces(file.fileno(), offset, length):
                hasher.update(piece)
                target.write(piece)
    return hasher.hexdigest()


def put_blocks(source: str, device: str, extents: Extents) -> None:
    """Write blocks from such a file to where they belong, and wait until they are there."""
    fd = os.open(device, os.O_WRONLY | os.O_CLOEXEC)
    try:
        with open(source, "rb") as file:
            for offset, length in extents:
                data = file.read(length)
                while data:
                    written = os.pwrite(fd, data, offset)
                    data, offset = data[written:], offset + written
        os.fsync(fd)
    finally:
        os.close(fd)


def matches(device: str, extents: Extents, *files: str) -> bool:
    """Whether every sector of the device is what it is in one of the files: less than one is never written."""
    fds = [os.open(name, os.O_RDONLY | os.O_CLOEXEC) for name in (device, *files)]
    position = 0
    try:
        for offset, length in extents:
            for start in range(0, length, CHUNK):
                size = min(CHUNK, length - start)
                now = os.pread(fds[0], size, offset + start)
                wanted = [os.pread(fd, size, position + start) for fd in fds[1:]]
                if now not in wanted and not _is_torn(now, wanted):
                    return False
            position += length
        return True
    finally:
        for fd in fds:
            os.close(fd)


def _is_torn(now: bytes, wanted: t.Sequence[bytes]) -> bool:
    """Whether a write was cut in the middle of a chunk, as by a power failure."""
    return all(
        any(now[at : at + SECTOR] == content[at : at + SECTOR] for content in wanted)
        for at in range(0, len(now), SECTOR)
    )


def head(device: str) -> str:
    """The hash of a device's first blocks, where most file systems note that they were mounted."""
    with open(device, "rb") as file:
        return hashlib.sha256(file.read(_HEAD)).hexdigest()


def copy_device(device: str, target: str) -> None:
    """A sparse copy of a whole device."""
    with open(device, "rb") as source, open(target, "wb") as file:
        for piece in iter(lambda: source.read(_PIECE), b""):
            if piece.count(0) == len(piece):
                file.seek(len(piece), os.SEEK_CUR)
            else:
                file.write(piece)
        file.truncate(source.tell())


def _pieces(fd: int, offset: int, length: int) -> t.Iterator[bytes]:
    for start in range(0, length, _PIECE):
        yield os.pread(fd, min(_PIECE, length - start), offset + start)
