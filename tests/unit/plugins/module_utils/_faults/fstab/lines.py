# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole fstabs, judged by all faults of the family together."""

from __future__ import annotations

import dataclasses

from ansible_collections.openrescue.server.plugins.module_utils._faults.fstab.fstab_duplicate_mount_point import (
    FSTAB_DUPLICATE_MOUNT_POINT,
)
from ansible_collections.openrescue.server.plugins.module_utils._faults.fstab.fstab_missing_device import (
    FSTAB_MISSING_DEVICE,
    judge_missing,
)
from ansible_collections.openrescue.server.plugins.module_utils._faults.fstab.fstab_syntax import FSTAB_SYNTAX
from ansible_collections.openrescue.server.plugins.module_utils._faults.fstab.fstab_wrong_type import (
    FSTAB_WRONG_TYPE,
    judge_types,
)
from ansible_collections.openrescue.server.plugins.module_utils._faults.fstab.shared.duplicates import judge_duplicates
from ansible_collections.openrescue.server.plugins.module_utils._faults.fstab.shared.reading import judge_syntax
from ansible_collections.openrescue.server.plugins.module_utils._faults.fstab.shared.table import Problem, Table
from ansible_collections.openrescue.server.plugins.module_utils._faults.model import Fault, Finding
from ansible_collections.openrescue.server.plugins.module_utils._formats.crypttab import parse_crypttab
from ansible_collections.openrescue.server.plugins.module_utils._formats.fstab import read_lines
from ansible_collections.openrescue.server.plugins.module_utils._patient.patient import Filesystem, Found

from ..fakes import BOOT, ROOT, FakeChange, FakePatient

SWAP = Filesystem("/dev/vdb4", "/dev/vdb4", "swap", uuid="5a5a5a5a-0000-4000-8000-000000000003")
ESP = Filesystem("/dev/vdb1", "/dev/vdb1", "vfat", uuid="AB12-CD34", mount_point="/boot/efi", partuuid="aaaa-01")
XFS = Filesystem("/dev/vdb5", "/dev/vdb5", "xfs", uuid="f5f5f5f5-0000-4000-8000-000000000004", label="data")
ALL = (ESP, dataclasses.replace(BOOT, mount_point=None), ROOT, SWAP, XFS)


R, B, S, X = (f"UUID={item.uuid}" for item in (ROOT, BOOT, SWAP, XFS))
GONE = "UUID=deadbeef-0000-4000-8000-00000000b007"
DEBIAN = f"{R} / ext4 errors=remount-ro 0 1\n"


FAULTS = (FSTAB_SYNTAX, FSTAB_DUPLICATE_MOUNT_POINT, FSTAB_MISSING_DEVICE, FSTAB_WRONG_TYPE)
JUDGES = {
    "fstab-syntax": judge_syntax,
    "fstab-duplicate-mount-point": judge_duplicates,
    "fstab-missing-device": judge_missing,
    "fstab-wrong-type": judge_types,
}


def judged(
    text: str,
    *,
    last_mounted: dict[str, str] | None = None,
    mounted: dict[str, Filesystem] | None = None,
    unknown: str = "",
    crypttab: str = "",
) -> list[tuple[str, Problem]]:
    """All problems of a file, with the fault that tells of each."""
    known = {f"UUID={item.uuid}": item for item in ALL} | {"LABEL=data": XFS, "PARTUUID=aaaa-01": ESP}
    known |= {item.device.replace("vdb", "vda"): item for item in ALL}
    known |= {"/dev/mapper/rhel-root": XFS, "/dev/mapper/deb--vg-root": ROOT}
    known |= {f"/dev/mapper/{name}": SWAP for name in ("rhel-swap", "deb--vg-swap_1")}

    def find(spec: str) -> Found:
        found = known.get(spec.replace('"', ""))
        return Found(found, "" if found else unknown)

    table = Table(
        entries=read_lines(text),
        find=find,
        filesystems=ALL,
        root=ROOT,
        mounted=mounted if mounted is not None else {"/": ROOT},
        last_mounted=lambda item: (last_mounted or {}).get(item.device, ""),
        crypttab=tuple(parse_crypttab(crypttab)),
    )
    return [(kind, problem) for kind, judge in JUDGES.items() for problem in table.once(judge)]


def only(text: str, **known: object) -> tuple[str, Problem]:
    (found,) = judged(text, **known)  # type: ignore[arg-type]
    return found


def see_broken(line: str, fault: str, severity: str, fixed: str | None) -> None:
    """The line is the second of its file, and nothing else is wrong there."""
    known = {BOOT.device: "/boot", XFS.device: "/data"}
    problems = judged(f"{DEBIAN}{line}\n", last_mounted=known)
    assert [(found, one.severity, one.lines, one.new_line) for found, one in problems] == [
        (fault, severity, (2,), fixed)
    ]


def all_findings(patient: FakePatient) -> list[Finding]:
    return [found for fault in FAULTS for found in fault.detect(patient)]


def repair(fault: Fault, patient: FakePatient, finding: Finding, change: FakeChange) -> None:
    assert fault.repair is not None
    fault.repair(patient, finding, change)
