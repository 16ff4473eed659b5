# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Patients that boot by GRUB, as whole as the faults of the boot need them."""

from __future__ import annotations

from _formats.grub_samples import STUB
from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.grub_config_empty import GRUB_CONFIG_EMPTY
from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.grub_config_missing import (
    GRUB_CONFIG_MISSING,
)
from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.initramfs_empty import INITRAMFS_EMPTY
from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.initramfs_missing import INITRAMFS_MISSING
from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.initramfs_truncated import (
    INITRAMFS_TRUNCATED,
)
from ansible_collections.openrescue.server.plugins.module_utils._faults.model import Fault, Finding, NotApplicable
from ansible_collections.openrescue.server.plugins.module_utils._patient.patient import Filesystem, OsRelease

from ..fakes import BOOT, FakePatient

GRUB_FAULTS = (GRUB_CONFIG_MISSING, GRUB_CONFIG_EMPTY)
INITRAMFS_FAULTS = (INITRAMFS_MISSING, INITRAMFS_EMPTY, INITRAMFS_TRUNCATED)
GRUB_CFG = "/boot/grub/grub.cfg"
ESP_GRUB_CFG = "/boot/efi/EFI/redhat/grub.cfg"
ESP = Filesystem("/dev/vdb1", "/dev/vdb1", "vfat", uuid="A-B", mount_point="/boot/efi")
RHEL_7, RHEL_9 = (OsRelease("rhel", ("fedora",), version, "") for version in ("7.9", "9.4"))
BOOT_STUB = STUB.replace("1-2", BOOT.uuid or "")
WITH_INITRD = """
menuentry 'Debian' --class debian $menuentry_id_option 'gnulinux-simple' {
        search --no-floppy --fs-uuid --set=root b007b007-0000-4000-8000-000000000001
        linux   /vmlinuz-6.1.0-1-amd64 root=UUID=00700070-0000-4000-8000-000000000002 ro
        initrd  /initrd.img-6.1.0-1-amd64
}
"""


def with_grub(patient: FakePatient, config: str | None) -> None:
    patient.install_kernel("6.1.0-9-amd64")
    patient.put("/boot/grub/i386-pc/normal.mod")
    patient.put("/usr/sbin/grub-mkconfig", "#!/bin/sh\n")
    patient.put("/etc/grub.d/10_linux", "#!/bin/sh\n")
    if config is not None:
        patient.put(GRUB_CFG, config)


def with_uefi(patient: FakePatient, release: OsRelease, config: str | None, *, full: str | None = None) -> None:
    """A server of the Red Hat family that boots by UEFI."""
    patient.filesystems, patient.esp, patient.os = (*patient.filesystems, ESP), ESP, release
    patient.install_kernel("6.1.0-9-amd64")
    patient.put("/boot/efi/EFI/redhat/grubx64.efi", b"MZ")
    patient.put("/usr/sbin/grub2-mkconfig", "#!/bin/sh\n")
    patient.put("/etc/grub.d/10_linux", "#!/bin/sh\n")
    for path, text in ((ESP_GRUB_CFG, config), ("/boot/grub2/grub.cfg", full)):
        if text is not None:
            patient.put(path, text)


def with_initramfs(patient: FakePatient, data: bytes | None, *, config: str = WITH_INITRD) -> None:
    kernel = patient.install_kernel()
    patient.put("/boot/grub/grub.cfg", config)
    patient.put("/usr/sbin/mkinitramfs", "#!/bin/sh\n")
    patient.put(f"/lib/modules/{kernel.version}/modules.dep")
    if data is not None:
        patient.put(kernel.expected_initramfs, data)


def findings(patient: FakePatient, faults: tuple[Fault, ...]) -> list[Finding]:
    """What these faults find; nothing where there is nothing to look at."""
    patient.drop_facts()
    try:
        return [finding for fault in faults for finding in fault.detect(patient)]
    except NotApplicable:
        return []
