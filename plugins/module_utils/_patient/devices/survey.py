# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which block devices there are, what is on them, and which are the patient's. By the kernel's own list and by reading
them, never by a cache.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import os
import re
import typing as t

from ..._errors import OpenRescueError
from ..._text import printable
from ..tools import Tools

__all__ = (
    "OVERLAY_PREFIX",
    "Block",
    "Survey",
    "in_use",
    "parse_blkid",
    "patient_tops",
    "probe",
    "read_blocks",
    "seeds",
    "survey",
)

#: every device-mapper name of ours begins with this
OVERLAY_PREFIX = "openrescue-"

_SEED_LABELS = ("cidata", "config-2")
_SEED_TYPES = ("iso9660", "vfat")
#: kinds that are never a server's disk unless somebody names them
_NOT_DISKS = ("loop", "rom")
_NOT_DISK_NAMES = re.compile(r"^(?:zram|ram|fd|nbd)\d")
#: what device-mapper's owners write before their UUIDs -> the kind of device
_MAPPED = {"LVM-": "lvm", "CRYPT-": "crypt", "mpath-": "mpath", "DMRAID-": "dmraid", "part": "part"}
#: "LVM-", then the ID of the group and that of the volume; what LVM keeps for itself has a suffix
_VOLUME_UUID = 4 + 32 + 32


@dataclasses.dataclass(frozen=True)
class Block:
    """One block device as the kernel knows it, with what libblkid read on it.

    :param parents: kernel names of what it is made of: a partition's disk, a volume's devices.
    :param mapping: the UUID that device-mapper knows it by, empty if it is none of its own.
    """

    path: str
    kname: str
    name: str
    type: str
    size: int
    read_only: bool
    number: str
    parents: tuple[str, ...] = ()
    signature: t.Mapping[str, str] = dataclasses.field(default_factory=dict)
    mapping: str = ""

    @property
    def fstype(self) -> str:
        return self.signature.get("TYPE", "")

    @property
    def is_layer(self) -> bool:
        """Whether it is one of our throw-away layers."""
        return self.name.startswith(OVERLAY_PREFIX)

    @property
    def is_inner(self) -> bool:
        """Whether it is a part of a volume that LVM keeps for itself, such as a pool's metadata."""
        return self.type == "lvm" and len(self.mapping) > _VOLUME_UUID


@dataclasses.dataclass(frozen=True)
class Survey:
    """All block devices by kernel name, parents before children, and the tops of the patient's stack."""

    blocks: t.Mapping[str, Block]
    tops: tuple[str, ...] = ()

    def children(self, kname: str) -> list[Block]:
        return [block for block in self.blocks.values() if kname in block.parents]

    def built_on(self, kname: str) -> list[Block]:
        """The device itself and all that is built on it, each once, in order."""
        found = {kname: self.blocks[kname]}
        for block in self.blocks.values():
            if any(parent in found for parent in block.parents):
                found[block.kname] = block
        return list(found.values())

    def made_of(self, kname: str) -> set[str]:
        """The device itself and all that it is built from."""
        found: set[str] = set()
        pending = [kname]
        while pending:
            name = pending.pop()
            if name not in found and name in self.blocks:
                found.add(name)
                pending.extend(self.blocks[name].parents)
        return found

    def patients(self) -> list[Block]:
        """Every device of the patient."""
        found: dict[str, Block] = {}
        for top in self.tops:
            found.update((block.kname, block) for block in self.built_on(top))
        return list(found.values())


def read_blocks(sys: str = "/sys") -> dict[str, Block]:
    """All block devices by kernel name, what they are made of before them."""
    folder = os.path.join(sys, "class/block")
    found = {}
    for kname in sorted(os.listdir(folder), key=_in_order):
        block = _read_block(os.path.join(folder, kname), kname)
        if block is not None:
            found[kname] = block
    return _parents_first(found)


def _in_order(kname: str) -> list[tuple[int, str]]:
    """``sda``, ``sdb``, ``sdaa``; ``vdb2`` before ``vdb10``."""
    return [(len(part), part) for part in re.split(r"(\d+)", kname)]


def _read_block(folder: str, kname: str) -> Block | None:
    """None if it is gone by now."""

    def value(name: str) -> str:
        try:
            with open(os.path.join(folder, name), encoding="utf-8", errors="surrogateescape") as file:
                return file.read().strip()
        except OSError:
            return ""

    size, number, mapped = value("size"), value("dev"), value("dm/name")
    if not size or not number:
        return None
    node = kname.replace("!", "/")
    parents: t.Sequence[str] = ()
    if value("partition"):
        parents = (os.path.basename(os.path.dirname(os.path.realpath(folder))),)
    elif os.path.isdir(os.path.join(folder, "slaves")):
        parents = sorted(os.listdir(os.path.join(folder, "slaves")), key=_in_order)
    return Block(
        path=f"/dev/mapper/{mapped}" if mapped else f"/dev/{node}",
        kname=kname,
        name=mapped or node,
        type=_kind(kname, value),
        size=int(size) * 512,
        read_only=value("ro") == "1",
        number=number,
        parents=tuple(parents),
        mapping=value("dm/uuid"),
    )


def _kind(kname: str, value: t.Callable[[str], str]) -> str:
    """The word for a kind of device, as lsblk has it."""
    if value("partition"):
        return "part"
    if kname.startswith("dm-"):
        uuid = value("dm/uuid")
        return next((kind for start, kind in _MAPPED.items() if uuid.startswith(start)), "dm")
    if kname.startswith("loop"):
        return "loop"
    return value("md/level") or ("rom" if value("device/type") == "5" else "disk")


def _parents_first(found: t.Mapping[str, Block]) -> dict[str, Block]:
    """An array may stand before its second disk."""
    ordered: dict[str, Block] = {}

    def put(kname: str) -> None:
        if kname in found and kname not in ordered:
            for parent in found[kname].parents:
                put(parent)
            ordered[kname] = found[kname]

    for kname in found:
        put(kname)
    return ordered


def parse_blkid(text: str) -> dict[str, dict[str, str]]:
    """Output of ``blkid -p -o export``: one paragraph per device, values with backslash escapes."""
    found: dict[str, dict[str, str]] = {}
    for paragraph in re.split(r"\n\s*\n", text):
        pairs = dict(line.split("=", 1) for line in paragraph.splitlines() if "=" in line)
        values = {key: _unescaped(value) for key, value in pairs.items()}
        device = values.pop("DEVNAME", "")
        if device:
            found[device] = values
    return found


def _unescaped(value: str) -> str:
    """A byte that does not print stands as ``\\xNN``, a character that means something has a backslash before it."""
    raw = re.sub(
        rb"\\(?:x([0-9a-fA-F]{2})|(.))",
        lambda hit: bytes([int(hit[1], 16)]) if hit[1] else hit[2],
        value.encode("utf-8", "surrogateescape"),
    )
    return raw.decode("utf-8", "surrogateescape")


def in_use(mountinfo: str, swaps: str) -> tuple[set[str], set[str]]:
    """What the running system uses: device numbers, and device paths (btrfs mounts have no real number)."""
    numbers: set[str] = set()
    paths: set[str] = set()
    for line in mountinfo.splitlines():
        before, _dash, after = line.partition(" - ")
        fields, rest = before.split(), after.split()
        if len(fields) > 2 and len(rest) > 1:
            numbers.add(fields[2])
            if rest[1].startswith("/dev/"):
                paths.add(rest[1])
    paths.update(line.split()[0] for line in swaps.splitlines()[1:] if line.startswith("/dev/"))
    return numbers, paths


def patient_tops(found: Survey, *, used: t.Collection[str], only: t.Sequence[str] = ()) -> tuple[str, ...]:
    """Kernel names of the disks (or whatever ``only`` names) that are the patient's.

    :param used: kernel names of what the running system itself uses.
    :param only: paths that the user named; they are taken as given, unless the running system uses them.
    """
    own = {top for name in used for top in found.made_of(name)}
    if only:
        return tuple(_named(found, path, own=own) for path in only)
    return tuple(
        block.kname
        for block in found.blocks.values()
        if not block.parents
        and block.size > 0
        and block.type not in _NOT_DISKS
        and not _NOT_DISK_NAMES.match(block.kname)
        and not block.is_layer
        and block.kname not in own
        and not _is_seed(block)
    )


def _named(found: Survey, path: str, *, own: t.Collection[str]) -> str:
    real = os.path.realpath(path)
    block = next((item for item in found.blocks.values() if real in (item.path, f"/dev/{item.kname}")), None)
    if block is None:
        disks = ", ".join(item.path for item in found.blocks.values() if not item.parents and item.size)
        raise OpenRescueError(
            f"there is no block device {printable(path)} here",
            code="device_not_found",
            hint=f"The rescue system sees: {disks or 'no disk at all'}",
        )
    taken = {item.kname for item in found.built_on(block.kname)} & set(own)
    if taken:
        raise OpenRescueError(
            f"{block.path} is in use by the running system ({', '.join(sorted(taken))})",
            code="device_in_use",
            hint="Name the disks of the server that is to be repaired, or unmount them first",
        )
    return block.kname


def _is_seed(block: Block) -> bool:
    """Whether this whole device configures a system, as cloud-init finds it; a partition may be called anything."""
    return block.signature.get("LABEL", "").lower() in _SEED_LABELS and block.fstype in _SEED_TYPES


def seeds(found: Survey) -> list[str]:
    """Disks that configure a system; one of the server's own takes a letter among its disks."""
    return [block.path for block in found.blocks.values() if not block.parents and _is_seed(block)]


def survey(
    tools: Tools,
    *,
    only: t.Sequence[str] = (),
    ignore_mounts_below: t.Sequence[str] = (),
    known: Survey | None = None,
) -> Survey:
    """Look at the block devices of this machine.

    :param ignore_mounts_below: mounts under these paths do not count as use by the running system.
    :param known: what a survey a moment ago has read; only what is new is read now.
    """
    blocks = read_blocks()
    found = Survey(blocks)
    used = _used(found, ignore_mounts_below)
    own = {other.kname for name in used for top in found.made_of(name) for other in found.built_on(top)}
    before = known.blocks if known else {}
    fresh = [
        block.path
        for block in blocks.values()
        if block.size > 0
        and block.kname not in before
        and not block.kname.startswith("zram")
        and (block.kname not in own or only)
        and not block.is_layer
        and not (block.type == "loop" and not only)
    ]
    signatures = probe(tools, fresh)
    signatures.update({block.path: dict(block.signature) for block in before.values() if block.signature})
    found = Survey(
        {name: dataclasses.replace(block, signature=signatures.get(block.path, {})) for name, block in blocks.items()}
    )
    tops = known.tops if known else patient_tops(found, used=used, only=only)
    return dataclasses.replace(found, tops=tops)


def probe(tools: Tools, paths: t.Sequence[str]) -> dict[str, dict[str, str]]:
    """All devices with one call, unless blkid stops at one on which it sees nothing (2) or too much (8)."""
    signatures: dict[str, dict[str, str]] = {}
    while paths:
        done = tools.run(["blkid", "-p", "-o", "export", *paths], timeout=120, ok=(0, 2, 8))
        reported = parse_blkid(done.stdout)
        signatures.update(reported)
        if done.rc == 0:
            break
        # It stopped right behind the last one that it reported.
        stopped = max((index + 1 for index, path in enumerate(paths) if path in reported), default=0)
        paths = paths[stopped + 1 :]
    return signatures


def _used(found: Survey, ignore_below: t.Sequence[str]) -> set[str]:
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        lines = [
            line
            for line in file
            if not any((line.split()[4] + "/").startswith(base.rstrip("/") + "/") for base in ignore_below)
        ]
    swaps = ""
    if os.path.exists("/proc/swaps"):
        with open("/proc/swaps", encoding="utf-8", errors="surrogateescape") as file:
            swaps = file.read()
    numbers, paths = in_use("".join(lines), swaps)
    reals = {os.path.realpath(path) for path in paths}
    return {
        block.kname
        for block in found.blocks.values()
        if block.number in numbers or block.path in reals or f"/dev/{block.kname}" in reals
    }
