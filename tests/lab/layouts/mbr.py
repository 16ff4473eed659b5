# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""MBR with one partition that holds everything, GRUB in the gap before it: Debian 11, as many providers install it."""

SUMMARY = "Debian 11 on an MBR, one ext4 partition, no /boot of its own"
TREE = "bullseye"
DISKS = ("1200M",)
FSTAB = """
UUID=$ROOT / ext4 errors=remount-ro 0 1
"""
MAKE = """
sfdisk -q $D1 <<'TABLE'
label: dos
start=2048, type=83, bootable
TABLE
settle
ext4 $ROOT ${D1}1
"""
MOUNT = "mount ${D1}1 /mnt"
