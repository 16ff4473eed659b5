# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""/usr, /var and /home on partitions of their own: the root alone holds nothing that could run."""

SUMMARY = "Debian 12 with /usr, /var and /home on partitions of their own"
TREE = "bookworm"
DISKS = ("1500M",)
FSTAB = """
UUID=$ROOT / ext4 errors=remount-ro 0 1
UUID=$USR /usr ext4 defaults 0 2
UUID=$VAR /var ext4 defaults,nosuid,nodev 0 2
UUID=$HOME_ /home ext4 defaults,nosuid,nodev 0 2
"""
MAKE = """
sfdisk -q $D1 <<'TABLE'
label: gpt
size=1MiB, type=21686148-6449-6E6F-744E-656564454649
size=300MiB, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4
size=700MiB, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4
size=300MiB, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4
size=+, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4
TABLE
settle
ext4 $ROOT ${D1}2; ext4 $USR ${D1}3; ext4 $VAR ${D1}4; ext4 $HOME_ ${D1}5
"""
MOUNT = """
mount ${D1}2 /mnt; mkdir -p /mnt/usr /mnt/var /mnt/home
mount ${D1}3 /mnt/usr; mount ${D1}4 /mnt/var; mount ${D1}5 /mnt/home
"""
