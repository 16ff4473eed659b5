# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""btrfs with the subvolumes @ and @home, as Ubuntu's and openSUSE's users know it."""

SUMMARY = "Debian 13 on btrfs, subvolumes @ and @home, /boot in @"
TREE = "trixie"
DISKS = ("1200M",)
FSTAB = """
UUID=$ROOT / btrfs defaults,subvol=@ 0 0
UUID=$ROOT /home btrfs defaults,subvol=@home 0 0
"""
MAKE = """
sfdisk -q $D1 <<'TABLE'
label: gpt
size=1MiB, type=21686148-6449-6E6F-744E-656564454649
size=+, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4
TABLE
settle
mkfs.btrfs -q -U $ROOT ${D1}2
mount ${D1}2 /mnt; btrfs -q subvolume create /mnt/@; btrfs -q subvolume create /mnt/@home; umount /mnt
"""
MOUNT = "mount -o subvol=@ ${D1}2 /mnt; mkdir -p /mnt/home; mount -o subvol=@home ${D1}2 /mnt/home"
