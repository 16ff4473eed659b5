# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""XFS with everything that Debian 13's mkfs switches on, /boot in it: kernels before 6.x do not open it all."""

SUMMARY = "Debian 13, one XFS with /boot in it, GPT"
TREE = "trixie"
DISKS = ("1400M",)
FSTAB = """
UUID=$ROOT / xfs defaults 0 0
"""
MAKE = """
sfdisk -q $D1 <<'TABLE'
label: gpt
size=1MiB, type=21686148-6449-6E6F-744E-656564454649
size=+, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709
TABLE
settle
mkfs.xfs -q -m uuid=$ROOT ${D1}2
"""
MOUNT = "mount ${D1}2 /mnt"
