# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the kernel's command line leads to the patient's root file system.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from ...._formats.fstab import parse_fstab
from ...engine.verdict import Answer

if t.TYPE_CHECKING:
    from ...._formats.kernel_cmdline import CommandLine
    from ...._patient.patient import Filesystem, Patient

__all__ = ("root",)

_TAGS = re.compile(r"^(?:(?:UUID|LABEL|PARTUUID|PARTLABEL)=.|/dev/disk/by-(?:uuid|label|partuuid|partlabel)/.)")


def root(patient: Patient, options: CommandLine | None) -> Answer:
    """``root=`` names the file system that holds the patient."""
    if options is None or patient.root is None:
        return Answer("unknown", "no entry says which root file system is used")
    spec = options.last("root")
    if not spec:
        return Answer("unknown", "the command line names no root file system")
    found = patient.lookup(spec)
    if found.filesystem is None:
        certain = found.is_absent and _TAGS.match(spec) is not None
        return Answer("broken" if certain else "unknown", f"root={spec} is not there {found.unknown}".rstrip())
    if found.filesystem.device != patient.root.device and found.filesystem.uuid != patient.root.uuid:
        return Answer(
            "unknown", f"root={spec} is {found.filesystem.device}, but the system is on {patient.root.device}"
        )
    doubt = _subvolume(patient, options) or _kept_back(options, spec, found.filesystem)
    return Answer("unknown", doubt) if doubt else Answer("ok", f"root={spec} is {patient.root.device}")


def _subvolume(patient: Patient, options: CommandLine) -> str:
    """Why the subvolume of the command line may be another than the one that fstab mounts; empty if it is the same."""
    if patient.root is None or patient.root.fstype != "btrfs":
        return ""
    flags = ",".join(options.all("rootflags"))
    named = re.search(r"(?:^|,)subvol=/?([^,]+)", flags)
    entries = parse_fstab(patient.tree.read_text("/etc/fstab") or "")
    mounted = next((entry.option("subvol") for entry in entries if entry.mount_point == "/"), None)
    if named and mounted and named[1].strip("/") != mounted.strip("/"):
        return f"the command line takes the subvolume {named[1]}, but fstab {mounted}"
    return ""


def _kept_back(options: CommandLine, spec: str, item: Filesystem) -> str:
    """Why dracut would not put this volume together; empty if it would."""
    volumes = options.all("rd.lvm.lv")
    names = {spec, item.device, *item.aliases}
    if not volumes or options.all("rd.lvm.vg") or not any(f"/dev/{volume}" in item.aliases for volume in volumes):
        by_lvm = any(re.match(r"^/dev/mapper/[^/]+-[^/]+$", name) for name in names)
        if volumes and by_lvm and not options.all("rd.lvm.vg"):
            return f"only {', '.join(volumes)} are put together in time (rd.lvm.lv)"
    return ""
