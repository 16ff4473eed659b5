# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


from __future__ import annotations

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.shared.builders import (
    grub_config_builder,
    initramfs_builder,
)

from ...fakes import FakePatient


@pytest.mark.parametrize(
    ("program", "argv"),
    [
        ("/usr/sbin/mkinitramfs", ["mkinitramfs", "-o", "/boot/x", "6.1"]),
        ("/usr/bin/dracut", ["dracut", "--force", "--no-hostonly", "--kver", "6.1", "/boot/x"]),
        ("/usr/bin/mkinitcpio", ["mkinitcpio", "-k", "6.1", "-g", "/boot/x"]),
        ("/sbin/mkinitfs", ["mkinitfs", "-o", "/boot/x", "6.1"]),
    ],
)
def test_the_initramfs_of_each_family(patient: FakePatient, program: str, argv: list[str]) -> None:
    assert initramfs_builder(patient, release="6.1", path="/boot/x") is None
    patient.put(program)
    assert initramfs_builder(patient, release="6.1", path="/boot/x") == argv


@pytest.mark.parametrize(
    ("program", "name"), [("/usr/sbin/grub-mkconfig", "grub-mkconfig"), ("/usr/sbin/grub2-mkconfig", "grub2-mkconfig")]
)
def test_the_configuration_of_each_family(patient: FakePatient, program: str, name: str) -> None:
    patient.put(program)
    assert grub_config_builder(patient, path="/boot/x") is None
    patient.put("/etc/grub.d/10_linux")
    assert grub_config_builder(patient, path="/boot/x") == ["env", "GRUB_DISABLE_OS_PROBER=true", name, "-o", "/boot/x"]
