# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of several file systems is the root that the server boots: the one its boot entry names, else by what it holds.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import os
import re
import typing as t

from ..._errors import OpenRescueError
from ..._formats.fstab import parse_fstab
from ..._text import printable
from ..patient import Filesystem
from ..rootless import SeveralRoots
from .tree import Tree

__all__ = ("Choice", "Source", "choose", "named_roots")

Find = t.Callable[[str], t.Optional[Filesystem]]
T = t.TypeVar("T")

#: where boot loaders keep their entries, from the top of a separate /boot or of an EFI system partition
_FILES = (
    "grub/grub.cfg",
    "grub2/grub.cfg",
    "grub2/grubenv",
    "grub/grub.conf",
    "grub/menu.lst",
    "extlinux/extlinux.conf",
    "syslinux/syslinux.cfg",
    "extlinux.conf",
)
_PATTERNS = ("loader/entries/*.conf", "EFI/*/grub.cfg")
_READ_LIMIT = 2 * 1024 * 1024
_LINE = re.compile(r"^[ \t]*(?:linux\w*|kernel|options|append|kernelopts=)(.*)$", re.MULTILINE | re.IGNORECASE)
_ROOT = re.compile(r"(?:^|[\s=\"'])root=(\S+)")
_SUBVOLUME = re.compile(r"\brootflags=\S*?subvol=([^\s,]+)")
_INITS = ("/sbin/init", "/usr/lib/systemd/systemd", "/lib/systemd/systemd", "/usr/sbin/init")


@dataclasses.dataclass(frozen=True)
class Source:
    """A file system (or a subvolume of one) mounted at a place of our own."""

    filesystem: Filesystem
    place: str
    subvolume: str = ""

    @property
    def tree(self) -> Tree:
        return Tree(self.place)


@dataclasses.dataclass(frozen=True)
class Choice:
    """The root; None if there is none.

    :param note: what is worth telling where there are several.
    :param several: why it is not certain that the server boots this one.
    """

    source: Source | None
    note: str = ""
    several: SeveralRoots | None = None


def choose(roots: t.Sequence[Source], sources: t.Sequence[Source], *, asked: str | None, find: Find) -> Choice:
    """
    :param roots: those that hold an operating system, of all sources.
    :param asked: the device that the user named.
    """
    if asked is not None:
        return Choice(_asked(roots, sources, asked))
    if len(roots) < 2:
        return Choice(roots[0] if roots else None)
    names = named_roots(sources, roots, find)
    if len(names) == 1:
        return Choice(names[0], f"operating systems are on {_devices(roots)}; the boot entry names {_title(names[0])}")
    ranked = sorted(names or roots, key=lambda source: -_weight(source, find))
    if _weight(ranked[0], find) > _weight(ranked[1], find):
        told = f"operating systems are on {_devices(roots)}; by what it holds the server's own is {_title(ranked[0])}"
        return Choice(ranked[0], told)
    several = SeveralRoots(f"there are several operating systems: {_devices(roots)}", hint="Choose one with 'root'")
    return Choice(ranked[0], f"{several.message}; {_title(ranked[0])} was looked at", several)


def _asked(roots: t.Sequence[Source], sources: t.Sequence[Source], asked: str) -> Source:
    names = {asked, os.path.realpath(asked)}
    for source in roots:
        if names & {source.filesystem.device, *source.filesystem.aliases}:
            return source
    known = any(names & {source.filesystem.device, *source.filesystem.aliases} for source in sources)
    raise OpenRescueError(
        f"{printable(asked)} {'holds no operating system' if known else 'is no file system of the patient'}",
        code="root_not_found",
        hint=f"Operating systems are on: {_devices(roots) or 'none of the devices'}",
    )


def named_roots(sources: t.Sequence[Source], roots: t.Sequence[Source], find: Find) -> list[Source]:
    """The roots that boot entries name first, each once, in the order of the files."""
    found: list[Source] = []
    for source in sources:
        for text in _entries(source):
            first = next((root for root in _roots_in(text, roots, find) if root is not None), None)
            if first is not None and first not in found:
                found.append(first)
    return found


def _roots_in(text: str, roots: t.Sequence[Source], find: Find) -> t.Iterator[Source | None]:
    for line in _LINE.findall(text):
        spec = _ROOT.search(line)
        item = find(spec[1].strip("\"'")) if spec else None
        fitting = [root for root in roots if item is not None and root.filesystem.device == item.device]
        flags = _SUBVOLUME.search(line)
        named = [root for root in fitting if flags and root.subvolume.strip("/") == flags[1].strip("/")]
        yield next(iter(named or fitting), None)


def _entries(source: Source) -> t.Iterator[str]:
    tree = source.tree
    for base in ("", "/boot", "/boot/efi"):
        paths = [f"{base}/{name}" for name in _FILES]
        for pattern in _PATTERNS:
            paths += _safely(lambda path: tree.glob(path, limit=1000), f"{base}/{pattern}") or []
        for path in paths:
            text = _safely(lambda path: tree.read_text(path, limit=_READ_LIMIT), path)
            if text:
                yield text


def _weight(source: Source, find: Find) -> int:
    """How much speaks for it: a table of its own that names it, modules, an init; against it that it is a snapshot."""
    tree = source.tree
    fstab = _safely(tree.read_text, "/etc/fstab") or ""
    own = [find(entry.spec) for entry in parse_fstab(fstab) if entry.mount_point == "/"]
    names_itself = any(item is not None and item.device == source.filesystem.device for item in own)
    modules = any(_safely(tree.is_dir, path) for path in ("/lib/modules", "/usr/lib/modules"))
    init = any(_safely(tree.lstat, path) for path in _INITS)
    return 4 * names_itself + 2 * modules + init - 3 * source.filesystem.snapshot


def _safely(read: t.Callable[[str], T], path: str) -> T | None:
    try:
        return read(path)
    except (OpenRescueError, OSError):  # whatever stands there is not what is looked for
        return None


def _devices(sources: t.Sequence[Source]) -> str:
    return ", ".join(_title(source) for source in sources)


def _title(source: Source) -> str:
    return source.filesystem.device + (f" ({source.subvolume})" if source.subvolume else "")
