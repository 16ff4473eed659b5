# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kernels, EFI programs and ELF programs, as small as their readers take them."""

from __future__ import annotations

import struct
import typing as t


def bzimage(release: str = "6.1.0-1-amd64", *, paragraphs: int = 1000) -> bytes:
    """A kernel by the boot protocol of x86."""
    data = bytearray((4 + 1) * 512 + paragraphs * 16)
    data[:2] = b"MZ"
    data[0x1F1] = 4
    struct.pack_into("<I", data, 0x1F4, paragraphs)
    data[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", data, 0x20E, 0x300)
    data[0x500 : 0x500 + len(release) + 20] = f"{release} (builder@host) #1".encode()[: len(release) + 20].ljust(
        len(release) + 20, b"\0"
    )
    return bytes(data)


def efi_program(sections: t.Mapping[str, bytes]) -> bytes:
    """A PE file with these sections and no optional header."""
    out = bytearray(b"MZ".ljust(60, b"\0") + struct.pack("<I", 64) + b"PE\0\0" + bytes(20))
    struct.pack_into("<H", out, 64 + 6, len(sections))
    offset = len(out) + 40 * len(sections)
    for name, content in sections.items():
        out += name.encode().ljust(8, b"\0") + struct.pack("<IIII", len(content), 0, len(content), offset) + bytes(16)
        offset += len(content)
    return bytes(out) + b"".join(sections.values())


def elf(interpreter: str = "", needed: tuple[str, ...] = (), run_path: str = "") -> bytes:
    """A program of 64 bits that needs these libraries."""
    strings = b"\0" + b"".join(name.encode() + b"\0" for name in (*needed, run_path))
    places = [strings.index(name.encode() + b"\0") for name in needed]
    base = 64 + 3 * 56
    texts = interpreter.encode() + b"\0"
    dynamic = [(1, place) for place in places] + [(5, base + len(texts)), (10, len(strings))]
    if run_path:
        dynamic.append((29, strings.index(run_path.encode() + b"\0")))
    table = b"".join(struct.pack("<qQ", *pair) for pair in [*dynamic, (0, 0)])
    start = base + len(texts) + len(strings)
    total = start + len(table)
    headers = [
        (1, 0, 0, total),
        *([(3, base, base, len(texts))] if interpreter else []),
        (2, start, start, len(table)),
    ]
    head = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack(
        "<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, len(headers), 0, 0, 0
    )
    packed = b"".join(
        struct.pack("<IIQQQQQQ", kind, 4, at, address, address, size, size, 8) for kind, at, address, size in headers
    )
    return head + packed.ljust(3 * 56, b"\0") + texts + strings + table


UKI = efi_program(
    {".linux": bzimage(), ".initrd": b"x" * 99, ".cmdline": b"root=UUID=1 ro\n\0", ".uname": b"6.1.0-1-amd64"}
)
SAMPLES = {"elf": elf("/lib/ld.so", ("libc.so.6",)), "uki": UKI, "kernel": bzimage()}


def spoiled(sample: bytes) -> t.Iterator[bytes]:
    """Its head with numbers that nobody should believe, and cut."""
    for at in range(0, min(len(sample), 400), 7):
        for value in (b"\xff" * 8, struct.pack("<Q", 1 << 40)):
            yield sample[:at] + value + sample[at + 8 :]
        yield sample[:at]
