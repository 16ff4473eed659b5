# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""The healthy guest: built once, copied for each test."""

from __future__ import annotations

import dataclasses
import pathlib

from .base import LAB_DIR, cache_dir, cached, fingerprint, locked, run

SOURCES = LAB_DIR / "guest"


@dataclasses.dataclass(frozen=True)
class Guest:
    """A built guest: its disk, and the key that opens root's account over SSH."""

    disk: pathlib.Path
    ssh_key: pathlib.Path


def ssh_key() -> pathlib.Path:
    """The lab's own SSH key, made at the first need."""
    key = cache_dir() / "lab-ssh-key"
    with locked(cache_dir() / ".ssh-key.lock"):
        if not key.with_suffix(".pub").exists():
            key.unlink(missing_ok=True)
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "openrescue-lab", "-f", key)
    return key


def guest() -> Guest:
    """The healthy guest, from the cache or built now. Nobody writes to its disk: see `copy_of`."""
    key = ssh_key()
    public = key.with_suffix(".pub")

    def build(directory: pathlib.Path) -> None:
        tree = directory / "root.tar"
        packages = ",".join((SOURCES / "packages").read_text(encoding="ascii").split())
        mmdebstrap(packages, SOURCES / "customize.sh", tree)
        run("unshare", "--mount", "--propagation", "private", SOURCES / "build.sh", directory / "disk.raw", tree, public)
        tree.unlink()
        (directory / "root").rmdir()

    entry = cached("guest", fingerprint("bookworm", SOURCES, public), build)
    return Guest(disk=entry / "disk.raw", ssh_key=key)


def mmdebstrap(packages: str, customize: pathlib.Path, target: pathlib.Path) -> None:
    """A Debian 12 tree with these packages and nothing that is only recommended."""
    run(
        "mmdebstrap",
        "--variant=minbase",
        f"--include={packages}",
        "--aptopt=APT::Install-Recommends \"false\"",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        f"--customize-hook={customize} \"$1\"",
        "bookworm",
        target,
    )


def copy_of(disk: pathlib.Path, target: pathlib.Path) -> pathlib.Path:
    """A sparse copy that a test may break."""
    run("cp", "--sparse=always", "--reflink=auto", "--no-preserve=mode", disk, target)
    return target
