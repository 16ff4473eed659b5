# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""A physical volume on the whole second disk, without any partition table; the first disk has GRUB and /boot."""

SUMMARY = "Debian 13, /boot on the first disk, LVM on the whole second one"
TREE = "trixie"
DISKS = ("300M", "1300M")
FSTAB = """
/dev/mapper/system-root / ext4 defaults 0 1
UUID=$BOOT /boot ext4 defaults 0 2
/dev/mapper/system-var /var ext4 defaults 0 2
"""
MAKE = """
sfdisk -q $D1 <<'TABLE'
label: gpt
size=1MiB, type=21686148-6449-6E6F-744E-656564454649
size=+, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4
TABLE
settle
ext4 $BOOT ${D1}2
pvcreate -q $D2; vgcreate -q system $D2
lvcreate -q -y -L 300M -n var system; lvcreate -q -y -l 100%FREE -n root system
ext4 $ROOT /dev/system/root; ext4 $VAR /dev/system/var
"""
OPEN = "vgchange -q -ay system"
MOUNT = (
    "mount /dev/system/root /mnt; mkdir -p /mnt/boot /mnt/var; mount ${D1}2 /mnt/boot; mount /dev/system/var /mnt/var"
)
CLOSE = "vgchange -q -an system"
