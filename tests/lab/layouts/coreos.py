# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""Fedora CoreOS: what runs is a deployment of OSTree below /ostree/deploy; the file system's own root is no system.

Sources: https://ostreedev.github.io/ostree/deployment/ and /atomic-upgrades/ (links of /ostree/boot.N, deployments);
https://docs.fedoraproject.org/en-US/fedora-coreos/storage/ (partitions and labels); entries as ostree writes them.
"""

SUMMARY = "Fedora CoreOS: four partitions, ext4 boot, XFS root that holds a deployment of OSTree"
KERNEL = "6.11.3-300.fc41.x86_64"
UNSHOWN = ("loader", "entry", "kernel", "initramfs", "modules", "root", "init")
DISKS = ("900M",)
FSTAB = ""
BOOTCSUM = "190375fcbb517f7a97c80256eb5ca74122718150b97c5482e15acba1abd77ab2"
DEPLOYMENT = "ostree/deploy/fedora-coreos/deploy/7a3f0c1e5b9d2846a0c1e3f5b7d9284650718293a4b5c6d7e8f90a1b2c3d4e5f.0"
FILES = {
    f"{DEPLOYMENT}/usr/lib/os-release": 'NAME="Fedora Linux"\nVERSION="41.20241027.3.0 (CoreOS)"\nID=fedora\nVERSION_ID=41\n'
    'VARIANT_ID=coreos\nOSTREE_VERSION="41.20241027.3.0"\n',
    f"{DEPLOYMENT}/etc/fstab": "",
    f"{DEPLOYMENT}/etc/passwd": "root:x:0:0:Super User:/root:/bin/bash\n",
    "ostree/repo/config": "[core]\nrepo_version=1\nmode=bare\n\n[sysroot]\nreadonly=true\nbootloader=none\n",
    "ostree/deploy/fedora-coreos/var/lib/.keep": "",
    "boot/loader.1/entries/ostree-1.conf": f"""\
title Fedora CoreOS 41.20241027.3.0 (ostree:0)
version 1
options rw mitigations=auto,nosmt ostree=/ostree/boot.1/fedora-coreos/{BOOTCSUM}/0 ignition.platform.id=openstack console=tty0 console=ttyS0,115200n8 root=UUID=$ROOT rw rootflags=prjquota boot=UUID=$BOOT
linux /boot/ostree/fedora-coreos-{BOOTCSUM}/vmlinuz-$KERNEL
initrd /boot/ostree/fedora-coreos-{BOOTCSUM}/initramfs-$KERNEL.img
""",
    "boot/grub2/grub.cfg": """\
set pager=1
# petitboot doesn't support -e and doesn't support an empty path part
if [ -d (md/md-boot)/grub2 ]; then
  set prefix=md/md-boot
else
  if [ -f ${config_directory}/bootuuid.cfg ]; then
    source ${config_directory}/bootuuid.cfg
  fi
  if [ -n "${BOOT_UUID}" ]; then
    search --fs-uuid "${BOOT_UUID}" --set prefix --no-floppy
  else
    search --label boot --set prefix --no-floppy
  fi
fi
set root=$prefix
blscfg
""",
}
BINARIES = {
    f"boot/ostree/fedora-coreos-{BOOTCSUM}/vmlinuz-$KERNEL": "kernel",
    f"boot/ostree/fedora-coreos-{BOOTCSUM}/initramfs-$KERNEL.img": "initramfs",
    f"{DEPLOYMENT}/usr/lib/systemd/systemd": "program",
}
LINKS = {
    "boot/loader": "loader.1",
    "boot/boot": ".",
    f"ostree/boot.1.1/fedora-coreos/{BOOTCSUM}/0": f"../../../../{DEPLOYMENT.removeprefix('ostree/')}",
    "ostree/boot.1": "boot.1.1",
}
USR_MERGED = False
MAKE = """
sfdisk -q $D1 <<'TABLE'
label: gpt
size=1MiB, type=21686148-6449-6E6F-744E-656564454649, name=BIOS-BOOT
size=127MiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name=EFI-SYSTEM
size=300MiB, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, name=boot
size=+, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, name=root
TABLE
settle
mkfs.fat -F 32 -n EFI-SYSTEM ${D1}2 >/dev/null
ext4 $BOOT ${D1}3; e2label ${D1}3 boot
mkfs.xfs -q -L root -m uuid=$ROOT ${D1}4
mount ${D1}4 /mnt; mkdir /mnt/boot; mount ${D1}3 /mnt/boot
"""
