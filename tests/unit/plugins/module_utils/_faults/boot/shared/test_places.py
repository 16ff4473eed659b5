# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.shared.places import locate, unmounted

from ...fakes import BOOT, ROOT, FakePatient


@pytest.mark.parametrize(
    ("path", "device", "folder", "found"),
    [
        ("/vmlinuz", "", "", "/boot/vmlinuz"),
        ("/vmlinuz", f"UUID={BOOT.uuid}", "", "/boot/vmlinuz"),
        (f"(UUID={BOOT.uuid})/vmlinuz", "", "", "/boot/vmlinuz"),
        ("/boot/vmlinuz", f"UUID={ROOT.uuid}", "", "/boot/vmlinuz"),
        ("/boot/vmlinuz", "hd0,msdos1", "", "/boot/vmlinuz"),
        ("vmlinuz", "", "/boot", "/boot/vmlinuz"),
        ("/../../vmlinuz", "", "", "/boot/../../vmlinuz"),
    ],
)
def test_where_a_path_is(patient: FakePatient, path: str, device: str, folder: str, found: str) -> None:
    patient.put("/boot/vmlinuz")
    place = locate(patient, path, device=device, folder=folder)
    assert place.path == found
    assert place.exists is (".." not in path)


def test_what_is_not_there(patient: FakePatient) -> None:
    patient.put("/etc/fstab", "")
    assert not locate(patient, "/vmlinuz", device=f"UUID={BOOT.uuid}").unknown
    assert locate(patient, "/vmlinuz", device="UUID=elsewhere").unknown
    patient.uncertain = ("a disk is not attached",)
    assert locate(patient, "/vmlinuz").unknown == "a disk is not attached"


def test_subvolumes_are_directories_to_the_loader(patient: FakePatient) -> None:
    patient.filesystems = (dataclasses.replace(ROOT, fstype="btrfs"),)
    patient.put("/boot/vmlinuz")
    assert locate(patient, "/@/boot/vmlinuz", device=f"UUID={ROOT.uuid}").path == "/boot/vmlinuz"


def test_what_is_not_mounted(patient: FakePatient) -> None:
    patient.put(
        "/etc/fstab", "UUID=1 /boot ext4 defaults 0 2\nUUID=2 /usr ext4 defaults 0 2\nUUID=3 /efi vfat noauto 0 0\n"
    )
    assert not unmounted(patient, "/boot", "/efi")
    assert unmounted(patient, "/usr") == "the file system of /usr is not mounted"
