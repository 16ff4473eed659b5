# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An image is refused only where it is certain that nothing boots from it."""

from __future__ import annotations

import gzip
import lzma
import struct

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._libvirt.image_head import HEAD, cannot_boot

MBR = b"\0" * 510 + b"\x55\xaa"
ISO = b"\0" * 32769 + b"CD001"


def qcow2(version: int = 3, bits: int = 16, size: int = 1 << 30) -> bytes:
    return struct.pack(">4sIQIIQ", b"QFI\xfb", version, 0, 0, bits, size) + b"\0" * 80


#: head, format, whether the kernel comes from elsewhere -> word of the reason, or none
TABLE: dict[str, tuple[bytes, str, bool, str]] = {
    "a disk with an MBR, or with a GPT": (MBR, "raw", False, ""),
    "an ISO image": (ISO, "raw", False, ""),
    "a hybrid ISO image": (MBR + ISO[512:], "raw", False, ""),
    "a FAT file system without partitions": (b"\xeb\x3c\x90" + MBR[3:], "raw", False, ""),
    "a SCSI disk of s390x": (b"zIPL" + b"\0" * 1000, "raw", False, ""),
    "a DASD": (b"\xc9\xd7\xd3\xf1" + b"\0" * 1000, "raw", False, ""),
    "a file system, with a kernel from elsewhere": (b"\0" * HEAD, "raw", True, ""),
    "a qcow2 image": (qcow2(), "qcow2", False, ""),
    "an old qcow2 image": (qcow2(version=2, bits=12), "qcow2", False, ""),
    "a qcow2 image, with a kernel from elsewhere": (qcow2(), "qcow2", True, ""),
    "a file system": (b"\0" * HEAD, "raw", False, "neither a boot sector"),
    "a text": (b"<!DOCTYPE html><title>404</title>", "raw", False, "neither a boot sector"),
    "nothing": (b"", "raw", False, "neither a boot sector"),
    "a damaged qcow2 image": (b"QFI\xfb" + b"\xff" * 500, "raw", False, "damaged"),
    "a qcow2 image that was cut": (qcow2()[:20], "qcow2", False, "damaged"),
    "a qcow2 image of no size": (qcow2(size=0), "qcow2", False, "damaged"),
    "a damaged qcow2 image, with a kernel from elsewhere": (qcow2(version=9), "qcow2", True, "damaged"),
    "packed by gzip": (gzip.compress(MBR), "raw", False, "gzip"),
    "packed by xz": (lzma.compress(MBR), "raw", True, "xz"),
}


@pytest.mark.parametrize("case", TABLE)
def test_what_the_first_bytes_say(case: str) -> None:
    head, form, direct, word = TABLE[case]
    said = cannot_boot(head[:HEAD], form, direct=direct)
    assert (word in said) and bool(said) is bool(word), said
