# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Entries of the Boot Loader Specification (type 1), as GRUB of the Red Hat family and systemd-boot read them.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from .boot_entry import BootEntry
from .versions import version_key

__all__ = ("menu_order", "parse_bls")

MAX_TEXT = 256 * 1024


def parse_bls(name: str, text: str, *, variables: t.Mapping[str, str] | None = None) -> BootEntry:
    """One entry.

    :param name: that of its file, without ``.conf``.
    :param variables: GRUB's, where GRUB reads it; systemd-boot knows none.
    """
    fields = _fields(text)
    options = " ".join(fields.get("options", []))
    if variables is not None:
        options = re.sub(r"\$\{?(\w+)\}?", lambda found: variables.get(found[1], ""), options)
    linux = fields.get("linux", fields.get("uki", [""]))[0]
    initrds = [word for value in fields.get("initrd", []) for word in value.split()]
    return BootEntry(
        title=fields.get("title", [""])[0],
        id=name,
        linux=linux,
        options=tuple(options.split()),
        initrds=tuple(word for word in initrds if not word.startswith("$")),
        loads=bool(linux or fields.get("efi")),
    )


def menu_order(name: str, text: str) -> tuple[t.Any, ...]:
    """A key by which the entries of systemd-boot stand in the menu, the first first.

    Entries with a ``sort-key`` come first, in its order, the newest version first; the others by the name of their
    file, the newest first. What has no boot attempts left comes last.
    """
    fields = _fields(text)
    given, version = fields.get("sort-key", [""])[0], fields.get("version", [""])[0]
    spent = bool(re.search(r"\+0(?:-\d+)?$", name))
    machine = fields.get("machine-id", [""])[0]
    name_key = _descending(re.sub(r"\+\d+(?:-\d+)?$", "", name))
    return (spent, not given, given, machine, _descending(version) if given else (), name_key)


def _descending(version: str) -> tuple[t.Any, ...]:
    """The key of a version turned round."""
    return tuple((-rank, -number, tuple(-ord(char) for char in word)) for rank, number, word in version_key(version))


def _fields(text: str) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for line in text[:MAX_TEXT].splitlines():
        words = line.split(None, 1)
        if len(words) == 2 and not words[0].startswith("#"):
            fields.setdefault(words[0], []).append(words[1].strip())
    return fields
