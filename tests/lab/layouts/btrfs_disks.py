# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""One btrfs over two disks: neither alone can be opened."""

SUMMARY = "Debian 13 on one btrfs over two disks (metadata twice, data once), /boot on ext4"
TREE = "trixie"
DISKS = ("900M", "700M")
FSTAB = """
UUID=$ROOT / btrfs defaults 0 0
UUID=$BOOT /boot ext4 defaults 0 2
"""
MAKE = """
sfdisk -q $D1 <<'TABLE'
label: gpt
size=1MiB, type=21686148-6449-6E6F-744E-656564454649
size=160MiB, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4
size=+, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4
TABLE
settle
ext4 $BOOT ${D1}2
mkfs.btrfs -q -U $ROOT -d single -m raid1 ${D1}3 $D2
"""
OPEN = "btrfs -q device scan ${D1}3 $D2"
MOUNT = "mount ${D1}3 /mnt; mkdir -p /mnt/boot; mount ${D1}2 /mnt/boot"
