#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
#
# layout_tree.sh ROOT: mmdebstrap calls it when the packages of a patient's tree are installed. What a patient needs to be
# seen (serial console), reached (its agent comes with the packages) and quick under emulation.
set -eu
root=$1

echo openrescue-layout >"$root/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 openrescue-layout\n' >"$root/etc/hosts"
: >"$root/etc/machine-id"
if [ -d "$root/etc/grub.d" ]; then
    mkdir -p "$root/etc/default/grub.d"
    cat >"$root/etc/default/grub.d/lab.cfg" <<'GRUB'
GRUB_TIMEOUT=0
GRUB_TERMINAL="serial"
GRUB_SERIAL_COMMAND="serial --unit=0 --speed=115200"
GRUB_CMDLINE_LINUX_DEFAULT=""
GRUB_CMDLINE_LINUX="console=ttyS0 mitigations=off"
GRUB_DISABLE_OS_PROBER=true
GRUB
fi
if [ -d "$root/etc/initramfs-tools" ]; then
    mkdir -p "$root/etc/initramfs-tools/conf.d"
    printf 'MODULES=list\nCOMPRESS=gzip\n' >"$root/etc/initramfs-tools/conf.d/lab.conf"
    echo RESUME=none >"$root/etc/initramfs-tools/conf.d/resume"
    # What MODULES=dep would find on the patient itself.
    printf '%s\n' virtio_pci virtio_blk ext4 xfs btrfs crc32c_generic raid1 dm_mod dm_crypt aes_generic aesni_intel xts ecb \
        cbc sha256_generic algif_skcipher >>"$root/etc/initramfs-tools/modules"
fi
echo root:openrescue | chroot "$root" chpasswd
systemctl --root="$root" --quiet enable serial-getty@ttyS0.service
systemctl --root="$root" --quiet mask \
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer \
    systemd-timesyncd.service systemd-pstore.service getty@tty1.service xfs_scrub_all.timer
