# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""The partitions of a raw disk on the host, for tests that break them. No partition nodes are needed."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import pathlib
import tempfile
import typing as t

from .base import LabError, run, state_dir

#: bytes that :func:`sha256` looks at as one
BLOCK = 1 << 17


@dataclasses.dataclass(frozen=True)
class Partition:
    """Where a partition lies on its disk, in bytes."""

    name: str
    offset: int
    size: int


@dataclasses.dataclass(frozen=True)
class Disk:
    """A raw disk laid out as the lab's guest: GPT with partitions named bios, boot and root."""

    path: pathlib.Path

    def partition(self, name: str) -> Partition:
        """The partition with this GPT name."""
        table = json.loads(run("sfdisk", "--json", self.path))["partitiontable"]
        for entry in table["partitions"]:
            if entry.get("name") == name:
                sector = table.get("sectorsize", 512)
                return Partition(name=name, offset=entry["start"] * sector, size=entry["size"] * sector)
        raise LabError(f"{self.path} has no partition named {name}")

    def uuid(self, name: str) -> str:
        """The UUID of the file system on a partition."""
        partition = self.partition(name)
        return run("blkid", "-p", "-O", str(partition.offset), "-s", "UUID", "-o", "value", self.path).strip()

    @contextlib.contextmanager
    def device(self, name: str) -> t.Iterator[pathlib.Path]:
        """A loop device over one partition, for tools that want one (debugfs, mkfs, ...)."""
        partition = self.partition(name)
        place = ("--offset", str(partition.offset), "--sizelimit", str(partition.size))
        loop = run("losetup", "--find", "--show", *place, self.path).strip()
        try:
            yield pathlib.Path(loop)
        finally:
            run("losetup", "--detach", loop)

    @contextlib.contextmanager
    def mounted(self) -> t.Iterator[pathlib.Path]:
        """The guest's tree, writable, with /boot in its place; unmounted whatever happens inside."""
        mounts = state_dir() / "mnt"
        mounts.mkdir(parents=True, exist_ok=True)
        root = pathlib.Path(tempfile.mkdtemp(dir=mounts))
        try:
            with contextlib.ExitStack() as undo:
                for name, target in (("root", root), ("boot", root / "boot")):
                    partition = self.partition(name)
                    # mount's own loop devices vanish with the mount, even when this process is killed before.
                    options = f"loop,offset={partition.offset},sizelimit={partition.size}"
                    run("mount", "-t", "ext4", "-o", options, self.path, target)
                    undo.callback(run, "umount", target)
                yield root
        finally:
            root.rmdir()


def mounted(disk: pathlib.Path) -> t.ContextManager[pathlib.Path]:
    """`Disk(disk).mounted()`, for callers that need nothing else of it."""
    return Disk(disk).mounted()


def sha256(path: str | pathlib.Path) -> str:
    """Of a disk: over each block that is not all zero, with its place. Holes, most of a test's disk, take no time."""
    digest, place = hashlib.sha256(), 0
    with open(path, "rb", buffering=0) as disk:
        number = disk.fileno()
        with contextlib.suppress(OSError):  # there is no data any more
            while True:
                data = os.lseek(number, place, os.SEEK_DATA)
                hole = os.lseek(number, data, os.SEEK_HOLE)
                place = data // BLOCK * BLOCK
                while place < hole:
                    block = os.pread(number, BLOCK, place)
                    if block.count(0) != len(block):
                        digest.update(place.to_bytes(8, "big") + block)
                    place += BLOCK
        return f"{os.fstat(number).st_size} bytes, {digest.hexdigest()}"


def blank(path: pathlib.Path) -> pathlib.Path:
    """A disk of zeros: the firmware finds nothing to boot and stays."""
    with path.open("wb") as handle:
        handle.truncate(1 << 20)
    return path


def silent(path: pathlib.Path) -> pathlib.Path:
    """A disk whose boot loader does nothing for ever: a server that runs, and of which nobody can tell more."""
    blank(path)
    with path.open("r+b") as handle:
        # cli, hlt, and again
        handle.write(b"\xfa\xf4\xeb\xfd")
        handle.seek(510)
        handle.write(b"\x55\xaa")
    return path
