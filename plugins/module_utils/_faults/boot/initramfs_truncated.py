# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The initramfs of the kernel that boots by default ends before it should, or cannot be unpacked.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from ..model import Fault, Signature
from .shared.initramfs import detect_as, repair, words

__all__ = ("INITRAMFS_TRUNCATED",)

ID = "initramfs-truncated"

INITRAMFS_TRUNCATED = Fault(
    id=ID,
    title="The initramfs of the default kernel is cut off or damaged",
    signatures=(
        Signature(
            r"Initramfs unpacking failed: (.{1,80})",
            "the kernel could not unpack its initramfs: {0}",
        ),
        Signature(
            r"rootfs image is not initramfs \((.{1,80}?)\)",
            "the kernel could not unpack its initramfs: {0}",
        ),
        Signature(
            r"RAMDISK: (?:\S{1,10} )?(?:ran out of|EOF while reading) compressed data"
            r"|RAMDISK: (?:\S{1,10} )?(?:incomplete write|invalid magic)",
            "the kernel could not unpack its initramfs",
        ),
        Signature(
            r"error: (?:\S{1,80}:\d{1,5}: ?)?premature end of file ([^ ]{0,200}initr[^ ]{1,100}?)\.?$",
            "the boot loader could not read the initramfs {0} to its end",
        ),
    ),
    detect=detect_as(ID, "truncated", "is cut off or damaged"),
    repair=repair,
    safe=True,
    words=words(
        meaning="The initramfs of the default boot entry ends before it should, or its content is damaged: it was "
        "written to a full ``/boot``, or the machine went down meanwhile.",
        effect="The kernel says ``Initramfs unpacking failed``. It then panics, or what it did unpack lacks programs "
        "and goes round in circles looking for the root file system.",
        detection="The initramfs of the entry that starts by default is read and unpacked to its end. One that "
        "takes longer than two minutes, or is larger than 1 GiB, is not judged.",
    ),
)
