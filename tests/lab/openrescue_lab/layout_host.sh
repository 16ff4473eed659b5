#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
#
# layout_host.sh TREE TAR PREPARE: on the host, in a mount namespace of its own: builds the initramfs of a patient's tree,
# runs what else its layout prepares there, and packs the tree. An emulated processor would take minutes for it.
set -euo pipefail
TREE=$1 tar=$2 prepare=$3

# Runs a command inside the tree.
run() { chroot "$TREE" env SYSTEMD_RELAX_ESP_CHECKS=1 "$@"; }

if [ -d "$TREE/var/lib/dpkg" ]; then
    for place in proc sys; do mount --bind "/$place" "$TREE/$place"; done
    # No disk of the host is seen here: what is built must not depend on them.
    mount -t tmpfs -o mode=0755 dev "$TREE/dev"
    cp --archive /dev/null /dev/zero /dev/urandom "$TREE/dev/"
    ln -s /proc/self/fd "$TREE/dev/fd"
    if [ -x "$TREE/usr/bin/dracut" ]; then
        run dracut --quiet --force --no-hostonly --no-early-microcode "/boot/initrd.img-$KERNEL" "$KERNEL"
    else
        run update-initramfs -c -k all
    fi
    eval "$prepare"
    umount "$TREE/proc" "$TREE/sys" "$TREE/dev"
fi
tar --create --file "$tar" --directory "$TREE" --numeric-owner --xattrs --xattrs-include='*' .
