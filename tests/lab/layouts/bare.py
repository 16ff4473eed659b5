# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""No partition table at all: ext4 from the first sector of the disk, as many cloud images are; EXTLINUX boots it."""

SUMMARY = "Debian 13, ext4 on the bare disk, EXTLINUX"
TREE = "trixie"
DISKS = ("1000M",)
FSTAB = """
UUID=$ROOT / ext4 errors=remount-ro 0 1
"""
FILES = {
    "boot/extlinux/extlinux.conf": """\
DEFAULT linux
PROMPT 0
LABEL linux
    LINUX /boot/vmlinuz-$KERNEL
    INITRD /boot/initrd.img-$KERNEL
    APPEND root=UUID=$ROOT ro console=ttyS0 mitigations=off
"""
}
MAKE = """
# EXTLINUX reads no file system with 64-bit block numbers.
mkfs.ext4 -q -F -O ^64bit,^metadata_csum -E lazy_itable_init=0 -U $ROOT $D1
"""
MOUNT = "mount $D1 /mnt"
LOADER = "extlinux"
