# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""Disks in files as loop devices of this machine, each with its partitions."""

from __future__ import annotations

import pathlib

from .base import run


def attach(disk: pathlib.Path) -> str:
    """The loop device of a disk, its partitions beside it as `<device>p<number>`."""
    device = run("losetup", "--find", "--show", disk).strip()
    try:
        # The partitions of a disk whose test was killed outlive it, and are those of the next disk on this device.
        if any(pathlib.Path("/sys/class/block").glob(f"{pathlib.Path(device).name}p*")):
            run("partx", "--delete", device)
        # The kernel's own scan for partitions needs udev to make their nodes, which a container lacks.
        run("partx", "--add", device)
    except BaseException:
        run("losetup", "--detach", device)
        raise
    return device


def detach(device: str) -> None:
    """Forget what :func:`attach` made."""
    run("partx", "--delete", device)
    run("losetup", "--detach", device)
