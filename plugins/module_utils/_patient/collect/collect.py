# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an analyst needs of a patient, put into one archive: files as planned, listings, and a manifest that tells all.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import stat
import typing as t

from ..._errors import OpenRescueError
from ..._formats.secrets import masked
from ..._text import printable_result
from ..limit import Stopped
from ..tree.tree import READ_LIMIT, Tree
from .archive import Archive, DestRefused
from .plan import Chosen, Plan
from .wanted import BOOT

__all__ = ("Collected", "boot_files", "collect", "told")

VERSION = 1
#: of a file up to this size in /boot the hash is told, too
_HASHED = 1024 * 1024
_MANY = 5000
#: where each installed package is a folder, named after it
_PACKAGE_FOLDERS = ("/var/lib/pacman/local",)


@dataclasses.dataclass
class Collected:
    """What came of it.

    :param files: the patient's files in the archive, as the manifest tells them.
    :param left_out: path -> why it is not there.
    """

    files: list[dict[str, t.Any]] = dataclasses.field(default_factory=list)
    left_out: dict[str, str] = dataclasses.field(default_factory=dict)

    @property
    def truncated(self) -> list[dict[str, t.Any]]:
        """The files of which only the end is there."""
        return [
            {"path": item["path"], "size": item["size"], "taken": item["taken"]}
            for item in self.files
            if item["taken"] < item["size"]
        ]


def collect(
    tree: Tree | None, archive: Archive, plan: Plan, *, documents: t.Mapping[str, t.Any], include_secrets: bool
) -> Collected:
    """Fill the archive.

    :param tree: the patient's; None if it has none, so that there are documents only.
    :param documents: more that is to be in the archive, by name.
    """
    done = Collected(left_out=dict(plan.left_out))
    for name, value in documents.items():
        archive.add(f"{name}.json", _json(value))
    if tree is not None:
        archive.add("boot-files.json", _json(boot_files(tree)))
        archive.add("packages.json", _json(_packages(tree)))
        for chosen in plan.chosen:
            try:
                _take(tree, archive, chosen, done, include_secrets=include_secrets)
            except (Stopped, DestRefused):
                raise
            except OpenRescueError as exc:
                done.left_out[chosen.file.path] = exc.message
    manifest = {
        "version": VERSION,
        "include_secrets": include_secrets,
        "files": done.files,
        "links": plan.links,
        "left_out": told(done.left_out),
        "truncated": done.truncated,
    }
    archive.add("manifest.json", _json(manifest))
    return done


def told(left_out: t.Mapping[str, str]) -> list[dict[str, str]]:
    """As modules return it."""
    return [{"path": path, "reason": reason} for path, reason in left_out.items()]


def boot_files(tree: Tree) -> list[dict[str, t.Any]]:
    """What lies where boot loaders and kernels are: path, kind, size, mode and time, and of what is small the hash."""
    found: dict[str, dict[str, t.Any]] = {}
    for folder in BOOT:
        try:
            for path, info in tree.walk(folder, limit=_MANY):
                found.setdefault(path, _entry(tree, path, info))
        except OpenRescueError as exc:
            found.setdefault(folder, {"path": folder, "error": exc.message})
    return [found[path] for path in sorted(found)]


def _entry(tree: Tree, path: str, info: t.Any) -> dict[str, t.Any]:
    mode = stat.filemode(info.st_mode)
    entry: dict[str, t.Any] = {"path": path, "mode": mode, "size": info.st_size, "mtime": int(info.st_mtime)}
    try:
        if stat.S_ISLNK(info.st_mode):
            entry["target"] = tree.readlink(path)
        elif stat.S_ISREG(info.st_mode) and info.st_size <= _HASHED:
            entry["sha256"] = hashlib.sha256(tree.read_bytes(path, limit=_HASHED) or b"").hexdigest()
    except OpenRescueError as exc:
        entry["error"] = exc.message
    return entry


def _packages(tree: Tree) -> list[str]:
    """The packages of a system that keeps a folder for each; others have a database, which is collected as it is."""
    names: list[str] = []
    for folder in _PACKAGE_FOLDERS:
        try:
            names += tree.listdir(folder)
        except OpenRescueError as exc:
            names.append(exc.message)
    return names


def _take(tree: Tree, archive: Archive, chosen: Chosen, done: Collected, *, include_secrets: bool) -> None:
    file = chosen.file
    name = archive.name_for(file.path)
    note: dict[str, t.Any] = {}
    if file.group.is_text and not include_secrets:
        data = tree.read_bytes(file.path, limit=READ_LIMIT) or b""
        shown = masked(file.path, data.decode("utf-8", "surrogateescape"))
        if shown.text is None:
            done.left_out[file.path] = f"it holds a secret: {shown.reason}"
            return
        if shown.lines:
            note["hidden_lines"] = list(shown.lines)
        data = shown.text.encode("utf-8", "surrogateescape")
        archive.add(name, data, mtime=file.mtime)
        digest = hashlib.sha256(data).hexdigest()
    else:
        source = archive.add_file(name, tree, chosen)
        if source is None:
            return
        digest = source.digest.hexdigest()
        if source.reason:
            note["note"] = source.reason
    done.files.append(
        {
            "path": file.path,
            "member": name,
            "size": file.size,
            "taken": chosen.take,
            "sha256": digest,
            "mode": f"{file.mode:04o}",
            "uid": file.uid,
            "gid": file.gid,
            "mtime": int(file.mtime),
            **note,
        }
    )


def _json(value: t.Any) -> bytes:
    return json.dumps(printable_result(value), indent=1, sort_keys=True).encode("ascii") + b"\n"
