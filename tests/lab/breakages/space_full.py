# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""Unattended upgrades filled the root file system with packages that were never installed."""

from __future__ import annotations

import errno

from openrescue_lab.disk import Disk

SUMMARY = "packages of apt fill the root file system to its last block"
FAULTS = ["space-full"]
BOOTS = True
CONSOLE = r"No space left on device"


def apply(disk: Disk) -> None:
    """Fill the cache of apt until nothing more goes in."""
    with disk.mounted() as root:
        archives = root / "var/cache/apt/archives"
        archives.mkdir(parents=True, exist_ok=True)
        for number in range(100000):
            try:
                with (archives / f"linux-image-{number}_1.0_amd64.deb").open("wb", buffering=0) as package:
                    for _ in range(32):
                        package.write(b"\xa5" * 1048576)
            except OSError as error:
                assert error.errno == errno.ENOSPC
                break
