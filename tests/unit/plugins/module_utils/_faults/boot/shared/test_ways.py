# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""Which loaders and configurations are found, and which entry starts by itself."""

from __future__ import annotations

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.shared.ways import (
    boot_code,
    is_redirect,
    main_way,
    unseen_loader,
    ways,
)
from ansible_collections.openrescue.server.plugins.module_utils._patient.patient import Filesystem

from ...fakes import BOOT, FakePatient

ENTRY = "menuentry 'x' {\n linux /vmlinuz root=/dev/vda1\n}\n"


def code_of(patient: FakePatient, sector: bytes, core: bytes = b"") -> str:
    patient.disks = ("/dev/vdb",)
    found = {0: sector, 512: core}
    patient.disk_bytes = lambda _disk, offset, size: found.get(offset, bytes(size))[:size]  # type: ignore[method-assign]
    patient.drop_facts()
    return boot_code(patient)


def sector(text: bytes) -> bytes:
    return (text.ljust(0x5C, b"\0") + (1).to_bytes(8, "little") + text).ljust(510, b"\0") + b"\x55\xaa"


@pytest.mark.parametrize(
    ("first", "core", "code"),
    [
        (sector(b"GRUB "), b"loading".ljust(512, b"\0"), "GRUB in the boot sector of /dev/vdb"),
        (sector(b"GRUB "), bytes(512), ""),
        (sector(b"GRUB ")[:510] + b"\0\0", b"loading", ""),
        (sector(b"\xeb\x58\x90EXTLINUX"), b"", "extlinux in the boot sector of /dev/vdb"),
        (sector(b"unknown"), b"", ""),
        (bytes(512), b"", ""),
        (b"", b"", ""),
    ],
)
def test_what_the_bios_starts(patient: FakePatient, first: bytes, core: bytes, code: str) -> None:
    assert code_of(patient, first, core) == code


def test_nothing_is_found_where_nothing_is(patient: FakePatient) -> None:
    patient.put("/etc/fstab", "")
    assert ways(patient) == []
    assert main_way(patient) is None


def test_both_firmwares_are_followed(patient: FakePatient) -> None:
    patient.put("/boot/grub/grub.cfg", ENTRY)
    patient.put("/boot/efi/EFI/debian/grubx64.efi", b"MZ")
    patient.put("/boot/efi/EFI/debian/grub.cfg", f"search.fs_uuid {BOOT.uuid} root\nconfigfile ($root)/grub/grub.cfg\n")
    found = ways(patient)
    assert [(way.firmware, way.follows[-1], way.entry.linux if way.entry else "") for way in found] == [
        ("BIOS", "/boot/grub/grub.cfg", "/vmlinuz"),
        ("UEFI", "/boot/grub/grub.cfg", "/vmlinuz"),
    ]
    assert is_redirect("configfile ($root)/grub/grub.cfg\n")
    assert not is_redirect(ENTRY)


def test_configurations_that_lead_in_a_circle_end(patient: FakePatient) -> None:
    patient.put("/boot/grub/grub.cfg", "configfile $prefix/other.cfg\n")
    patient.put("/boot/grub/other.cfg", "configfile $prefix/grub.cfg\n")
    (way,) = ways(patient)
    assert way.entry is None


def test_an_efi_partition_that_is_not_seen(patient: FakePatient) -> None:
    assert not unseen_loader(patient)
    patient.filesystems = (*patient.filesystems, Filesystem("/dev/vdb1", "/dev/vdb1", "vfat"))
    assert "/dev/vdb1" in unseen_loader(patient)


def test_a_boot_by_bios_needs_no_efi_partition(patient: FakePatient) -> None:
    patient.put("/etc/fstab", "UUID=A-B /boot/efi vfat umask=0077 0 1\n")
    patient.put("/boot/grub/grub.cfg", ENTRY)
    assert [way.unknown for way in ways(patient)] == [""]
