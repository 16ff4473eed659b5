# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The undo bundle: what was there before, written down before it is changed.

A bundle is a folder ``/var/lib/openrescue/undo/<id>/`` on the rescue system, with ``manifest.json`` and the
replaced contents in ``data/``. An entry goes ``intended`` -> ``done`` -> ``reverting`` -> ``reverted``; the manifest
is replaced atomically at each step, so that of a run that is killed the next one knows what it was at.

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

from ..._text import printable
from .errors import NoRoom, UndoBroken, UndoNotFound
from .file_state import FileState

__all__ = (
    "BUNDLES",
    "MANIFEST",
    "Bundle",
    "DeviceEntry",
    "Entry",
    "FileEntry",
    "bundle_ids",
    "check_id",
    "is_temporary",
    "store_ids",
    "temporary_name",
)

#: where bundles are, on the rescue system and on the patient alike
BUNDLES = "/var/lib/openrescue/undo"
#: on the rescue system; a place of its own for those who test
STORE = BUNDLES
MANIFEST = "manifest.json"
VERSION = 1

#: an entry in one of these states was being written when its run ended
UNFINISHED = ("intended", "reverting")

_ID = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z-[0-9a-f]{8}")
_SPARE = 16 * 1024 * 1024
_TEMPORARY = re.compile(r"\.openrescue-(?:copy|[0-9a-f]{16})")


def temporary_name() -> str:
    """What a file is called until it is whole."""
    return f".openrescue-{secrets.token_hex(8)}"


def is_temporary(name: str) -> bool:
    """Whether it is what a killed run has left."""
    return _TEMPORARY.fullmatch(name) is not None


@dataclasses.dataclass
class FileEntry:
    """One path of the patient: what it held before, and what after; None stands for nothing there.

    :param filesystem: what identifies the file system that it lies on; empty in bundles of the first release.
    :param moved: it was taken away to make room, so its content does not go back there before it is asked for.
    :param folder_flags: what chattr(1) had set on its directory.
    :param secret: it holds password hashes, which no diff shows.
    """

    path: str
    before: FileState | None
    after: FileState | None
    data: str | None
    temporary: str
    filesystem: str = ""
    moved: bool = False
    folder_flags: int = 0
    secret: bool = False
    state: str = "intended"
    kind: str = "file"

    @property
    def is_folder(self) -> bool:
        """Whether it is a directory that was made, in which others may have put something since."""
        return self.before is None and self.after is not None and self.after.kind == "folder"


@dataclasses.dataclass
class DeviceEntry:
    """Blocks of one device that a tool has changed.

    :param extents: where they are: offsets and lengths.
    :param data: their contents before.
    :param fresh: their contents after; empty once they are on the disk.
    :param after: the hash of those.
    :param before: the hash of the contents before.
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
    before: str = ""
    head: str = ""
    state: str = "intended"
    kind: str = "device"


Entry = t.Union[FileEntry, DeviceEntry]


class Bundle:
    """One bundle, made by the first entry.

    :param keep: False for a trial: nothing is written down, since everything is thrown away.
    """

    def __init__(self, bundle_id: str, *, keep: bool = True) -> None:
        self.id = bundle_id
        self.folder = os.path.join(STORE, check_id(bundle_id))
        self.entries: list[Entry] = []
        #: the faults whose remedies made it
        self.faults: list[str] = []
        self._keep = keep
        self._names = 0

    @classmethod
    def new(cls, *, keep: bool = True) -> Bundle:
        now = datetime.datetime.now(datetime.timezone.utc)
        return cls(f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}", keep=keep)

    @classmethod
    def load(cls, bundle_id: str) -> Bundle | None:
        """A bundle that is there; None if it is not."""
        bundle = cls(bundle_id)
        try:
            with open(os.path.join(bundle.folder, MANIFEST), encoding="utf-8", errors="surrogateescape") as file:
                bundle.read(file.read())
        except FileNotFoundError:
            return None
        return bundle

    def read(self, text: str) -> None:
        """Take over what a manifest says."""
        self.entries, self.faults = parse_manifest(text)
        used = [name for entry in self.entries for name in (entry.data, _fresh(entry)) if name]
        self._names = max([0, *(int(name.rpartition("/")[2]) for name in used if self.path(name))])

    @property
    def state(self) -> str:
        """``unfinished`` if a run ended in the middle of a write, ``kept``, or ``reverted`` if all is put back."""
        states = {entry.state for entry in self.entries}
        return "unfinished" if states & set(UNFINISHED) else "kept" if "done" in states else "reverted"

    @property
    def unfinished(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.state in UNFINISHED]

    @property
    def time(self) -> str:
        """When it was made, as its ID says."""
        return _ID.sub(r"\1-\2-\3T\4:\5:\6Z", self.id)

    def text(self) -> str:
        """The manifest as it is now."""
        entries = [dataclasses.asdict(entry) for entry in self.entries]
        return json.dumps({"version": VERSION, "id": self.id, "faults": self.faults, "entries": entries})

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
            raise NoRoom(
                f"the rescue system has no room to keep {size} bytes",
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
        path = os.path.join(self.folder, MANIFEST)
        with open(f"{path}.new", "w", encoding="utf-8") as file:
            file.write(self.text())
            file.flush()
            os.fsync(file.fileno())
        os.replace(f"{path}.new", path)
        for folder in (self.folder, os.path.join(self.folder, "data")):
            fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            os.fsync(fd)
            os.close(fd)

    def remove(self) -> None:
        """Nothing of it is needed any more."""
        if self._keep and os.path.isdir(self.folder):
            shutil.rmtree(self.folder)

    def _make(self) -> None:
        os.makedirs(os.path.join(self.folder, "data"), mode=0o700, exist_ok=True)
        os.chmod(self.folder, 0o700)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def check_id(bundle_id: str) -> str:
    if not _ID.fullmatch(bundle_id):
        raise UndoNotFound(f"{printable(bundle_id)} is no undo ID", hint="disk_repair returned it as 'undo'")
    return bundle_id


def bundle_ids(names: t.Iterable[str]) -> list[str]:
    """Those of the names that are IDs of bundles, the oldest first."""
    return sorted(name for name in names if _ID.fullmatch(name))


def store_ids() -> list[str]:
    """The bundles that the rescue system keeps."""
    return bundle_ids(os.listdir(STORE) if os.path.isdir(STORE) else ())


def _fresh(entry: Entry) -> str:
    return entry.fresh if isinstance(entry, DeviceEntry) else ""


def parse_manifest(text: str) -> tuple[list[Entry], list[str]]:
    """The entries of a manifest and its faults, each field checked for its presence and kind."""
    try:
        values = json.loads(text)
        if values["version"] != VERSION:
            raise _broken(f"its version is {printable(str(values['version']))}, not {VERSION}")
        return [_entry(item) for item in values["entries"]], [str(name) for name in values.get("faults", [])]
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise _broken(f"its manifest cannot be read ({type(exc).__name__})") from exc


def _entry(item: dict[str, t.Any]) -> Entry:
    texts = ("kind", "state", "data", *(("device", "fresh") if item["kind"] == "device" else ("path", "temporary")))
    if not all(isinstance(item[key], str) or (key == "data" and item[key] is None) for key in texts):
        raise TypeError("a text is missing")
    if item["state"] not in (*UNFINISHED, "done", "reverted"):
        raise _broken(f"it knows the state {printable(item['state'])}")
    if "/" in item.get("temporary", ""):
        raise _broken("it names a file elsewhere")
    if item["kind"] == "device":
        extents = [(int(offset), int(length)) for offset, length in item["extents"]]
        return DeviceEntry(**{**item, "extents": extents})
    kinds = {"filesystem": str, "folder_flags": int, "secret": bool}
    if not all(isinstance(item.get(key, kind()), kind) for key, kind in kinds.items()):
        raise TypeError("a field is of another kind")
    states = {key: FileState.from_dict(item[key]) if item[key] else None for key in ("before", "after")}
    return FileEntry(**{**item, **states})


def _broken(why: str) -> UndoBroken:
    return UndoBroken(f"the undo bundle cannot be used: {why}")
