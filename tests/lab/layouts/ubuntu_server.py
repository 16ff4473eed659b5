# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""Ubuntu Server as Subiquity proposes it: LVM behind a /boot of its own, devices named by their udev links.

Sources: https://wiki.ubuntu.com/FSTAB (which link for which device); curtin's block_meta and its comments in fstab;
netplan as Subiquity writes it, https://netplan.readthedocs.io/en/stable/netplan-yaml/.
"""

SUMMARY = "Ubuntu Server 22.04: BIOS boot, ext4 /boot, LVM root named by its dm-uuid, swap in a file"
KERNEL = "5.15.0-119-generic"
UNSHOWN = ("loader",)
DISKS = ("700M",)
FSTAB = """
# /etc/fstab: static file system information.
#
# Use 'blkid' to print the universally unique identifier for a
# device; this may be used with UUID= as a more robust way to name devices
# that works even if disks are added and removed. See fstab(5).
#
# <file system> <mount point>   <type>  <options>       <dump>  <pass>
# / was on /dev/ubuntu-vg/ubuntu-lv during curtin installation
/dev/disk/by-id/dm-uuid-@DM@ / ext4 defaults 0 1
# /boot was on /dev/vda2 during curtin installation
/dev/disk/by-uuid/$BOOT /boot ext4 defaults 0 1
/swap.img	none	swap	sw	0	0
"""
FILES = {
    "usr/lib/os-release": 'PRETTY_NAME="Ubuntu 22.04.5 LTS"\nNAME="Ubuntu"\nVERSION_ID="22.04"\nID=ubuntu\nID_LIKE=debian\n',
    "etc/netplan/00-installer-config.yaml": "# This is the network config written by 'subiquity'\nnetwork:\n  ethernets:\n"
    "    enp1s0:\n      dhcp4: true\n  version: 2\n",
    "etc/default/grub": 'GRUB_DEFAULT=0\nGRUB_TIMEOUT_STYLE=hidden\nGRUB_TIMEOUT=0\nGRUB_CMDLINE_LINUX_DEFAULT=""\n',
    "boot/grub/grub.cfg": """\
if [ -s $prefix/grubenv ]; then
  set have_grubenv=true
  load_env
fi
set default="0"
menuentry 'Ubuntu' --class ubuntu --class gnu-linux --class gnu --class os $menuentry_id_option 'gnulinux-simple-$ROOT' {
	recordfail
	load_video
	gfxmode $linux_gfx_mode
	insmod gzio
	if [ x$grub_platform = xxen ]; then insmod xzio; insmod lzopio; fi
	insmod part_gpt
	insmod ext2
	search --no-floppy --fs-uuid --set=root $BOOT
	linux	/vmlinuz-$KERNEL root=/dev/mapper/ubuntu--vg-ubuntu--lv ro
	initrd	/initrd.img-$KERNEL
}
""",
    "boot/grub/grubenv": "# GRUB Environment Block\n".ljust(1024, "#"),
}
BINARIES = {"boot/vmlinuz-$KERNEL": "kernel", "boot/initrd.img-$KERNEL": "initramfs"}
MAKE = """
sfdisk -q $D1 <<'TABLE'
label: gpt
size=1MiB, type=21686148-6449-6E6F-744E-656564454649
size=160MiB, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4
size=+, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4
TABLE
settle
ext4 $BOOT ${D1}2
pvcreate -q ${D1}3; vgcreate -q ubuntu-vg ${D1}3; lvcreate -q -y -l 70%FREE -n ubuntu-lv ubuntu-vg
ext4 $ROOT /dev/ubuntu-vg/ubuntu-lv
mount /dev/ubuntu-vg/ubuntu-lv /mnt; mkdir /mnt/boot; mount ${D1}2 /mnt/boot
"""
FINISH = """
sed -i "s|@DM@|$(dmsetup info -c --noheadings -o uuid ubuntu--vg-ubuntu--lv)|" /mnt/etc/fstab
dd if=/dev/zero of=/mnt/swap.img bs=1M count=16 status=none; chmod 600 /mnt/swap.img; mkswap -q /mnt/swap.img
"""
CLOSE = "vgchange -q -an ubuntu-vg"
