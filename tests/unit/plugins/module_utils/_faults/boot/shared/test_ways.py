# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""Which loaders and configurations are found, and which entry starts by itself."""

from __future__ import annotations

from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.shared.ways import (
    is_redirect,
    main_way,
    ways,
)

from ...fakes import BOOT, FakePatient

ENTRY = "menuentry 'x' {\n linux /vmlinuz root=/dev/vda1\n}\n"


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


def test_a_boot_by_bios_needs_no_efi_partition(patient: FakePatient) -> None:
    patient.put("/etc/fstab", "UUID=A-B /boot/efi vfat umask=0077 0 1\n")
    patient.put("/boot/grub/grub.cfg", ENTRY)
    assert [way.unknown for way in ways(patient)] == [""]
