# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""LVM inside LUKS: what Debian's and Ubuntu's installers call encrypted LVM."""

SUMMARY = "Debian 13, encrypted LVM: a group with root and swap inside LUKS, /boot in the clear"
TREE = "trixie"
PASSPHRASE = "open sesame"
DISKS = ("1400M",)
FSTAB = """
/dev/mapper/crypt--vg-root / ext4 errors=remount-ro 0 1
UUID=$BOOT /boot ext4 defaults 0 2
/dev/mapper/crypt--vg-swap_1 none swap sw 0 0
"""
FILES = {"etc/crypttab": "vda3_crypt UUID=$LUKS none luks,discard,initramfs\n"}
MAKE = """
sfdisk -q $D1 <<'TABLE'
label: gpt
size=1MiB, type=21686148-6449-6E6F-744E-656564454649
size=160MiB, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4
size=+, type=CA7D7CCB-63ED-4C53-861C-1742536059CC
TABLE
settle
ext4 $BOOT ${D1}2
luks $LUKS ${D1}3 vda3_crypt
pvcreate -q /dev/mapper/vda3_crypt; vgcreate -q crypt-vg /dev/mapper/vda3_crypt
lvcreate -q -y -L 64M -n swap_1 crypt-vg; lvcreate -q -y -l 100%FREE -n root crypt-vg
mkswap -q -U $SWAP /dev/crypt-vg/swap_1
ext4 $ROOT /dev/crypt-vg/root
"""
OPEN = "unlock ${D1}3 vda3_crypt; vgchange -q -ay crypt-vg"
MOUNT = "mount /dev/crypt-vg/root /mnt; mkdir -p /mnt/boot; mount ${D1}2 /mnt/boot"
CLOSE = "vgchange -q -an crypt-vg; cryptsetup close vda3_crypt"
