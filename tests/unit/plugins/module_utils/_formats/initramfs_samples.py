# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Initramfs files of every kind that the kernel unpacks, made here."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random


def cpio(*names: str, size: int = 50000) -> bytes:
    """An archive in the format that the kernel unpacks."""
    out = b""
    for name in (*names, "TRAILER!!!"):
        data = b"" if name == "TRAILER!!!" else random.Random(name).randbytes(size)
        numbers = [1, 0o100644, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
        out += b"070701" + b"".join(f"{number:08X}".encode() for number in numbers) + name.encode() + b"\0"
        out += b"\0" * (-len(out) % 4) + data
        out += b"\0" * (-len(out) % 4)
    return out


def lz4_legacy(data: bytes) -> bytes:
    """One block of literals only, which is a valid block."""
    length, rest = b"", len(data) - 15
    while rest >= 255:
        length, rest = length + b"\xff", rest - 255
    block = b"\xf0" + length + bytes([rest]) + data
    return b"\x02\x21\x4c\x18" + len(block).to_bytes(4, "little") + block


def zstd(data: bytes) -> bytes:
    """A frame of raw blocks, with a sum."""
    blocks = [data[start : start + 65536] for start in range(0, len(data), 65536)]
    out = b"\x28\xb5\x2f\xfd" + b"\x84\x58" + len(data).to_bytes(4, "little")
    for number, block in enumerate(blocks):
        last = number == len(blocks) - 1
        out += ((len(block) << 3) | last).to_bytes(3, "little") + block
    return out + b"\x01\x02\x03\x04"


MAIN = cpio("init", "bin/sh", "lib/modules/x.ko")
EARLY = cpio("early_cpio", "kernel", "kernel/x86", "kernel/x86/microcode", "kernel/x86/microcode/AuthenticAMD.bin")
SOUND = {
    "plain": MAIN,
    "gzip": gzip.compress(MAIN, mtime=0),
    "xz": lzma.compress(MAIN, check=lzma.CHECK_CRC32),
    "lzma": lzma.compress(MAIN, format=lzma.FORMAT_ALONE),
    "bzip2": bz2.compress(MAIN),
    "lz4": lz4_legacy(MAIN),
    "zstd": zstd(MAIN),
}
