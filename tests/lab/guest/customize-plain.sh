#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
#
# customize-plain.sh ROOT: the plain image that the rescue image's boot is measured against. Everything as Debian and
# systemd have it; only GRUB does not wait, as in any image for servers, draws
# nothing, since the machine has no screen, and there is a serial console to watch.
set -eu
root=$1

echo plain >"$root/etc/hostname"
: >"$root/etc/machine-id"
mkdir -p "$root/etc/default/grub.d"
cat >"$root/etc/default/grub.d/lab.cfg" <<'GRUB'
GRUB_TIMEOUT=0
GRUB_TERMINAL=console
GRUB_CMDLINE_LINUX="console=tty0 console=ttyS0,115200"
GRUB_DISABLE_OS_PROBER=true
GRUB
