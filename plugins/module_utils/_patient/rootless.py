# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why a patient has no root: locked, incomplete, damaged and unsupported are not the same as empty.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .._errors import OpenRescueError
from .devices.graph import Closed

__all__ = (
    "Damaged",
    "Incomplete",
    "Locked",
    "NoRoot",
    "NotWritten",
    "SeveralRoots",
    "SharedDisk",
    "StillDamaged",
    "Unsupported",
    "why_no_root",
)


class NoRoot(OpenRescueError):
    """No operating system was found on the disks."""

    code = "no_root"


class Locked(NoRoot):
    """It may be in a container that is locked."""

    code = "patient_locked"


class Incomplete(NoRoot):
    """It may be on a unit of which a part is not here."""

    code = "patient_incomplete"


class Damaged(NoRoot):
    """It may be on a file system that cannot be mounted."""

    code = "patient_damaged"


class Unsupported(NoRoot):
    """It may be in something that nobody opens here."""

    code = "patient_unsupported"


class SeveralRoots(OpenRescueError):
    """Several operating systems, and nothing says which of them the server boots: none is written to."""

    code = "several_roots"


class NotWritten(OpenRescueError):
    """This device must not be written to as it is."""

    code = "not_written"


class SharedDisk(NotWritten):
    """Other servers use its disk at this moment."""


class StillDamaged(NotWritten):
    """Its file system is damaged, and what is written to it can destroy what is on it."""

    code = "filesystem_damaged"


_KINDS: tuple[tuple[str, type[NoRoot], str], ...] = (
    ("locked", Locked, "Give its passphrase with 'luks_passphrases'"),
    ("incomplete", Incomplete, "Attach all disks of the server"),
    ("absent", Incomplete, "Attach all disks of the server"),
    ("unsupported", Unsupported, "Look at the disk with the tools that made it"),
)


def why_no_root(closed: t.Sequence[Closed], unmountable: t.Mapping[str, str], unsupported: t.Sequence[str]) -> NoRoot:
    """The first reason in the order in which a person can do something about it, with all that is known.

    :param unmountable: device -> why its file system cannot be mounted.
    :param unsupported: what was found in file systems, such as ``/dev/vdb4 holds an ostree system``.
    """
    damaged = [f"{device} cannot be mounted: {reason}" for device, reason in unmountable.items()]
    texts = [item.text for item in closed]
    for kind, error, hint in _KINDS:
        if any(item.kind == kind for item in closed):
            return error("; ".join([*texts, *damaged, *unsupported]), hint=hint)
    if unsupported:
        return Unsupported("; ".join([*unsupported, *damaged]), hint="It is not supported yet")
    if damaged:
        return Damaged("; ".join(damaged), hint="Repair it with openrescue.server.disk_repair")
    return NoRoot("the disk holds no operating system", hint="Look at it with openrescue.server.disk_diagnose")
