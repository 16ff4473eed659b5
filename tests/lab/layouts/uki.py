# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""A unified kernel image: kernel, initramfs and command line in one file, which systemd-boot finds by itself."""

SUMMARY = "Debian 13 with a unified kernel image on the ESP, no entry and no initramfs beside it, dracut"
TREE = "dracut"
FIRMWARE = "efi"
DISKS = ("1200M",)
FSTAB = """
UUID=$ROOT / ext4 errors=remount-ro 0 1
UUID=$ESP /efi vfat umask=0077 0 1
"""
FILES = {
    "etc/machine-id": "0123456789abcdef0123456789abcdef\n",
    "etc/kernel/cmdline": "root=UUID=$ROOT ro console=ttyS0 mitigations=off\n",
}
PREPARE = """
# What bootctl does, which wants a real ESP.
run mkdir -p /efi/EFI/systemd /efi/EFI/BOOT /efi/EFI/Linux /efi/loader/entries
run cp /usr/lib/systemd/boot/efi/systemd-bootx64.efi /efi/EFI/systemd/systemd-bootx64.efi
run cp /usr/lib/systemd/boot/efi/systemd-bootx64.efi /efi/EFI/BOOT/BOOTX64.EFI
echo type1 >$TREE/efi/loader/entries.srel
run ukify build --linux=/boot/vmlinuz-$KERNEL --initrd=/boot/initrd.img-$KERNEL --cmdline=@/etc/kernel/cmdline \\
    --uname=$KERNEL --os-release=@/etc/os-release --output=/efi/EFI/Linux/debian-$KERNEL.efi
rm $TREE/boot/initrd.img-$KERNEL
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
MOUNT = "mount ${D1}2 /mnt; mkdir -p /mnt/efi; mount -o quiet ${D1}1 /mnt/efi"
LOADER = "none"
