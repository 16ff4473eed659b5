# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a name in fstab or on a kernel's command line says of a device, and when it says nothing for certain. Pure.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

__all__ = ("Surroundings", "array_uuids", "bare_number", "decoded", "is_bare", "why_unknown")

_BARE = re.compile(
    r"/dev/(?:(?P<family>sd|vd|xvd|hd)(?P<letters>[a-z]{1,2})(?P<part>\d{0,3})"
    r"|(?P<nvme>nvme)(?P<disk>\d+)n1(?:p(?P<p>\d{1,3}))?)$"
)
_FAMILY = re.compile(r"^(sd|vd|xvd|hd|nvme)")
_ARRAY = re.compile(r"/dev/md(?:/|_?d?\d|\d)")
_VOLUME = re.compile(r"/dev/(?:mapper/(?P<mapped>[^/]+)|(?P<group>[^/]+)/(?P<volume>[^/]+))$")
_TAG = re.compile(r"(?:UUID|LABEL|PARTUUID|PARTLABEL)=[\"']?[^/\s]|/dev/disk/by-(?:uuid|label|partuuid|partlabel)/")
#: directories of /dev that are no volume group
_NO_GROUPS = {"disk", "mapper", "md", "zvol", "drbd", "rbd", "loop", "cciss", "ida", "etherd", "block", "char", "pts"}


@dataclasses.dataclass(frozen=True)
class Surroundings:
    """What there is of the patient besides file systems, as far as names depend on it.

    :param disks: kernel names of its disks, in order.
    :param shifted: whether another disk, such as one with settings for cloud-init, may have taken a letter.
    :param groups: volume groups that are complete here.
    :param arrays: whether there are any arrays.
    """

    disks: tuple[str, ...] = ()
    shifted: bool = False
    groups: tuple[str, ...] = ()
    arrays: bool = False


def bare_number(spec: str, around: Surroundings) -> tuple[int, int] | None:
    """``/dev/sdb3`` is partition 3 of the second disk: (1, 3); partition 0 is the whole disk.

    None if it is no such name, or if the server may have called its disks otherwise than by their order here.
    """
    match = _BARE.match(spec)
    if match is None:
        return None
    if match["nvme"]:
        disk, part = int(match["disk"]), int(match["p"] or 0)
    else:
        disk = 0
        for letter in match["letters"]:
            disk = disk * 26 + ord(letter) - ord("a") + 1
        disk, part = disk - 1, int(match["part"] or 0)
    return None if _is_mixed(around) or (around.shifted and disk > 0) else (disk, part)


def is_bare(spec: str) -> bool:
    """Whether it is a kernel's name for a disk or a partition, such as ``/dev/sda1``."""
    return _BARE.match(spec) is not None


def _is_mixed(around: Surroundings) -> bool:
    return len({hit[1] if (hit := _FAMILY.match(name)) else name for name in around.disks}) > 1


def why_unknown(spec: str, around: Surroundings, *, made: t.Container[str] = ()) -> str:
    """Why nobody can tell that the server lacks what answers to this name here; empty if it certainly does.

    :param made: names of mappings that the server makes by its crypttab.
    """
    if _TAG.match(spec):
        return ""
    if _BARE.match(spec):
        if _is_mixed(around):
            return "its disks are on several buses, and such a name says nothing there"
        return "" if bare_number(spec, around) else "a disk with settings may have taken a letter among its disks"
    if _ARRAY.match(spec):
        return "the array may have another name here" if around.arrays else ""
    match = _VOLUME.match(spec)
    mapped = (match["mapped"] or "") if match else ""
    if mapped in made or mapped.startswith(("luks-", "mpath")):
        return "the server makes it at its boot"
    group = _group_of(mapped) if mapped else match["group"] if match else ""
    if match and group and group not in _NO_GROUPS:
        return ""
    return "nobody can tell what it is called here"


def _group_of(mapped: str) -> str:
    """The volume group in the name of a mapping; a dash inside it is doubled."""
    group, dash, volume = mapped.replace("--", "\0").partition("-")
    return group.replace("\0", "-") if dash and volume else ""


def array_uuids(mdadm_conf: str) -> dict[str, str]:
    """Name of each array (``/dev/md0``) of an mdadm.conf -> its UUID as libblkid writes it."""
    found = {}
    for line in re.sub(r"\n[ \t]+", " ", mdadm_conf).splitlines():
        match = re.match(r"\s*ARRAY\s+(\S+)\s.*\bUUID=([0-9a-fA-F:]{32,40})", line, re.IGNORECASE)
        if match:
            digits = match[2].replace(":", "").lower()
            found[match[1] if match[1].startswith("/") else f"/dev/md/{match[1]}"] = digits
    return found


def decoded(name: str) -> str:
    """What udev writes into a link's name: ``\\x20`` is a space, and letters beyond ASCII are several such bytes."""
    raw = re.sub(rb"\\x([0-9a-f]{2})", lambda hit: bytes([int(hit[1], 16)]), name.encode("utf-8", "surrogateescape"))
    return raw.decode("utf-8", "surrogateescape")
