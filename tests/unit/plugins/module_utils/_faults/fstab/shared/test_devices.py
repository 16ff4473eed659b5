# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._faults.fstab.shared.devices import (
    is_kernel_name,
    names_device,
)
from ansible_collections.openrescue.server.plugins.module_utils._formats.fstab import read_lines


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("UUID=1-2 /a ext4", True),
        ("/dev/disk/by-label/a /a ext4", True),
        ("/dev/vda1 /a ext4", True),
        ("/dev/mapper/vg-root /a xfs", True),
        ("/dev/vg/root /a xfs", True),
        ("UUID= /a ext4", False),
        ("UUID=1-2 /a ext4 _netdev", False),
        ("/dev/vda1 /a ext4 loop", False),
        ("/srv/a.img /a ext4 loop=/dev/loop1", False),
        ("/dev/mapper/mpatha1 /a ext4", False),
        ("server:/a /a nfs", False),
        ("tmpfs /a tmpfs", False),
    ],
)
def test_what_a_first_field_names(line: str, named: bool) -> None:
    (entry,) = read_lines(line)
    assert names_device(entry) is named


@pytest.mark.parametrize(("spec", "by_kernel"), [("/dev/sdb1", True), ("/dev/nvme0n1p2", True), ("/dev/vg/a", False)])
def test_names_that_the_next_boot_may_give_to_another_disk(spec: str, by_kernel: bool) -> None:
    assert is_kernel_name(spec) is by_kernel
