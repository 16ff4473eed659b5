# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from _formats.boot_samples import bzimage
from _formats.initramfs_samples import SOUND
from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.initramfs_empty import INITRAMFS_EMPTY
from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.initramfs_missing import INITRAMFS_MISSING
from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.initramfs_truncated import (
    INITRAMFS_TRUNCATED,
)
from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.shared.initramfs import NotBuilt, repair
from ansible_collections.openrescue.server.plugins.module_utils._faults.model import Fault
from ansible_collections.openrescue.server.plugins.module_utils._patient.patient import Filesystem

from ...fakes import FakeChange, FakePatient
from ..patients import (
    INITRAMFS_FAULTS,
    findings,
    with_initramfs,
)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (None, INITRAMFS_MISSING),
        (b"", INITRAMFS_EMPTY),
        (SOUND["gzip"][:9000], INITRAMFS_TRUNCATED),
        (SOUND["gzip"], None),
        (b"of no known kind", None),
    ],
)
def test_the_default_kernel_is_judged(patient: FakePatient, data: bytes | None, fault: Fault | None) -> None:
    with_initramfs(patient, data)
    assert [finding.fault for finding in findings(patient, INITRAMFS_FAULTS)] == ([fault.id] if fault else [])


@pytest.mark.parametrize("data", [None, b"", SOUND["xz"][:3000]])
def test_it_is_built_by_the_patient_for_exactly_its_kernel(patient: FakePatient, data: bytes | None) -> None:
    with_initramfs(patient, data)
    (finding,) = findings(patient, INITRAMFS_FAULTS)
    assert finding.remedy_safe
    change = FakeChange(patient, builds=SOUND["gzip"])
    fault = next(fault for fault in INITRAMFS_FAULTS if fault.id == finding.fault)
    assert fault.repair
    fault.repair(patient, finding, change)
    assert change.done == [("mkinitramfs", "-o", "/boot/initrd.img-6.1.0-1-amd64", "6.1.0-1-amd64")]
    assert findings(patient, INITRAMFS_FAULTS) == []


def test_a_build_that_leaves_no_sound_file_is_a_failure(patient: FakePatient) -> None:
    with_initramfs(patient, None)
    (finding,) = findings(patient, INITRAMFS_FAULTS)
    with pytest.raises(NotBuilt):
        repair(patient, finding, FakeChange(patient, builds=SOUND["gzip"][:5000]))


def test_an_entry_of_systemd_boot_names_what_is_on_its_own_partition(patient: FakePatient) -> None:
    esp = Filesystem("/dev/vdb1", "/dev/vdb1", "vfat", uuid="A-B", mount_point="/efi")
    patient.filesystems, patient.esp = (*patient.filesystems, esp), esp
    patient.put("/efi/EFI/systemd/systemd-bootx64.efi", b"MZ")
    patient.put(
        "/efi/loader/entries/id.conf", "title Debian\nlinux /id/linux\ninitrd /id/initrd\noptions root=/dev/x\n"
    )
    patient.put("/efi/id/linux", bzimage("6.1.0-1-amd64"))
    patient.put("/lib/modules/6.1.0-1-amd64/modules.dep")
    patient.put("/usr/bin/dracut", "#!/bin/sh\n")
    (finding,) = findings(patient, INITRAMFS_FAULTS)
    assert (finding.fault, finding.evidence[0].path, finding.remedy_safe) == (
        "initramfs-missing",
        "/efi/id/initrd",
        True,
    )
    change = FakeChange(patient, builds=SOUND["gzip"])
    repair(patient, finding, change)
    assert change.done == [("dracut", "--force", "--no-hostonly", "--kver", "6.1.0-1-amd64", "/efi/id/initrd")]
    assert findings(patient, INITRAMFS_FAULTS) == []
