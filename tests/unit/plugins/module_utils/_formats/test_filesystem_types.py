# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._formats.filesystem_types import (
    BLOCK_TYPES,
    is_local,
    misspelled_option,
    same_type,
    without_foreign_options,
)


@pytest.mark.parametrize(
    ("declared", "probed", "same"),
    [
        ("ext4", "ext4", True),
        ("auto", "xfs", True),
        ("", "xfs", True),
        ("ext4", "", True),
        ("udf,iso9660", "iso9660", True),
        ("ext4", "ext3", True),
        ("ext3", "ext4", False),
        ("ext2", "ext4", False),
        ("msdos", "vfat", True),
        ("fat", "vfat", True),
        ("ntfs-3g", "ntfs", True),
        ("swap", "swsuspend", True),
        ("xfs", "ext4", False),
        ("xfs", "crypto_LUKS", False),
        ("swap", "ext4", False),
    ],
)
def test_same_type(declared: str, probed: str, same: bool) -> None:
    assert same_type(declared, probed) == same


def test_what_cannot_be_mounted_is_no_type_of_a_block_device() -> None:
    for name in ("swap", "none", "auto", "swsuspend", "crypto_LUKS", "LVM2_member", "linux_raid_member", "zfs_member"):
        assert name not in BLOCK_TYPES
    assert [is_local(name) for name in ("ext4", "nfs", "tmpfs", "fuse.sshfs", "zfs")] == [True, *[False] * 4]


@pytest.mark.parametrize(
    ("option", "fstype", "meant"),
    [
        ("defualts", "ext4", "defaults"),
        ("default", "xfs", "defaults"),
        ("Defaults", "ext4", "defaults"),
        ("nofial", "ext4,ext3", "nofail"),
        ("noatme", "btrfs", "noatime"),
        ("error=remount-ro", "ext4", "errors=remount-ro"),
        ("errors=remount-ro", "ext4", None),
        ("errors=panic", "ext4", None),
        ("notail", "ext4", None),
        ("nodatasum", "btrfs", None),
        ("noauto_da_alloc", "ext4", None),
        ("x-systemd.automout", "ext4", None),
        ("default", "fuse.x", None),
        ("default", "ntfs-3g", None),
        ("compress=zstd:1", "btrfs", None),
        ("subvol=/@/.snapshots", "btrfs", None),
    ],
)
def test_slips_of_the_pen(option: str, fstype: str, meant: str | None) -> None:
    assert misspelled_option(option, fstype) == meant


def test_options_of_another_family_go() -> None:
    options = ("noatime", "errors=remount-ro", "commit=5")
    assert without_foreign_options(options, "xfs") == ("noatime",)
    assert without_foreign_options(options, "ext3") == options
