# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the firmware may start, and what may be a loader that nobody here knows."""

from __future__ import annotations

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.shared.loaders import (
    boot_code,
    other_loader,
)
from ansible_collections.openrescue.server.plugins.module_utils._patient.patient import Filesystem

from ...fakes import FakePatient

PARTED = bytes.fromhex("fab800108ed0bc00b0b800008ed88ec0fbbe007cbf0006b90002f3a4ea21060000")


def starts_with(patient: FakePatient, sector: bytes, core: bytes = b"") -> None:
    patient.disks = ("/dev/vdb",)
    found = {0: sector, 512: core}
    patient.disk_bytes = lambda _disk, offset, size: found.get(offset, bytes(size))[:size]  # type: ignore[method-assign]
    patient.drop_facts()


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
    starts_with(patient, first, core)
    assert boot_code(patient) == code


def active(code: bytes) -> bytes:
    """A boot sector whose second sector is the active partition."""
    entry = b"\x80" + bytes(7) + (1).to_bytes(4, "little") + bytes(4)
    return code.ljust(446, b"\0") + entry.ljust(64, b"\0") + b"\x55\xaa"


@pytest.mark.parametrize(
    ("first", "second", "foreign"),
    [
        (bytes(512), b"", False),
        (bytes(510) + b"\x55\xaa", b"", False),
        (sector(b"GRUB "), b"loading".ljust(512, b"\0"), False),
        (sector(b"GRUB "), bytes(512), True),
        (sector(b"LILO"), b"", True),
        (PARTED.ljust(510, b"\0") + b"\x55\xaa", b"", False),
        (active(PARTED), bytes(512), False),
        (active(PARTED), sector(b"NTLDR"), True),
        (active(PARTED), sector(b"EXTLINUX"), False),
    ],
)
def test_a_boot_sector_that_nobody_knows(patient: FakePatient, first: bytes, second: bytes, foreign: bool) -> None:
    starts_with(patient, first, second)
    assert bool(other_loader(patient)) is foreign


def test_an_efi_partition_that_is_not_seen(patient: FakePatient) -> None:
    patient.disks = ()
    assert not other_loader(patient)
    patient.filesystems = (*patient.filesystems, Filesystem("/dev/vdb1", "/dev/vdb1", "vfat"))
    patient.drop_facts()
    assert "/dev/vdb1" in other_loader(patient)


@pytest.mark.parametrize("label", ["config-2", "CONFIG-2", "cidata", "CIDATA"])
def test_the_drive_of_a_cloud_holds_no_loader(patient: FakePatient, label: str) -> None:
    patient.disks = ()
    patient.filesystems = (*patient.filesystems, Filesystem("/dev/vdc", "/dev/vdc", "vfat", label=label))
    assert not other_loader(patient)


@pytest.mark.parametrize(
    ("names", "foreign"),
    [
        (
            ("debian/shimx64.efi", "debian/grubx64.efi", "debian/mmx64.efi", "debian/fbx64.efi", "BOOT/BOOTX64.EFI"),
            False,
        ),
        (("opensuse/shim.efi", "opensuse/grub.efi", "opensuse/MokManager.efi", "boot/fallback.efi"), False),
        (("fedora/shimx64-fedora.efi", "fedora/gcdx64.efi", "fedora/fwupdx64.efi"), False),
        (("systemd/systemd-bootx64.efi", "Linux/debian-6.12.efi", "BOOT/BOOTX64.EFI"), False),
        (("refind/refind_x64.efi", "debian/grubx64.efi"), True),
    ],
)
def test_a_program_that_nobody_knows(patient: FakePatient, names: tuple[str, ...], foreign: bool) -> None:
    patient.disks = ()
    for name in names:
        patient.put(f"/boot/efi/EFI/{name}", b"MZ")
    assert bool(other_loader(patient)) is foreign
