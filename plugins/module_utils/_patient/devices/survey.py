# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which block devices there are, what is on them, and which are the patient's. Pure, but for :func:`survey`.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import json
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
    "parse_lsblk",
    "patient_tops",
    "probe",
    "survey",
)

#: every device-mapper name of ours begins with this
OVERLAY_PREFIX = "openrescue-"

_COLUMNS = "NAME,KNAME,PATH,TYPE,SIZE,RO,MAJ:MIN,PKNAME"
_SEED_LABELS = ("cidata", "config-2")
#: of the file systems of a rescue image that the role rescue_image built
_RESCUE_LABEL = "openrescue"
_SEED_TYPES = ("iso9660", "vfat")
#: kinds that are never a server's disk unless somebody names them
_NOT_DISKS = ("loop", "rom")
_NOT_DISK_NAMES = re.compile(r"^(?:zram|ram|fd|nbd)\d")


@dataclasses.dataclass(frozen=True)
class Block:
    """One block device as the kernel knows it, with what libblkid read on it."""

    path: str
    kname: str
    name: str
    type: str
    size: int
    read_only: bool
    number: str
    parents: tuple[str, ...] = ()
    signature: t.Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def fstype(self) -> str:
        return self.signature.get("TYPE", "")


@dataclasses.dataclass(frozen=True)
class Survey:
    """All block devices by kernel name, parents before children, and the tops of the patient's stack."""

    blocks: t.Mapping[str, Block]
    tops: tuple[str, ...] = ()

    def children(self, kname: str) -> list[Block]:
        return [block for block in self.blocks.values() if kname in block.parents]

    def beneath(self, kname: str) -> list[Block]:
        """The device itself and all that is built on it, each once, in order."""
        found = {kname: self.blocks[kname]}
        for block in self.blocks.values():
            if any(parent in found for parent in block.parents):
                found[block.kname] = block
        return list(found.values())

    def above(self, kname: str) -> set[str]:
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
            found.update((block.kname, block) for block in self.beneath(top))
        return list(found.values())


def parse_lsblk(text: str) -> dict[str, Block]:
    """Output of ``lsblk --json --bytes``, in which a device with two parents stands twice."""
    found: dict[str, Block] = {}

    def take(node: t.Mapping[str, t.Any], parents: tuple[str, ...]) -> None:
        kname = str(node["kname"])
        known = found.get(kname)
        merged = (known.parents if known else ()) + tuple(p for p in parents if not known or p not in known.parents)
        found[kname] = Block(
            path=str(node.get("path") or f"/dev/{kname}"),
            kname=kname,
            name=str(node["name"]),
            type=str(node["type"]),
            size=int(node["size"] or 0),
            read_only=node["ro"] in (True, "1", 1),
            number=str(node["maj:min"]).strip(),
            parents=merged,
        )
        for child in node.get("children", ()):
            take(child, (kname,))

    for top in json.loads(text or '{"blockdevices": []}')["blockdevices"]:
        take(top, (top["pkname"],) if top.get("pkname") else ())
    return _parents_first(found)


def _parents_first(found: t.Mapping[str, Block]) -> dict[str, Block]:
    """lsblk begins with what has no parent of its own kind, so an array may stand before its second disk."""
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
        values = {key: re.sub(r"\\(.)", r"\1", value) for key, value in pairs.items()}
        device = values.pop("DEVNAME", "")
        if device:
            found[device] = values
    return found


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
    own = {top for name in used for top in found.above(name)}
    if only:
        return tuple(_named(found, path, own=own) for path in only)
    return tuple(
        block.kname
        for block in found.blocks.values()
        if not block.parents
        and block.size > 0
        and block.type not in _NOT_DISKS
        and not _NOT_DISK_NAMES.match(block.kname)
        and not block.name.startswith(OVERLAY_PREFIX)
        and block.kname not in own
        and not any(_is_seed(part) for part in found.beneath(block.kname))
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
    taken = {item.kname for item in found.beneath(block.kname)} & set(own)
    if taken:
        raise OpenRescueError(
            f"{block.path} is in use by the running system ({', '.join(sorted(taken))})",
            code="device_in_use",
            hint="Name the disks of the server that is to be repaired, or unmount them first",
        )
    return block.kname


def _is_seed(block: Block) -> bool:
    """Whether it configures the rescue system, as cloud-init finds it, or is a rescue system run from memory."""
    label = block.signature.get("LABEL", "").lower()
    is_ours = label == _RESCUE_LABEL and block.signature.get("USAGE") == "filesystem"
    return is_ours or (label in _SEED_LABELS and block.fstype in _SEED_TYPES)


def survey(tools: Tools, *, only: t.Sequence[str] = (), ignore_mounts_below: t.Sequence[str] = ()) -> Survey:
    """Look at the block devices of this machine, by the kernel and by reading them, never by a cache.

    :param ignore_mounts_below: mounts under these paths do not count as use by the running system.
    """
    listed = tools.run(["lsblk", "--json", "--bytes", "--output", _COLUMNS], timeout=60, ok=(0, 32, 64))
    blocks = parse_lsblk(listed.stdout)
    paths = [block.path for block in blocks.values() if block.size > 0 and not block.kname.startswith("zram")]
    signatures = probe(tools, paths)
    found = Survey(
        {name: dataclasses.replace(block, signature=signatures.get(block.path, {})) for name, block in blocks.items()}
    )
    return dataclasses.replace(found, tops=patient_tops(found, used=_used(found, ignore_mounts_below), only=only))


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
