# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""LUKS on a volume of LVM: only what has to be is encrypted."""

SUMMARY = "Debian 12, root on LUKS on a volume of LVM, /srv on another without"
TREE = "bookworm"
PASSPHRASE = "open sesame"
DISKS = ("1500M",)
FSTAB = """
/dev/mapper/root_crypt / ext4 errors=remount-ro 0 1
UUID=$BOOT /boot ext4 defaults 0 2
/dev/vg0/srv /srv ext4 defaults 0 2
"""
FILES = {"etc/crypttab": "root_crypt /dev/mapper/vg0-root none luks,initramfs\n"}
MAKE = """
sfdisk -q $D1 <<'TABLE'
label: gpt
size=1MiB, type=21686148-6449-6E6F-744E-656564454649
size=160MiB, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4
size=+, type=E6D6D379-F507-44C2-A23C-238F2A3DF928
TABLE
settle
ext4 $BOOT ${D1}2
pvcreate -q ${D1}3; vgcreate -q vg0 ${D1}3
lvcreate -q -y -L 64M -n srv vg0; lvcreate -q -y -l 100%FREE -n root vg0
ext4 $HOME_ /dev/vg0/srv
luks $LUKS /dev/vg0/root root_crypt
ext4 $ROOT /dev/mapper/root_crypt
"""
OPEN = "vgchange -q -ay vg0; unlock /dev/vg0/root root_crypt"
MOUNT = "mount /dev/mapper/root_crypt /mnt; mkdir -p /mnt/boot; mount ${D1}2 /mnt/boot"
CLOSE = "cryptsetup close root_crypt; vgchange -q -an vg0"
