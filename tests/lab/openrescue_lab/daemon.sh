#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
#
# daemon.sh STATE: runs inside a new mount namespace and under a subreaper. Gives libvirt a private set of directories,
# then keeps virtlogd and libvirtd running. The host's own libvirt sees nothing of it.
set -eu
state=$1

# The name of this mount marks every process of the lab, whatever becomes of its parents.
mount -t tmpfs -o mode=0755 "openrescue-lab:$state" /run/libvirt
for place in lib log cache etc; do
    case $place in etc) target=/etc/libvirt ;; *) target=/var/$place/libvirt ;; esac
    mount --bind "$state/$place" "$target"
done
# A node that exists but does not work costs libvirt a new probe of QEMU at every call. On a read-only mount it cannot be
# opened for writing, so libvirt and QEMU agree that there is no KVM.
if [ -e /dev/kvm ]; then
    mount --bind "$state/no-kvm" /dev/kvm
    mount -o remount,bind,ro /dev/kvm
fi

keep_running() {
    while :; do
        "$@" || true
        sleep 0.2
    done
}
keep_running /usr/sbin/virtlogd -f /etc/libvirt/virtlogd.conf -p "$state/virtlogd.pid" &
keep_running /usr/sbin/libvirtd -f /etc/libvirt/libvirtd.conf -p "$state/libvirtd.pid" &
wait
