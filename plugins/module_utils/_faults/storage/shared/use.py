# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a server uses a device: what stops without it, and what nobody would miss.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ...._patient.tree.fstab import lines_of
from ...model import Finding, Severity

if t.TYPE_CHECKING:
    from ...._patient.patient import Filesystem, Patient

__all__ = ("Use", "is_shared", "use_of", "weigh_damage", "weigh_lost")


@dataclasses.dataclass(frozen=True)
class Use:
    """What the mounted patient says of a device.

    :param known: whether there is an operating system that could say it.
    :param named: whether it is the root, or fstab names it, or it was recognised as a part of the system.
    :param needed: whether the boot stops without it.
    :param checked: whether the boot checks it, and stops where the check does.
    """

    known: bool
    named: bool = False
    needed: bool = False
    checked: bool = False


def use_of(patient: Patient, item: Filesystem, *, names: t.Collection[str] = ()) -> Use:
    """:param names: other names of the device, which it does not answer to any more."""
    root = patient.root
    if root is None or patient.opened_tree is None:
        return Use(known=False)
    if item.device == root.device or (item.uuid and (item.uuid, item.fstype) == (root.uuid, root.fstype)):
        return Use(known=True, named=True, needed=True, checked=True)
    lines = lines_of(patient, item, names=names)
    needed = [entry for entry in lines if entry.stops_boot]
    part = next((known.mount_point for known in patient.filesystems if known.device == item.device), None)
    return Use(
        known=True,
        named=bool(lines) or part is not None,
        # The boot loader needs /boot whatever fstab says of it.
        needed=bool(needed) or part == "/boot",
        checked=any(entry.passno > 0 for entry in needed),
    )


def is_shared(item: Filesystem) -> bool:
    """Whether other servers use its disk at this moment: what is half written then looks like damage."""
    return item.shared


def weigh_damage(finding: Finding, use: Use, *, mounts: bool) -> Finding:
    """What stops the boot is critical; what the server does not use is a warning, and never repaired unasked.

    :param mounts: whether the file system can be mounted all the same.
    """
    if finding.severity == "info":
        return dataclasses.replace(finding, remedy_safe=finding.remedy_safe and use.named)
    severity: Severity = "error"
    if not mounts and finding.confidence == "low":
        severity = "warning"  # nobody can tell whether it is damaged at all
    elif not use.known:
        severity = "critical" if not mounts else finding.severity
    elif not use.named:
        severity = "warning"
    elif (use.needed and not mounts) or (use.checked and finding.severity == "critical"):
        severity = "critical"
    return dataclasses.replace(finding, severity=severity, remedy_safe=finding.remedy_safe and use.named)


def weigh_lost(finding: Finding, use: Use) -> Finding:
    """A disk that was wiped keeps the copies of its superblock too: what the server does not name is left alone."""
    if not use.known:
        return dataclasses.replace(finding, remedy_safe=False)
    if not use.named:
        what = f"{finding.summary}, or was wiped: the server does not use it"
        return dataclasses.replace(finding, severity="info", summary=what, remedy_safe=False)
    severity: Severity = finding.severity if use.needed or finding.severity != "critical" else "error"
    return dataclasses.replace(finding, severity=severity)
