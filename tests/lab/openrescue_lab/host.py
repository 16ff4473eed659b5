# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""What a fresh Debian 12 machine needs before the lab can work on it."""

from __future__ import annotations

import os
import pathlib
import subprocess
import typing as t

from .base import LabError, run, say

PACKAGES = (
    "btrfs-progs dosfstools dropbear-bin e2fsprogs fdisk gdisk genisoimage grub-common grub-efi-amd64-bin grub-pc-bin"
    " grub2-common libvirt-clients libvirt-daemon libvirt-daemon-driver-qemu libvirt-daemon-system libvirt-dev"
    " lz4 mmdebstrap mtools openssh-client ovmf pkg-config gcc python3-dev python3-venv qemu-system-x86 qemu-utils"
    " shellcheck tini util-linux xfsprogs xz-utils zstd"
).split()


def missing(packages: t.Sequence[str] = PACKAGES) -> list[str]:
    """The packages of the list that are not installed."""
    status = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *packages],
        capture_output=True,
        encoding="utf-8",
        check=False,  # it ends with 1 for a package that dpkg has never heard of
    ).stdout
    installed = {line.split()[0] for line in status.splitlines() if line.endswith(" installed")}
    return [package for package in packages if package not in installed]


def prepare(packages: t.Sequence[str] = PACKAGES) -> None:
    """Install what is missing; a second call finds nothing to do."""
    wanted = missing(packages)
    if wanted:
        if os.geteuid() != 0:
            raise LabError(f"needs root to install: {' '.join(wanted)}")
        say(f"installing {len(wanted)} of {len(packages)} packages: {' '.join(wanted)}")
        _install(wanted)
    say(f"host is ready: {len(packages)} packages, {len(wanted)} of them installed now")


def _install(wanted: list[str]) -> None:
    environment = {"DEBIAN_FRONTEND": "noninteractive"}
    # Packages must not start daemons: the lab has its own, and the host's libvirt is none of its business.
    policy = pathlib.Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
        policy.chmod(0o755)
    command = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *wanted]
    try:
        try:
            run(*command, env=environment)
        except LabError:
            run("apt-get", "update", "--quiet", env=environment)
            run(*command, env=environment)
    finally:
        if ours:
            policy.unlink()
    if missing(wanted):
        raise LabError(f"still not installed: {' '.join(missing(wanted))}")
