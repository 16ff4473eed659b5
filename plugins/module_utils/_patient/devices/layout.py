# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The patient's layout as modules return it. Pure.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ..._text import printable
from ..patient import Filesystem
from .stack import Stack
from .survey import Block

__all__ = ("describe",)


def describe(stack: Stack, filesystems: t.Iterable[Filesystem]) -> list[dict[str, t.Any]]:
    """Disks at the top, what is on or built from them beneath, with sizes and usage."""
    known = {item.device: item for item in filesystems}

    def node(block: Block) -> dict[str, t.Any]:
        item = known.get(block.path)
        children = stack.children(block)
        values = block.signature
        shown: dict[str, t.Any] = {
            "device": block.path,
            "type": block.type,
            "size": block.size,
            "fstype": block.fstype or None,
            "uuid": _text(values.get("UUID")),
            "label": _text(values.get("LABEL")),
            "partuuid": _text(values.get("PART_ENTRY_UUID")),
            "partlabel": _text(values.get("PART_ENTRY_NAME")),
            "partition_table": values.get("PTTYPE"),
            "locked": block.fstype == "crypto_LUKS" and not children,
            "mount_point": item.mount_point if item else None,
            "usage": _usage(item),
        }
        shown["children"] = [node(child) for child in children]
        return shown

    return [node(stack.found.blocks[top]) for top in stack.found.tops]


def _usage(item: Filesystem | None) -> dict[str, int | None] | None:
    if item is None or item.total_bytes is None:
        return None
    return {
        "total_bytes": item.total_bytes,
        "free_bytes": item.free_bytes,
        "available_bytes": item.available_bytes,
        "total_inodes": item.total_inodes,
        "free_inodes": item.free_inodes,
    }


def _text(value: str | None) -> str | None:
    return None if value is None else printable(value)
