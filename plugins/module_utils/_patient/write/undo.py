# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The undo bundle: what was there before, written down before it is changed.

A bundle is a folder ``/var/lib/openrescue/undo/<id>/`` on the rescue system, with ``manifest.json`` and the
replaced contents in ``data/``. An entry goes ``intended`` -> ``done`` -> ``reverted``; the manifest is
replaced atomically at each step, so that a run that is killed leaves a bundle that can still be reverted.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import os
import re
import secrets
import shutil
import typing as t

from ..._errors import OpenRescueError
from ..._text import printable
from .image import Image

__all__ = ("BUNDLES", "Bundle", "DeviceEntry", "FileEntry", "check_id")

#: where bundles are, on the rescue system and on the patient alike
BUNDLES = "/var/lib/openrescue/undo"
VERSION = 1

_SPARE = 16 * 1024 * 1024


@dataclasses.dataclass
class FileEntry:
    """One path of the patient: what it held before, and what after; None stands for nothing there."""

    path: str
    before: Image | None
    after: Image | None
    data: str | None
    temporary: str
    state: str = "intended"
    kind: str = "file"


@dataclasses.dataclass
class DeviceEntry:
    """Blocks of one device that a tool has changed.

    :param extents: where they are: offsets and lengths.
    :param data: their contents before.
    :param fresh: their contents after; empty once they are on the disk.
    :param after: the hash of those.
    :param head: hash of the device's beginning after it: most later writes to the file system change that.
    """

    device: str
    partuuid: str | None
    uuid: str | None
    size: int
    argv: list[str]
    extents: list[tuple[int, int]]
    data: str
    fresh: str
    after: str = ""
    head: str = ""
    state: str = "intended"
    kind: str = "device"


Entry = t.Union[FileEntry, DeviceEntry]


class Bundle:
    """One bundle, made by the first entry.

    :param keep: False for a trial: nothing is written down, since everything is thrown away.
    """

    def __init__(self, base: str, bundle_id: str, *, keep: bool = True) -> None:
        self.id = bundle_id
        self.folder = os.path.join(base, check_id(bundle_id))
        self.entries: list[Entry] = []
        self._keep = keep
        self._names = 0

    @classmethod
    def new(cls, *, keep: bool = True, base: str = BUNDLES) -> Bundle:
        now = datetime.datetime.now(datetime.timezone.utc)
        return cls(base, f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}", keep=keep)

    @classmethod
    def load(cls, bundle_id: str, *, base: str = BUNDLES) -> Bundle | None:
        """A bundle that is there; None if it is not."""
        bundle = cls(base, bundle_id)
        try:
            with open(os.path.join(bundle.folder, "manifest.json"), encoding="utf-8") as file:
                bundle.entries = parse_manifest(file.read())
        except FileNotFoundError:
            return None
        return bundle

    @property
    def is_kept(self) -> bool:
        return self._keep

    def path(self, name: str) -> str:
        """Where a content is kept; names come from a manifest, which may be a stranger's."""
        if not re.fullmatch(r"data/[0-9]+", name):
            raise _broken(f"it names the file {printable(name)}")
        return os.path.join(self.folder, name)

    def next_name(self) -> str:
        """A name for a content that none has had."""
        self._names += 1
        return f"data/{self._names}"

    @contextlib.contextmanager
    def keeping(self, name: str, *, size: int) -> t.Iterator[t.BinaryIO | None]:
        """A durable file for the content that is about to be replaced; None in a trial."""
        if not self._keep:
            yield None
            return
        self._make()
        room = os.statvfs(self.folder)
        if size + _SPARE > room.f_bavail * room.f_frsize:
            raise OpenRescueError(
                f"the rescue system has no room to keep {size} bytes",
                code="undo_no_room",
                hint=f"Make room in {os.path.dirname(self.folder)} of the rescue system",
            )
        with open(self.path(name), "wb", opener=_private) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())

    def add(self, entry: Entry) -> None:
        """Write down what is about to be done."""
        self.entries.append(entry)
        self.save()

    def forget(self, name: str) -> None:
        """Delete a content that is not needed any more."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path(name))

    def save(self) -> None:
        if not self._keep:
            return
        self._make()
        text = json.dumps({"version": VERSION, "id": self.id, "entries": [dataclasses.asdict(e) for e in self.entries]})
        path = os.path.join(self.folder, "manifest.json")
        with open(f"{path}.new", "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(f"{path}.new", path)
        for folder in (self.folder, os.path.join(self.folder, "data")):
            fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            os.fsync(fd)
            os.close(fd)

    def remove(self) -> None:
        if self._keep and os.path.isdir(self.folder):
            shutil.rmtree(self.folder)

    def _make(self) -> None:
        os.makedirs(os.path.join(self.folder, "data"), mode=0o700, exist_ok=True)
        os.chmod(self.folder, 0o700)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def check_id(bundle_id: str) -> str:
    if not re.fullmatch(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}", bundle_id):
        raise OpenRescueError(
            f"{printable(bundle_id)} is no undo ID", code="undo_not_found", hint="disk_repair returned it as 'undo'"
        )
    return bundle_id


def parse_manifest(text: str) -> list[Entry]:
    """The entries of a manifest, each field checked for its presence and kind."""
    try:
        values = json.loads(text)
        if values["version"] != VERSION:
            raise _broken(f"its version is {printable(str(values['version']))}, not {VERSION}")
        return [_entry(item) for item in values["entries"]]
    except (ValueError, KeyError, TypeError) as exc:
        raise _broken(f"its manifest cannot be read ({type(exc).__name__})") from exc


def _entry(item: dict[str, t.Any]) -> Entry:
    texts = ("kind", "state", "data", *(("device", "fresh") if item["kind"] == "device" else ("path", "temporary")))
    if not all(isinstance(item[key], str) or (key == "data" and item[key] is None) for key in texts):
        raise TypeError("a text is missing")
    if "/" in item.get("temporary", ""):
        raise _broken("it names a file elsewhere")
    if item["kind"] == "device":
        extents = [(int(offset), int(length)) for offset, length in item["extents"]]
        return DeviceEntry(**{**item, "extents": extents})
    images = {key: Image.from_dict(item[key]) if item[key] else None for key in ("before", "after")}
    return FileEntry(**{**item, **images})


def _broken(why: str) -> OpenRescueError:
    return OpenRescueError(f"the undo bundle cannot be used: {why}", code="undo_broken")
