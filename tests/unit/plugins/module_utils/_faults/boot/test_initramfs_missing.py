# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from _formats.initramfs_samples import SOUND
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError

from ..fakes import ROOT, FakePatient
from .patients import (
    INITRAMFS_FAULTS,
    findings,
    with_initramfs,
)


def test_another_kernel_than_the_default_may_lack_its_initramfs(patient: FakePatient) -> None:
    patient.install_kernel("5.10.0-1-amd64")
    with_initramfs(patient, SOUND["gzip"])
    assert findings(patient, INITRAMFS_FAULTS) == []


def test_a_kernel_that_needs_none_may_lack_it(patient: FakePatient) -> None:
    direct = "menuentry 'x' {\n linux /vmlinuz-6.1.0-1-amd64 root=PARTUUID=1-2 ro\n}\n"
    with_initramfs(patient, None, config=direct)
    assert findings(patient, INITRAMFS_FAULTS) == []
    patient.put("/boot/grub/grub.cfg", direct.replace("PARTUUID=", "UUID="))
    assert [finding.fault for finding in findings(patient, INITRAMFS_FAULTS)] == ["initramfs-missing"]


def test_a_boot_that_is_not_mounted_is_not_judged(patient: FakePatient) -> None:
    patient.filesystems, patient.boot = (ROOT,), None
    patient.put("/etc/fstab", "UUID=x /boot ext4 defaults 0 2\n")
    with pytest.raises(OpenRescueError, match="/boot is not mounted"):
        findings(patient, INITRAMFS_FAULTS)


def test_without_the_patients_tool_or_modules_there_is_no_remedy(patient: FakePatient) -> None:
    with_initramfs(patient, None)
    (patient.directory / "usr/sbin/mkinitramfs").unlink()
    (finding,) = findings(patient, INITRAMFS_FAULTS)
    assert (finding.remedy, finding.remedy_safe) == (None, False)
