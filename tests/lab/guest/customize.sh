#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
#
# customize.sh ROOT: mmdebstrap calls it when the guest's packages are installed. What a test guest needs to be seen
# (serial console), reached (agent, SSH key) and quick under emulation.
set -eu
root=$1

echo openrescue-guest >"$root/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 openrescue-guest\n' >"$root/etc/hosts"
: >"$root/etc/machine-id"

mkdir -p "$root/etc/default/grub.d" "$root/etc/systemd/system.conf.d" "$root/etc/systemd/network"
cat >"$root/etc/default/grub.d/lab.cfg" <<'GRUB'
GRUB_TIMEOUT=0
GRUB_TERMINAL="serial"
GRUB_SERIAL_COMMAND="serial --unit=0 --speed=115200"
GRUB_CMDLINE_LINUX_DEFAULT=""
GRUB_CMDLINE_LINUX="console=ttyS0 mitigations=off"
GRUB_DISABLE_OS_PROBER=true
GRUB
# A device that never comes ends in emergency mode within a test's patience, and three guests at a time find theirs.
printf '[Manager]\nDefaultDeviceTimeoutSec=40s\n' >"$root/etc/systemd/system.conf.d/lab.conf"
printf '[Match]\nName=en* eth*\n\n[Network]\nDHCP=yes\n' >"$root/etc/systemd/network/lab.network"

# An initramfs that is soon read, and soon built anew by a repair: both happen on an emulated processor.
printf 'MODULES=list\nCOMPRESS=zstd\nCOMPRESSLEVEL=1\n' >"$root/etc/initramfs-tools/conf.d/lab.conf"
printf '%s\n' virtio_pci virtio_blk virtio_scsi ahci ata_piix sd_mod ext4 >>"$root/etc/initramfs-tools/modules"
chroot "$root" update-initramfs -u -k all >/dev/null

# Emergency mode then offers a shell on the console instead of "root account is locked".
echo root:openrescue | chroot "$root" chpasswd

systemctl --root="$root" --quiet enable serial-getty@ttyS0.service systemd-networkd.service
systemctl --root="$root" --quiet mask \
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer \
    systemd-networkd-wait-online.service systemd-timesyncd.service systemd-pstore.service getty@tty1.service
rm -f "$root"/etc/ssh/ssh_host_*_key*
chroot "$root" ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
