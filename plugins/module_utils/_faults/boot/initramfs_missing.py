# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kernel that boots by default has no initramfs, without which it finds no root file system.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from ..model import Fault, Signature
from .shared.initramfs import detect_as, repair, words

__all__ = ("INITRAMFS_MISSING",)

ID = "initramfs-missing"

INITRAMFS_MISSING = Fault(
    id=ID,
    title="The default kernel has no initramfs",
    signatures=(
        Signature(
            r"error: (?:\S{1,80}:\d{1,5}: ?)?file [`']([^`']{0,200}initr[^`']{1,100})' not found",
            "the boot loader does not find the initramfs {0}",
        ),
        Signature(
            r"VFS: (?:Cannot open root device \"?([^\"]{0,100}?)\"? or"
            r"|Unable to mount root fs on) (?:\"[^\"]{0,100}\" or )?unknown-block",
            "the kernel found no root file system: it was started without an initramfs that it could use",
            confidence="medium",
        ),
    ),
    detect=detect_as(ID, None, "is missing"),
    repair=repair,
    safe=True,
    words=words(
        meaning="The initramfs that the default boot entry names is not there: an update was cut off, or somebody "
        "made room in ``/boot``.",
        effect="GRUB says that the file is not found and waits for a key. A kernel that is started without its "
        "initramfs finds no root file system, and panics.",
        detection="The boot is followed to the entry that starts by default, and the file that it names is looked "
        "for. Where no menu says what starts, the newest kernel with modules is judged. Where ``/boot`` cannot be "
        "mounted, nobody can tell.",
    ),
)
