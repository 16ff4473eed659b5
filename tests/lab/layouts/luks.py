# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""LUKS 2 with the root's file system straight in it, /boot in the clear."""

SUMMARY = "Debian 12, root on LUKS, /boot in the clear"
TREE = "bookworm"
PASSPHRASE = "open sesame"
DISKS = ("1400M",)
FSTAB = """
/dev/mapper/root_crypt / ext4 errors=remount-ro 0 1
UUID=$BOOT /boot ext4 defaults 0 2
"""
FILES = {"etc/crypttab": "root_crypt UUID=$LUKS none luks,discard,initramfs\n"}
MAKE = """
sfdisk -q $D1 <<'TABLE'
label: gpt
size=1MiB, type=21686148-6449-6E6F-744E-656564454649
size=160MiB, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4
size=+, type=CA7D7CCB-63ED-4C53-861C-1742536059CC
TABLE
settle
ext4 $BOOT ${D1}2
luks $LUKS ${D1}3 root_crypt
ext4 $ROOT /dev/mapper/root_crypt
"""
OPEN = "unlock ${D1}3 root_crypt"
MOUNT = "mount /dev/mapper/root_crypt /mnt; mkdir -p /mnt/boot; mount ${D1}2 /mnt/boot"
CLOSE = "cryptsetup close root_crypt"
