# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an entry loads: which of its files is the initramfs, and which release its kernel is.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from ...._formats.kernel_image import read_kernel_image

if t.TYPE_CHECKING:
    from ...._formats.boot_entry import BootEntry
    from ...._patient.patient import Patient

__all__ = ("initramfs_of", "is_release", "release_of")

_RELEASE = re.compile(r"[\w.+~-]{1,128}")
_MICROCODE = re.compile(r"ucode|microcode")


def initramfs_of(entry: BootEntry) -> str | None:
    """The last file that the entry names beside microcode."""
    return next((path for path in reversed(entry.initrds) if not _MICROCODE.search(path)), None)


def is_release(name: str) -> bool:
    """Whether a kernel's release can be a directory's name."""
    return bool(_RELEASE.fullmatch(name)) and name not in (".", "..")


def release_of(patient: Patient, path: str) -> str:
    """The kernel's release, as its file says it or is named; empty if it cannot be a directory's name."""
    name = path.rsplit("/", 1)[-1].partition("-")[2]
    file = patient.tree.open(path) if patient.tree.is_file(path) else None
    if file is not None:
        with file:
            name = read_kernel_image(file).release or name
    return name if is_release(name) else ""
