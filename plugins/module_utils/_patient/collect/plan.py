# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which files of a patient are collected, and of which how much: looked for in its tree, chosen by pure rules.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fnmatch
import os
import stat
import typing as t

from ..._errors import OpenRescueError
from ..._formats.secrets import why_secret
from ..tree.tree import READ_LIMIT, Tree
from .wanted import GROUPS, WITHIN, Group

__all__ = ("Bounds", "Chosen", "Found", "Plan", "choose", "plan")

#: entries that are looked at beneath one folder
MANY = 20000
#: of what is packed the end is of no use
_PACKED = (".gz", ".xz", ".bz2", ".zst", ".lz4", ".zip", ".journal", ".journal~", ".db", ".sqlite")
_NAME_LIMIT = 1000


@dataclasses.dataclass(frozen=True)
class Bounds:
    """How much is collected at most."""

    max_bytes: int
    max_file_bytes: int
    max_files: int


@dataclasses.dataclass(frozen=True)
class Found:
    """A regular file of the patient; its path holds no link."""

    path: str
    size: int
    mtime: float
    mode: int
    uid: int
    gid: int
    group: Group


@dataclasses.dataclass(frozen=True)
class Chosen:
    """How much of a file is taken; where that is not all, it is the end."""

    file: Found
    take: int

    @property
    def is_cut(self) -> bool:
        return self.take < self.file.size


@dataclasses.dataclass
class Plan:
    """What is collected, in this order.

    :param links: symbolic links on the way, which are not followed but to where such files are; path -> target.
    :param left_out: path -> why it is not collected.
    """

    chosen: list[Chosen] = dataclasses.field(default_factory=list)
    links: dict[str, str] = dataclasses.field(default_factory=dict)
    left_out: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def size(self) -> int:
        return sum(item.take for item in self.chosen)


def plan(tree: Tree, *, bounds: Bounds, include_secrets: bool) -> Plan:
    """Look through the tree. Nothing is read but directories."""
    made = Plan()
    seen: set[str] = set()
    found: list[Found] = []
    for group in GROUPS:
        for path in _paths(tree, group, made):
            file = None
            with _said(made, path):
                file = _look(tree, path, group, made)
            if file is None or file.path in seen:
                continue
            seen.add(file.path)
            secret = "" if include_secrets else why_secret(file.path)
            if secret:
                made.left_out[file.path] = f"it holds a secret: {secret}"
            else:
                found.append(file)
    chosen, left_out = choose(found, bounds=bounds)
    made.chosen = chosen
    made.left_out.update(left_out)
    return made


def choose(found: t.Sequence[Found], *, bounds: Bounds) -> tuple[list[Chosen], dict[str, str]]:
    """What fits, group by group in their order; and why the rest is left out."""
    chosen: list[Chosen] = []
    left_out: dict[str, str] = {}
    left = bounds.max_bytes
    for group in GROUPS:
        files = [item for item in found if item.group is group]
        if group.newest_first:
            files.sort(key=lambda item: item.mtime, reverse=True)
        room = min(left, bounds.max_bytes * group.share // 100)
        for file in files:
            take, reason = _measured(file, bounds)
            if not reason and len(chosen) >= bounds.max_files:
                reason = "there are more files than max_files"
            elif not reason and take > room:
                reason = "max_bytes is reached"
            if reason:
                left_out[file.path] = reason
            else:
                chosen.append(Chosen(file, take))
                room -= take
                left -= take
    return chosen, left_out


def _measured(file: Found, bounds: Bounds) -> tuple[int, str]:
    """How much of it is taken, or why nothing."""
    limit = bounds.max_bytes if file.group.any_size else bounds.max_file_bytes
    limit = min(limit, READ_LIMIT) if file.group.is_text else limit
    if file.size <= limit:
        return file.size, ""
    if file.group.keeps_end and not file.path.endswith(_PACKED):
        return limit, ""
    return 0, f"it is larger than {limit} bytes, and of no use in parts"


def _paths(tree: Tree, group: Group, made: Plan) -> t.Iterator[str]:
    for pattern in group.files:
        with _said(made, pattern):
            yield from tree.glob(pattern, limit=MANY)
    for folder in group.folders:
        with _said(made, folder):
            top = tree.resolve(folder)
            if top is None:
                continue
            if top != folder and not (group.follows_links and _is_within(top, WITHIN)):
                made.links[folder] = top
                continue
            yield from _beneath(tree, top, group, made)


def _beneath(tree: Tree, top: str, group: Group, made: Plan) -> t.Iterator[str]:
    count = 0
    for path, found in tree.walk(top, limit=MANY):
        count += 1
        is_wanted = any(fnmatch.fnmatchcase(os.path.basename(path), name) for name in group.names)
        if is_wanted and not stat.S_ISDIR(found.st_mode) and not _is_within(path, group.without):
            yield path
    if count >= MANY:
        made.left_out[top] = f"it holds more than {MANY} entries, and the others were not looked at"


def _look(tree: Tree, path: str, group: Group, made: Plan) -> Found | None:
    """The regular file at a path, or at the end of the link there."""
    found = tree.lstat(path)
    where = tree.resolve(os.path.dirname(path))
    if found is None or where is None:
        return None
    place = f"{where.rstrip('/')}/{os.path.basename(path)}"
    if stat.S_ISLNK(found.st_mode):
        made.links[place] = tree.readlink(place) or ""
        target = tree.resolve(place)
        if not group.follows_links or target is None or not _is_within(target, WITHIN):
            return None
        place, found = target, tree.lstat(target)
    if found is None or stat.S_ISDIR(found.st_mode):
        return None
    if not stat.S_ISREG(found.st_mode):
        made.left_out[place] = "it is not a regular file"
        return None
    if len(place) > _NAME_LIMIT:
        made.left_out[place[:_NAME_LIMIT]] = "its name is too long"
        return None
    return Found(place, found.st_size, found.st_mtime, stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid, group)


def _is_within(path: str, folders: t.Iterable[str]) -> bool:
    return any(f"{path}/".startswith(f"{folder}/") for folder in folders)


@contextlib.contextmanager
def _said(made: Plan, path: str) -> t.Iterator[None]:
    """What cannot be looked at is left out, with the reason."""
    try:
        yield
    except OpenRescueError as exc:
        made.left_out[path[:_NAME_LIMIT]] = exc.message
