# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a physical volume of LVM says of its group: which volumes make it up, and what is on them.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import re
import struct
import typing as t

__all__ = ("SECTOR", "LogicalVolume", "VolumeGroup", "metadata_areas", "metadata_text", "parse_group")

SECTOR = 512
#: a group of thousands of volumes has less
TEXT_LIMIT = 8 * 1024 * 1024
_MAX_DEPTH = 16
_MAGIC = b" LVM2 x[5A%r0N*>"
_TOKEN = re.compile(r'"((?:\\.|[^"\\])*)"|#[^\n]*|([^\s"#{}\[\]=,]+)|([{}\[\]=,])')

Value = t.Union[str, list[str], dict[str, t.Any]]


@dataclasses.dataclass(frozen=True)
class LogicalVolume:
    """A logical volume that can be seen; its name and the types of its segments, such as ``striped`` or ``raid1``."""

    name: str
    types: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class VolumeGroup:
    """A volume group as one of its physical volumes describes it.

    :param seqno: grows with each change; of two descriptions, the higher is true.
    :param physical: ID (without dashes) of each physical volume -> the device that it was last seen as.
    :param lost: those of them that LVM itself knows to be missing.
    """

    uuid: str
    name: str
    seqno: int
    physical: t.Mapping[str, str]
    lost: tuple[str, ...]
    volumes: tuple[LogicalVolume, ...]


def metadata_areas(head: bytes) -> tuple[str, list[tuple[int, int]]] | None:
    """ID of a physical volume, and where on it (offset, size) its metadata lies, by its first four sectors."""
    for start in range(0, 4 * SECTOR, SECTOR):
        sector = head[start : start + SECTOR]
        if sector[:8] != b"LABELONE" or len(sector) < SECTOR:
            continue
        position = int(struct.unpack_from("<I", sector, 20)[0])
        uuid = sector[position : position + 32].decode("ascii", "replace")
        lists: list[list[tuple[int, int]]] = [[], []]
        position += 40
        for areas in lists:
            while position + 16 <= SECTOR:
                offset, size = struct.unpack_from("<QQ", sector, position)
                position += 16
                if offset == 0:
                    break
                areas.append((offset, size))
        return uuid, lists[1]
    return None


def metadata_text(area: int, size: int, read: t.Callable[[int, int], bytes]) -> str:
    """The description in one area, a ring behind its first sector; empty where there is none.

    :param read: takes an offset and a length.
    """
    header = read(area, SECTOR)
    if header[4:20] != _MAGIC or len(header) < SECTOR:
        return ""
    offset, length = struct.unpack_from("<QQ", header, 40)
    if not SECTOR <= offset < size or not 0 < length < min(size, TEXT_LIMIT):
        return ""
    first = min(length, size - offset)
    data = read(area + offset, first)
    if first < length:
        data += read(area + SECTOR, length - first)
    return data.rstrip(b"\0").decode("utf-8", "surrogateescape")


def parse_group(text: str) -> VolumeGroup | None:
    """The group that a description names; None for what is none."""
    for name, values in _sections(text).items():
        if isinstance(values, dict) and "physical_volumes" in values:
            physical = _children(values, "physical_volumes")
            return VolumeGroup(
                uuid=_id(values),
                name=name,
                seqno=int(values["seqno"]) if str(values.get("seqno", "")).isdecimal() else 0,
                physical={_id(item): str(item.get("device", "")) for item in physical.values()},
                lost=tuple(_id(item) for item in physical.values() if "MISSING" in _words(item, "flags")),
                volumes=tuple(
                    LogicalVolume(volume, _types(item))
                    for volume, item in _children(values, "logical_volumes").items()
                    if "VISIBLE" in _words(item, "status")
                ),
            )
    return None


def _types(volume: t.Mapping[str, t.Any]) -> tuple[str, ...]:
    return tuple(str(item.get("type", "")) for item in volume.values() if isinstance(item, dict))


def _children(values: t.Mapping[str, t.Any], name: str) -> dict[str, dict[str, t.Any]]:
    section = values.get(name)
    return {key: item for key, item in section.items() if isinstance(item, dict)} if isinstance(section, dict) else {}


def _id(values: t.Mapping[str, t.Any]) -> str:
    return str(values.get("id", "")).replace("-", "")


def _words(values: t.Mapping[str, t.Any], name: str) -> list[str]:
    found = values.get(name)
    return found if isinstance(found, list) else [str(found)]


def _sections(text: str) -> dict[str, Value]:
    """``name { … }``, ``name = value`` and ``name = [ … ]``; what is not of this shape is left out."""
    top: dict[str, Value] = {}
    stack, name, items, assigned = [top], "", None, False
    for hit in _TOKEN.finditer(text):
        quoted, word, sign = hit.groups()
        if sign == "{" and len(stack) < _MAX_DEPTH:
            inner: dict[str, Value] = {}
            stack[-1][name] = inner
            stack.append(inner)
        elif sign == "}" and len(stack) > 1:
            stack.pop()
        elif sign == "=":
            assigned = True
        elif sign == "[" and assigned:
            items = stack[-1][name] = []
        elif sign == "]":
            items, assigned = None, False
        elif quoted is not None or word:
            value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else word
            if items is not None:
                items.append(value)
            elif assigned:
                stack[-1][name], assigned = value, False
            else:
                name = value
    return top
