#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
#
# build.sh DISK SIZE TAR SSH_PUBLIC_KEY: writes a healthy guest's disk. GPT; 1 bios_boot, 2 ext4 /boot, 3 ext4 root.
# Runs in a mount namespace of its own, so no mount outlives it.
set -euo pipefail
disk=$1 size=$2 tar=$3 key=$4
root=$(dirname "$disk")/root

truncate --size "$size" "$disk"
sfdisk --quiet "$disk" <<'TABLE'
label: gpt
size=1MiB, type=21686148-6449-6E6F-744E-656564454649, name=bios
size=256MiB, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, name=boot
type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, name=root
TABLE

# grub-install wants device nodes of the partitions, and not every kernel makes them by itself.
loop=$(losetup --find --show "$disk")
cleanup() {
    umount --recursive "$root" 2>/dev/null || true
    partx --delete "$loop" 2>/dev/null || true
    losetup --detach "$loop"
}
trap cleanup EXIT
partx --add "$loop" 2>/dev/null || partx --update "$loop"

mkfs.ext4 -q -L boot "${loop}p2"
mkfs.ext4 -q -L root -E lazy_itable_init=0 "${loop}p3"
mkdir "$root"
mount "${loop}p3" "$root"
mkdir "$root/boot"
mount "${loop}p2" "$root/boot"
tar --extract --file "$tar" --directory "$root" --numeric-owner --xattrs --xattrs-include='*'

cat >"$root/etc/fstab" <<FSTAB
# <file system> <mount point> <type> <options> <dump> <pass>
UUID=$(blkid -s UUID -o value "${loop}p3") / ext4 errors=remount-ro 0 1
UUID=$(blkid -s UUID -o value "${loop}p2") /boot ext4 defaults 0 2
FSTAB
install -D -m 0600 "$key" "$root/root/.ssh/authorized_keys"
chmod 0700 "$root/root/.ssh"

for place in proc sys; do mount --bind "/$place" "$root/$place"; done
# Without links by UUID, update-grub would write root=/dev/loopNp3. They are made in a /dev of the guest tree alone.
mount -t tmpfs -o mode=0755 dev "$root/dev"
cp --archive /dev/null /dev/zero /dev/urandom "$loop" "${loop}p"* "$root/dev/"
mkdir -p "$root/dev/disk/by-uuid"
for part in 2 3; do
    ln -s "../../$(basename "$loop")p$part" "$root/dev/disk/by-uuid/$(blkid -s UUID -o value "${loop}p$part")"
done
chroot "$root" grub-install --target=i386-pc --recheck "$loop"
chroot "$root" update-grub
