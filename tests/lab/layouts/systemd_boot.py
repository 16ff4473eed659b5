# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""UEFI, systemd-boot and an initramfs of dracut: kernel and entry lie on the ESP."""

SUMMARY = "Debian 13 with systemd-boot, entries of the Boot Loader Specification on the ESP, dracut"
TREE = "dracut"
FIRMWARE = "efi"
DISKS = ("1200M",)
FSTAB = """
UUID=$ROOT / ext4 errors=remount-ro 0 1
UUID=$ESP /boot/efi vfat umask=0077 0 1
"""
FILES = {
    "etc/machine-id": "0123456789abcdef0123456789abcdef\n",
    "etc/kernel/cmdline": "root=UUID=$ROOT ro console=ttyS0 mitigations=off\n",
    "etc/kernel/install.conf": "layout=bls\nBOOT_ROOT=/boot/efi\ninitrd_generator=none\n",
}
PREPARE = """
# What bootctl does, which wants a real ESP.
run mkdir -p /boot/efi/EFI/systemd /boot/efi/EFI/BOOT /boot/efi/EFI/Linux /boot/efi/loader/entries
run cp /usr/lib/systemd/boot/efi/systemd-bootx64.efi /boot/efi/EFI/systemd/systemd-bootx64.efi
run cp /usr/lib/systemd/boot/efi/systemd-bootx64.efi /boot/efi/EFI/BOOT/BOOTX64.EFI
echo type1 >$TREE/boot/efi/loader/entries.srel
run kernel-install --entry-token=machine-id add $KERNEL /boot/vmlinuz-$KERNEL /boot/initrd.img-$KERNEL
# It takes /boot/efi for a directory of the root's file system, since nothing is mounted there yet.
sed -i 's| /boot/efi/| /|' $TREE/boot/efi/loader/entries/*.conf
"""
MAKE = """
sfdisk -q $D1 <<'TABLE'
label: gpt
size=200MiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B
size=+, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709
TABLE
settle
esp ${D1}1
ext4 $ROOT ${D1}2
"""
MOUNT = "mount ${D1}2 /mnt; mkdir -p /mnt/boot/efi; mount -o quiet ${D1}1 /mnt/boot/efi"
LOADER = "none"
