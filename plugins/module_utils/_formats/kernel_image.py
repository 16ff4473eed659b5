# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A kernel as boot loaders load it: of which kind it is, whether it is whole, and its release.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import struct
import typing as t

__all__ = ("KernelImage", "read_kernel_image")

#: smaller than any kernel that runs a server
SMALLEST = 256 * 1024
#: what a file may lack of the size that its head says, as padding does
PADDING = 4096
SEEK_END = 2


@dataclasses.dataclass(frozen=True)
class KernelImage:
    """What the head of a kernel's file says.

    :param kind: ``bzImage``, ``EFI program``, ``arm64 image``, ``gzip``; empty if it is of no known kind.
    :param problem: why it certainly cannot be loaded; empty if nothing is wrong.
    :param release: as ``uname -r`` says it; empty where the file does not say.
    """

    kind: str
    problem: str = ""
    release: str = ""


def read_kernel_image(file: t.BinaryIO) -> KernelImage:
    """Judge by the head and the size; nothing is unpacked."""
    size = file.seek(0, SEEK_END)
    file.seek(0)
    head = file.read(0x10000)
    if not head.strip(b"\0"):
        return KernelImage("", "it is empty" if size == 0 else "it begins with zeros where data were never written")
    if len(head) >= 0x264 and head[0x202:0x206] == b"HdrS":
        return _bzimage(head, size)
    kind = next((name for at, magic, name in _MAGICS if head[at : at + len(magic)] == magic), "")
    if kind and size < SMALLEST:
        return KernelImage(kind, f"it has only {size} bytes")
    return KernelImage(kind)


_MAGICS = (
    (0, b"MZ", "EFI program"),
    (0x38, b"ARM\x64", "arm64 image"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"\x7fELF", "ELF"),
)


def _bzimage(head: bytes, size: int) -> KernelImage:
    """By the boot protocol of x86: so many sectors of setup, then so many paragraphs of kernel."""
    sectors = head[0x1F1] or 4
    paragraphs = struct.unpack_from("<I", head, 0x1F4)[0]
    needed = (sectors + 1) * 512 + paragraphs * 16
    pointer = struct.unpack_from("<H", head, 0x20E)[0]
    text = head[pointer + 0x200 : pointer + 0x200 + 256].partition(b"\0")[0] if pointer else b""
    release = text.decode("ascii", "replace").partition(" ")[0]
    problem = f"it ends after {size} of {needed} bytes" if size + PADDING < needed else ""
    return KernelImage("bzImage", problem, release)
