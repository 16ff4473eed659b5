# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The patient's /etc/fstab, read once, and what it says of a device.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ..._formats.fstab import FstabEntry, read_lines

if t.TYPE_CHECKING:
    from ..patient import Filesystem, Patient

__all__ = ("FSTAB", "fstab_lines", "lines_of")

FSTAB = "/etc/fstab"


def fstab_lines(patient: Patient) -> list[FstabEntry]:
    """All lines of the mounted patient, also those that nobody can use."""
    return patient.once("fstab-lines", lambda: read_lines(patient.tree.read_text(FSTAB) or ""))


def lines_of(patient: Patient, item: Filesystem, *, names: t.Collection[str] = ()) -> list[FstabEntry]:
    """The usable lines that name this device.

    :param names: other names of it, which no device answers to any more.
    """
    found = []
    for entry in fstab_lines(patient):
        if len(entry.fields) < 3:
            continue
        named = patient.lookup(entry.spec).filesystem
        if entry.spec in names or (named is not None and named.device == item.device):
            found.append(entry)
    return found
