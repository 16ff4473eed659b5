# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""Fedora as its installer lays it out since 33: ext4 /boot, one btrfs with the subvolumes root and home.

Sources: https://fedoraproject.org/wiki/Changes/BtrfsByDefault (layout, compress=zstd:1),
https://docs.fedoraproject.org/en-US/workstation-docs/disk-config/ (partitions); entries as kernel-install writes them.
"""

SUMMARY = "Fedora on UEFI: ext4 /boot, btrfs subvolumes root and home, BLS entries"
FIRMWARE = "efi"
KERNEL = "6.11.4-301.fc41.x86_64"
DISKS = ("700M",)
FSTAB = """
#
# /etc/fstab
# Created by anaconda on Thu Oct 31 17:20:02 2024
#
UUID=$ROOT /                       btrfs   subvol=root,compress=zstd:1 0 0
UUID=$BOOT /boot                   ext4    defaults        1 2
UUID=$ESP          /boot/efi               vfat    umask=0077,shortname=winnt 0 2
UUID=$ROOT /home                   btrfs   subvol=home,compress=zstd:1 0 0
"""
FILES = {
    "usr/lib/os-release": 'NAME="Fedora Linux"\nVERSION="41 (Server Edition)"\nID=fedora\nVERSION_ID=41\n',
    "etc/machine-id": "0a1b2c3d4e5f60718293a4b5c6d7e8f9\n",
    "etc/default/grub": "GRUB_TIMEOUT=5\nGRUB_DEFAULT=saved\nGRUB_DISABLE_SUBMENU=true\nGRUB_ENABLE_BLSCFG=true\n",
    "boot/grub2/grub.cfg": """\
set pager=1
if [ -s $prefix/grubenv ]; then
  load_env
fi
set default="${saved_entry}"
insmod part_gpt
insmod ext2
search --no-floppy --fs-uuid --set=root $BOOT
insmod blscfg
blscfg
""",
    "boot/grub2/grubenv": "# GRUB Environment Block\nsaved_entry=0a1b2c3d4e5f60718293a4b5c6d7e8f9-$KERNEL\n"
    "menu_auto_hide=1\nboot_success=1\n".ljust(1024, "#"),
    "boot/efi/EFI/fedora/grub.cfg": "search --no-floppy --root-dev-only --fs-uuid --set=dev $BOOT\n"
    "set prefix=($dev)/grub2\nexport $prefix\nconfigfile $prefix/grub.cfg\n",
    "boot/loader/entries/0a1b2c3d4e5f60718293a4b5c6d7e8f9-$KERNEL.conf": """\
title Fedora Linux ($KERNEL) 41 (Server Edition)
version $KERNEL
linux /vmlinuz-$KERNEL
initrd /initramfs-$KERNEL.img
options root=UUID=$ROOT ro rootflags=subvol=root rhgb quiet
grub_users $grub_users
grub_arg --unrestricted
grub_class fedora
""",
}
BINARIES = {
    "boot/vmlinuz-$KERNEL": "kernel",
    "boot/initramfs-$KERNEL.img": "initramfs",
    "boot/efi/EFI/BOOT/BOOTX64.EFI": "loader",
    "boot/efi/EFI/fedora/shimx64.efi": "loader",
    "boot/efi/EFI/fedora/grubx64.efi": "loader",
}
MAKE = """
sfdisk -q $D1 <<'TABLE'
label: gpt
size=40MiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B
size=160MiB, type=BC13C2FF-59E6-4262-A352-B275FD6F7172
size=+, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4
TABLE
settle
esp ${D1}1; ext4 $BOOT ${D1}2
mkfs.btrfs -q -L fedora -U $ROOT ${D1}3
mount ${D1}3 /mnt; btrfs -q subvolume create /mnt/root; btrfs -q subvolume create /mnt/home; umount /mnt
"""
MOUNT = """
mount -o subvol=root ${D1}3 /mnt; mkdir -p /mnt/boot /mnt/home; mount ${D1}2 /mnt/boot; mkdir -p /mnt/boot/efi
mount -o subvol=home ${D1}3 /mnt/home; mount -o quiet ${D1}1 /mnt/boot/efi
"""
