# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from _formats.boot_samples import bzimage
from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.shared.kernels import (
    initramfs_of,
    is_release,
    release_of,
)
from ansible_collections.openrescue.server.plugins.module_utils._formats.boot_entry import BootEntry

from ...fakes import FakePatient


@pytest.mark.parametrize(
    ("initrds", "initramfs"),
    [
        ((), None),
        (("/initrd.img",), "/initrd.img"),
        (("/intel-ucode.img", "/initramfs-linux.img"), "/initramfs-linux.img"),
        (("/boot/microcode.cpio",), None),
    ],
)
def test_which_file_is_the_initramfs(initrds: tuple[str, ...], initramfs: str | None) -> None:
    assert initramfs_of(BootEntry(initrds=initrds)) == initramfs


def test_the_release_is_what_the_kernel_says_before_its_name(patient: FakePatient) -> None:
    patient.put("/boot/vmlinuz-custom", bzimage("6.1.0-1-amd64"))
    patient.put("/boot/vmlinuz-5.10.0", b"of no known kind")
    assert release_of(patient, "/boot/vmlinuz-custom") == "6.1.0-1-amd64"
    assert release_of(patient, "/boot/vmlinuz-5.10.0") == "5.10.0"
    assert release_of(patient, "/boot/vmlinuz-6.9-not-there") == "6.9-not-there"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "x" * 129, "6.1 "])
def test_what_is_no_name_of_a_directory_is_no_release(name: str) -> None:
    assert not is_release(name)
