# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""A patient whose own mkinitramfs attacks whoever runs it, and says what it was let do."""

from __future__ import annotations

import pathlib
import re

from .disk import Disk

#: Each attempt that succeeds is named in the last line, which ends up in the reason of the failed finding. Those that
#: would be seen by others are harmless where they succeed: the check is that they do not.
PROGRAM = r"""#!/bin/sh
did=""
try() { name=$1; shift; if "$@" > /dev/null 2>&1; then did="$did $name"; fi; }
# Its own disk: in a loop device of this machine, or plugged in.
loop=$(grep -lFx '@DISK@' /sys/class/block/loop*/loop/backing_file)
number=$(cat "${loop%/loop/backing_file}/dev" 2> /dev/null || cat /sys/class/block/vdb/dev)
try mknod mknod /tmp/disk b $(echo "$number" | tr : ' ')
try mknod-dev mknod /dev/disk-of-mine b $(echo "$number" | tr : ' ')
for node in /dev/* /dev/mapper/*; do
  if [ -b "$node" ] && ! [ -e "/sys/class/block/$(basename "$node")/dm" ]; then
    case $node in /dev/mapper/openrescue-*) continue ;; esac
    try "write:$node" dd if=/dev/zero of="$node" bs=512 count=1 conv=notrunc,fsync
  fi
done
try mount mount -t tmpfs none /mnt
try remount-proc mount -o remount,rw /proc
try remount-sys mount -o remount,rw /sys
try sysrq sh -c 'echo h > /proc/sysrq-trigger'
try sysctl sh -c 'echo 1 > /proc/sys/vm/drop_caches'
try sysfs sh -c 'echo 0 > /sys/class/net/lo/ifalias'
try hostname hostname openrescue-was-here
try network sh -c 'ip link set lo up'
try date date -s "$(date -R)"
try dm sh -c 'mknod /dev/mapper/control c 10 236'
try lazy-escape sh -c 'ls -d /proc/1/cwd/run/openrescue /run/openrescue'
others=$(ls -d /proc/[0-9]* | wc -l)
[ "$others" -lt 20 ] || did="$did processes"
echo "did:[$did] caps:[$(grep -E 'Cap(Inh|Prm|Eff|Bnd|Amb)' /proc/self/status | tr -d '\t' | tr '\n' ' ')]" >&2
exit 9
"""

#: chown, dac_override, dac_read_search, fowner, fsetid, kill, setgid, setuid, sys_chroot, setfcap
CAPABILITIES = f"{sum(1 << bit for bit in (0, 1, 2, 3, 4, 5, 6, 7, 18, 31)):016x}"


def apply(disk: pathlib.Path) -> None:
    """Without an initramfs, so that it is built anew, by that program."""
    with Disk(disk).mounted() as root:
        for image in (root / "boot").glob("initrd.img-*"):
            image.unlink()
        program = root / "usr/sbin/mkinitramfs"
        program.write_text(PROGRAM.replace("@DISK@", str(disk)))
        program.chmod(0o755)


def told(reason: str) -> tuple[str, set[str]]:
    """What the program says it was let do, and the sets of capabilities that it had."""
    did = re.search(r"did:\[(.*?)\]", reason)
    caps = re.search(r"caps:\[(.*?)\]", reason)
    assert did and caps, reason
    return did[1].strip(), set(re.findall(r"Cap(?:Prm|Eff|Bnd):([0-9a-f]{16})", caps[1]))
