# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""Two disks as a mirror, GRUB on both, as hosters install their servers."""

SUMMARY = "Debian 12 on md RAID 1 over two disks, GRUB on both"
TREE = "bookworm"
DISKS = ("1200M", "1200M")
FSTAB = """
UUID=$ROOT / ext4 errors=remount-ro 0 1
"""
FILES = {"etc/mdadm/mdadm.conf": "HOMEHOST <system>\nMAILADDR root\nARRAY /dev/md0 metadata=1.2 UUID=$ARRAY\n"}
MAKE = """
for disk in $D1 $D2; do
    sfdisk -q $disk <<'TABLE'
label: gpt
size=1MiB, type=21686148-6449-6E6F-744E-656564454649
size=+, type=A19D880F-05FC-4D3B-A006-743F0F84911E
TABLE
done
settle
mdadm --quiet --create /dev/md0 --run --level=1 --raid-devices=2 --metadata=1.2 --uuid=$ARRAY --assume-clean \\
    --bitmap=none ${D1}2 ${D2}2
ext4 $ROOT /dev/md0
"""
OPEN = "mdadm --quiet --assemble --run /dev/md0 ${D1}2 ${D2}2"
MOUNT = "mount /dev/md0 /mnt"
GRUB = "$D1 $D2"
CLOSE = "mdadm --quiet --stop /dev/md0"
