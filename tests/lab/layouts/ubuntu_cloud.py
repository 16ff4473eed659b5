# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""Ubuntu's cloud image: the root first by number and last by place, BIOS boot and ESP with numbers 14 and 15, labels.

Sources: livecd-rootfs, live-build/ubuntu-cpc/hooks.d/base/disk-image-uefi.binary (partitions and fstab);
https://wiki.ubuntu.com/FSTAB; cloud-init's netplan renderer.
"""

SUMMARY = "Ubuntu 22.04 cloud image: ext4 labelled cloudimg-rootfs, BIOS boot, ESP labelled UEFI"
KERNEL = "5.15.0-1066-kvm"
DISKS = ("500M",)
FSTAB = """
LABEL=cloudimg-rootfs	/	 ext4	discard,errors=remount-ro	0 1
LABEL=UEFI	/boot/efi	vfat	umask=0077	0 1
"""
FILES = {
    "usr/lib/os-release": 'PRETTY_NAME="Ubuntu 22.04.5 LTS"\nNAME="Ubuntu"\nVERSION_ID="22.04"\nID=ubuntu\nID_LIKE=debian\n',
    "etc/netplan/50-cloud-init.yaml": "network:\n    ethernets:\n        ens3:\n            dhcp4: true\n"
    "            match:\n                macaddress: fa:16:3e:00:00:01\n            set-name: ens3\n    version: 2\n",
    "etc/default/grub.d/50-cloudimg-settings.cfg": 'GRUB_CMDLINE_LINUX_DEFAULT="console=tty1 console=ttyS0"\nGRUB_TIMEOUT=0\n',
    "boot/grub/grub.cfg": """\
if [ -s $prefix/grubenv ]; then
  set have_grubenv=true
  load_env
fi
set default="0"
menuentry 'Ubuntu' --class ubuntu --class gnu-linux $menuentry_id_option 'gnulinux-simple-$ROOT' {
	recordfail
	insmod gzio
	insmod part_gpt
	insmod ext2
	search --no-floppy --label --set=root cloudimg-rootfs
	linux	/boot/vmlinuz-$KERNEL root=LABEL=cloudimg-rootfs ro  console=tty1 console=ttyS0
	initrd	/boot/initrd.img-$KERNEL
}
""",
    "boot/efi/EFI/ubuntu/grub.cfg": "search.fs_uuid $ROOT root\nset prefix=($root)'/boot/grub'\nconfigfile $prefix/grub.cfg\n",
}
BINARIES = {
    "boot/vmlinuz-$KERNEL": "kernel",
    "boot/initrd.img-$KERNEL": "initramfs",
    "boot/efi/EFI/BOOT/BOOTX64.EFI": "loader",
    "boot/efi/EFI/ubuntu/shimx64.efi": "loader",
    "boot/efi/EFI/ubuntu/grubx64.efi": "loader",
}
MAKE = """
sgdisk -n 14:2048:+4M -t 14:ef02 -n 15:0:+40M -t 15:ef00 -n 1:0:0 -t 1:8300 $D1 >/dev/null
settle
mkfs.fat -F 32 -n UEFI -i $(echo $ESP | tr -d -) ${D1}15 >/dev/null
ext4 $ROOT ${D1}1; e2label ${D1}1 cloudimg-rootfs
mount ${D1}1 /mnt; mkdir -p /mnt/boot/efi; mount -o quiet ${D1}15 /mnt/boot/efi
"""
