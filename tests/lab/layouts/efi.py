# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""UEFI with Secure Boot's signed loaders, as Debian's installer leaves them."""

SUMMARY = "Debian 12 on UEFI: ESP, shim, signed GRUB"
TREE = "bookworm"
FIRMWARE = "efi"
DISKS = ("1300M",)
FSTAB = """
UUID=$ROOT / ext4 errors=remount-ro 0 1
UUID=$ESP /boot/efi vfat umask=0077 0 1
UUID=$SWAP none swap sw 0 0
"""
MAKE = """
sfdisk -q $D1 <<'TABLE'
label: gpt
size=64MiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B
size=64MiB, type=0657FD6D-A4AB-43C4-84E5-0933C84B4F4F
size=+, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709
TABLE
settle
esp ${D1}1
mkswap -q -U $SWAP ${D1}2
ext4 $ROOT ${D1}3
"""
MOUNT = "mount ${D1}3 /mnt; mkdir -p /mnt/boot/efi; mount -o quiet ${D1}1 /mnt/boot/efi"
LOADER = "grub_efi"
