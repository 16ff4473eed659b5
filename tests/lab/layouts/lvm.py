# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""LVM on a GPT as Debian's installer makes it: a group named after the host, with a hyphen, and /boot outside."""

SUMMARY = "Debian 12 on LVM (GPT), /boot on a partition, swap in the group"
TREE = "bookworm"
DISKS = ("1500M",)
FSTAB = """
/dev/mapper/lab--vg-root / ext4 errors=remount-ro 0 1
UUID=$BOOT /boot ext2 defaults 0 2
/dev/mapper/lab--vg-swap_1 none swap sw 0 0
"""
MAKE = """
sfdisk -q $D1 <<'TABLE'
label: gpt
size=1MiB, type=21686148-6449-6E6F-744E-656564454649
size=160MiB, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4
size=+, type=E6D6D379-F507-44C2-A23C-238F2A3DF928
TABLE
settle
mkfs.ext2 -q -U $BOOT ${D1}2
pvcreate -q ${D1}3; vgcreate -q lab-vg ${D1}3
lvcreate -q -y -L 64M -n swap_1 lab-vg; lvcreate -q -y -l 100%FREE -n root lab-vg
mkswap -q -U $SWAP /dev/lab-vg/swap_1
ext4 $ROOT /dev/lab-vg/root
"""
OPEN = "vgchange -q -ay lab-vg"
MOUNT = "mount /dev/lab-vg/root /mnt; mkdir -p /mnt/boot; mount ${D1}2 /mnt/boot"
CLOSE = "vgchange -q -an lab-vg"
