# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The initramfs of the kernel that boots by default is empty: the file is there, its data were never written.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from ..model import Fault
from .shared.initramfs import detect_as, repair, words

__all__ = ("INITRAMFS_EMPTY",)

ID = "initramfs-empty"

INITRAMFS_EMPTY = Fault(
    id=ID,
    title="The initramfs of the default kernel is empty",
    detect=detect_as(ID, "empty", "is empty"),
    repair=repair,
    safe=True,
    words=words(
        meaning="The initramfs of the default boot entry is there, but has no content, or zeros where its content "
        "should be: the machine went down, or the disk was full, while it was written.",
        effect="The kernel starts without an initramfs, finds no root file system and panics: ``Unable to mount root "
        "fs``. On the console that looks as if the file was missing.",
        detection="The boot is followed to the entry that starts by default, and the beginning of its initramfs is "
        "read.",
    ),
)
