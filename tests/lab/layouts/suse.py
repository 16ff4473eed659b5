# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""openSUSE Leap and SLES as YaST proposes them: the root is the first snapshot, everything around it subvolumes of @.

Sources: https://en.opensuse.org/SDB:BTRFS (subvolumes),
https://forums.opensuse.org/t/leap-42-2-btrfs-root-filesystem-subvolume-structure/122276 (structure),
https://unix.stackexchange.com/questions/285011 (an untouched fstab).
"""

SUMMARY = "openSUSE Leap: btrfs whose default subvolume is the snapshot that runs, /boot in it, GRUB for BIOS"
KERNEL = "6.4.0-150600.21-default"
UNSHOWN = ("loader",)
DISKS = ("700M",)
SUBVOLUMES = ("var", "usr/local", "tmp", "srv", "root", "opt", "home", "boot/grub2/x86_64-efi", "boot/grub2/i386-pc")
FSTAB = (
    "UUID=$ROOT  /                       btrfs  defaults                      0  0\n"
    + "".join(f"UUID=$ROOT  /{name:<22}  btrfs  subvol=/@/{name:<20}  0  0\n" for name in SUBVOLUMES)
    + "UUID=$SWAP  swap                    swap   defaults                      0  0\n"
    + "UUID=$ROOT  /.snapshots             btrfs  subvol=/@/.snapshots          0  0\n"
)
FILES = {
    "usr/lib/os-release": 'NAME="openSUSE Leap"\nVERSION="15.6"\nID="opensuse-leap"\nID_LIKE="suse opensuse"\n'
    'VERSION_ID="15.6"\nPRETTY_NAME="openSUSE Leap 15.6"\n',
    "etc/machine-id": "1f2e3d4c5b6a79880716253443526170\n",
    "etc/default/grub": 'GRUB_DISTRIBUTOR=\nGRUB_DEFAULT=saved\nGRUB_TIMEOUT=8\nSUSE_BTRFS_SNAPSHOT_BOOTING="true"\n'
    'GRUB_CMDLINE_LINUX_DEFAULT="splash=silent resume=/dev/disk/by-uuid/$SWAP quiet mitigations=auto"\n',
    "boot/grub2/grub.cfg": """\
set btrfs_relative_path="y"
export btrfs_relative_path
if [ -s $prefix/grubenv ]; then
  load_env
fi
set default="${saved_entry}"
menuentry 'openSUSE Leap 15.6'  --class opensuse --class gnu-linux $menuentry_id_option 'gnulinux-simple-$ROOT' {
	load_video
	set gfxpayload=keep
	insmod gzio
	insmod part_gpt
	insmod btrfs
	search --no-floppy --fs-uuid --set=root $ROOT
	echo	'Loading Linux $KERNEL ...'
	linux	/boot/vmlinuz-$KERNEL root=UUID=$ROOT  ${extra_cmdline} splash=silent resume=/dev/disk/by-uuid/$SWAP quiet mitigations=auto
	echo	'Loading initial ramdisk ...'
	initrd	/boot/initrd-$KERNEL
}
""",
    "boot/grub2/grubenv": "# GRUB Environment Block\nsaved_entry=openSUSE Leap 15.6\n".ljust(1024, "#"),
}
BINARIES = {"boot/vmlinuz-$KERNEL": "kernel", "boot/initrd-$KERNEL": "initramfs"}
MAKE = (
    """
sfdisk -q $D1 <<'TABLE'
label: gpt
size=8MiB, type=21686148-6449-6E6F-744E-656564454649
size=64MiB, type=0657FD6D-A4AB-43C4-84E5-0933C84B4F4F
size=+, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4
TABLE
settle
mkswap -q -U $SWAP ${D1}2
mkfs.btrfs -q -U $ROOT ${D1}3
mount ${D1}3 /mnt
btrfs -q subvolume create /mnt/@; btrfs -q subvolume create /mnt/@/.snapshots
mkdir -p /mnt/@/.snapshots/1 /mnt/@/usr /mnt/@/boot/grub2
btrfs -q subvolume create /mnt/@/.snapshots/1/snapshot
"""
    + "".join(f"btrfs -q subvolume create /mnt/@/{name}\n" for name in SUBVOLUMES)
    + """
btrfs subvolume set-default /mnt/@/.snapshots/1/snapshot; umount /mnt
mount ${D1}3 /mnt
"""
    + "".join(f"mkdir -p /mnt/{name}; mount -o subvol=@/{name} ${{D1}}3 /mnt/{name}\n" for name in SUBVOLUMES)
)
FINISH = "mkdir /mnt/.snapshots"
