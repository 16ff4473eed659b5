# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.shared.builders import (
    grub_config_builder,
    initramfs_builder,
)
from ansible_collections.openrescue.server.plugins.module_utils._patient.tree.usage import Usage

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


@pytest.mark.parametrize(("available", "before"), [(1 << 20, ["env", "TMPDIR=/tmp"]), (1 << 30, [])])
def test_it_is_put_together_in_memory_where_there_is_little_room(
    patient: FakePatient, available: int, before: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = Usage(2 << 30, available, available, 10, 5)
    monkeypatch.setattr(type(patient.opened_tree), "usage", lambda _tree, _path, *, fstype: usage)
    patient.put("/usr/sbin/mkinitramfs")
    command = initramfs_builder(patient, release="6.1", path="/boot/x")
    assert command == [*before, "mkinitramfs", "-o", "/boot/x", "6.1"]


@pytest.mark.parametrize(
    ("program", "name"), [("/usr/sbin/grub-mkconfig", "grub-mkconfig"), ("/usr/sbin/grub2-mkconfig", "grub2-mkconfig")]
)
def test_the_configuration_of_each_family(patient: FakePatient, program: str, name: str) -> None:
    patient.put(program)
    assert grub_config_builder(patient, path="/boot/x") is None
    patient.put("/etc/grub.d/10_linux")
    assert grub_config_builder(patient, path="/boot/x") == ["env", "GRUB_DISABLE_OS_PROBER=true", name, "-o", "/boot/x"]


@pytest.mark.parametrize(
    ("device", "aliases", "by_name"),
    [
        ("/dev/vdb2", ("/dev/disk/by-uuid/x",), False),
        ("/dev/md900", ("/dev/md0", "/dev/md/0"), False),
        ("/dev/mapper/luks-1-2", ("/dev/dm-0",), False),
        ("/dev/mapper/rhel-root", ("/dev/dm-0", "/dev/rhel/root"), True),
        ("/dev/mapper/lab--vg-root", ("/dev/dm-0", "/dev/lab-vg/root"), True),
    ],
)
def test_a_volume_is_named_and_not_told_by_its_uuid(
    patient: FakePatient, device: str, aliases: tuple[str, ...], by_name: bool
) -> None:
    """A snapshot of it has the same UUID, so GRUB's script names the volume; here it cannot see that it is one."""
    patient.put("/usr/sbin/grub-mkconfig")
    patient.put("/etc/grub.d/10_linux")
    assert patient.root is not None
    patient.root = dataclasses.replace(patient.root, device=device, aliases=aliases)
    command = grub_config_builder(patient, path="/boot/x")
    assert command is not None
    assert ("GRUB_DISABLE_LINUX_UUID=true" in command) == by_name
    assert command[-3:] == ["grub-mkconfig", "-o", "/boot/x"]
