# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from _formats.boot_samples import bzimage
from _formats.initramfs_samples import MAIN, SOUND, zstd
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.initramfs_empty import INITRAMFS_EMPTY
from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.initramfs_missing import INITRAMFS_MISSING
from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.initramfs_truncated import (
    INITRAMFS_TRUNCATED,
)
from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.shared.initramfs import NotBuilt, repair
from ansible_collections.openrescue.server.plugins.module_utils._faults.model import Fault, Finding, NotApplicable
from ansible_collections.openrescue.server.plugins.module_utils._patient.patient import Filesystem
from ansible_collections.openrescue.server.plugins.module_utils._patient.tools import Completed

from ...fakes import ROOT, FakeChange, FakePatient, FakeTools

FAULTS = (INITRAMFS_MISSING, INITRAMFS_EMPTY, INITRAMFS_TRUNCATED)
GRUB = """
menuentry 'Debian' --class debian $menuentry_id_option 'gnulinux-simple' {
        search --no-floppy --fs-uuid --set=root b007b007-0000-4000-8000-000000000001
        linux   /vmlinuz-6.1.0-1-amd64 root=UUID=00700070-0000-4000-8000-000000000002 ro
        initrd  /initrd.img-6.1.0-1-amd64
}
"""


def findings(patient: FakePatient) -> list[Finding]:
    patient.drop_facts()
    try:
        return [finding for fault in FAULTS for finding in fault.detect(patient)]
    except NotApplicable:
        return []


def ready(patient: FakePatient, data: bytes | None, *, config: str = GRUB) -> None:
    kernel = patient.install_kernel()
    patient.put("/boot/grub/grub.cfg", config)
    patient.put("/usr/sbin/mkinitramfs", "#!/bin/sh\n")
    patient.put(f"/lib/modules/{kernel.version}/modules.dep")
    if data is not None:
        patient.put(kernel.expected_initramfs, data)


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
    ready(patient, data)
    assert [finding.fault for finding in findings(patient)] == ([fault.id] if fault else [])


@pytest.mark.parametrize("data", [None, b"", SOUND["xz"][:3000]])
def test_it_is_built_by_the_patient_for_exactly_its_kernel(patient: FakePatient, data: bytes | None) -> None:
    ready(patient, data)
    (finding,) = findings(patient)
    assert finding.remedy_safe
    change = FakeChange(patient, builds=SOUND["gzip"])
    fault = next(fault for fault in FAULTS if fault.id == finding.fault)
    assert fault.repair
    fault.repair(patient, finding, change)
    assert change.done == [("mkinitramfs", "-o", "/boot/initrd.img-6.1.0-1-amd64", "6.1.0-1-amd64")]
    assert findings(patient) == []


def test_a_build_that_leaves_no_sound_file_is_a_failure(patient: FakePatient) -> None:
    ready(patient, None)
    (finding,) = findings(patient)
    with pytest.raises(NotBuilt):
        repair(patient, finding, FakeChange(patient, builds=SOUND["gzip"][:5000]))


def test_without_the_patients_tool_or_modules_there_is_no_remedy(patient: FakePatient) -> None:
    ready(patient, None)
    (patient.directory / "usr/sbin/mkinitramfs").unlink()
    (finding,) = findings(patient)
    assert (finding.remedy, finding.remedy_safe) == (None, False)


def test_another_kernel_than_the_default_may_lack_its_initramfs(patient: FakePatient) -> None:
    patient.install_kernel("5.10.0-1-amd64")
    ready(patient, SOUND["gzip"])
    assert findings(patient) == []


def test_a_kernel_that_needs_none_may_lack_it(patient: FakePatient) -> None:
    direct = "menuentry 'x' {\n linux /vmlinuz-6.1.0-1-amd64 root=PARTUUID=1-2 ro\n}\n"
    ready(patient, None, config=direct)
    assert findings(patient) == []
    patient.put("/boot/grub/grub.cfg", direct.replace("PARTUUID=", "UUID="))
    assert [finding.fault for finding in findings(patient)] == ["initramfs-missing"]


def test_a_boot_that_is_not_mounted_is_not_judged(patient: FakePatient) -> None:
    patient.filesystems, patient.boot = (ROOT,), None
    patient.put("/etc/fstab", "UUID=x /boot ext4 defaults 0 2\n")
    with pytest.raises(OpenRescueError, match="/boot is not mounted"):
        findings(patient)


def test_a_stream_may_end_with_a_zero(patient: FakePatient) -> None:
    class Zstd(FakeTools):
        """Knows the one whole stream."""

        def has(self, name: str) -> bool:
            return name == "zstd"

        def run(
            self,
            argv: t.Sequence[str],
            *,
            timeout: float,
            ok: t.Container[int] = (0,),
            stdin: bytes | None = None,
        ) -> Completed:
            return Completed(tuple(argv), 0 if stdin == whole else 1, "", "", 0.0)

    whole = zstd(MAIN)[:-1] + b"\0"
    patient.tools = Zstd()
    ready(patient, whole + b"\0" * 100)
    assert findings(patient) == []
    ready(patient, whole[:-5] + b"\1" + whole[-4:])
    assert [finding.fault for finding in findings(patient)] == ["initramfs-truncated"]


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
    (finding,) = findings(patient)
    assert (finding.fault, finding.evidence[0].path, finding.remedy_safe) == (
        "initramfs-missing",
        "/efi/id/initrd",
        True,
    )
    change = FakeChange(patient, builds=SOUND["gzip"])
    repair(patient, finding, change)
    assert change.done == [("dracut", "--force", "--no-hostonly", "--kver", "6.1.0-1-amd64", "/efi/id/initrd")]
    assert findings(patient) == []
