# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The patient's own copy of an undo bundle, for a later rescue whose rescue system is another one.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import io
import os
import shutil
import stat
import typing as t

from ..._errors import OpenRescueError
from ..._text import printable
from .bundles import identity
from .errors import UndoBroken
from .file_state import FileState, label_for, with_label
from .undo import BUNDLES, MANIFEST, Bundle, DeviceEntry, FileEntry, temporary_name
from .writer import Writer

if t.TYPE_CHECKING:
    from ..opening import View

__all__ = ("Home", "fetch", "forget", "tidy")

_MANIFEST_LIMIT = 64 * 1024 * 1024
_MANY = 1000
#: what a copy leaves free on the patient's file system, whatever it has to say
_SPARE = 32 * 1024 * 1024


class Home:
    """Keeps the copy of one bundle, on the file system of the patient's ``/var/lib``.

    The manifest is there before the first file is written, so that of a killed run the next one finds what it was at.
    Where only blocks of devices are written there is none: every write would take away the possibility to put back
    the blocks.

    :param begun: it is there already.
    """

    def __init__(self, *, view: View, bundle: Bundle, begun: bool = False) -> None:
        self._view = view
        self._bundle = bundle
        self._writer = Writer(view)
        self._begun = begun
        #: why the copy lacks something, or is not there at all
        self.notes: list[str] = []

    def put(self, entry: FileEntry) -> None:
        """Before the entry is written: its manifest, and what it replaces where there is room."""
        if not self._bundle.is_kept or self.notes or not self._is_written_anyway(entry):
            return
        self._try(lambda: self._put([entry]))

    def finish(self) -> None:
        """After the last write: how all of it ended, and the contents that were not copied before."""
        if not self._begun:
            return
        if not self._bundle.entries:
            self._try(lambda: forget(self._view, self._bundle.id))
        elif not self.notes:
            self._try(lambda: self._put(self._bundle.entries))

    def _try(self, act: t.Callable[[], None]) -> None:
        try:
            act()
        except OpenRescueError as exc:
            self.notes.append(f"the undo bundle is on the rescue system only: {exc.message}")

    def _is_written_anyway(self, entry: FileEntry) -> bool:
        patient = self._view.patient
        home, target = patient.covering(BUNDLES), patient.covering(entry.path)
        repaired = {item.device for item in self._bundle.entries if isinstance(item, DeviceEntry)}
        same = home is not None and target is not None and home.device == target.device
        return home is not None and (self._begun or same or home.device not in repaired)

    def _put(self, entries: t.Sequence[FileEntry | DeviceEntry]) -> None:
        base = f"{BUNDLES}/{self._bundle.id}"
        if not self._begun:
            for folder in _parents(f"{base}/data"):
                self._writer.folder(folder, mode=0o700 if "openrescue" in folder else 0o755)
            self._begun = True
        # The name first, so that what follows is never without one.
        self._file(f"{base}/{MANIFEST}", io.BytesIO(self._bundle.text().encode()))
        for entry in entries:
            name = entry.data
            path = f"{base}/{name}"
            if name is None or self._view.patient.tree.lstat(path) is not None or self._came_from_here(entry):
                continue
            if not self._has_room(os.path.getsize(self._bundle.path(name))):
                self.notes.append(
                    "the undo bundle is whole on the rescue system only, for the patient's disk has no room for a copy"
                )
                return
            with open(self._bundle.path(name), "rb") as file:
                self._file(path, file)

    def _came_from_here(self, entry: FileEntry | DeviceEntry) -> bool:
        """What was moved out to make room does not go back to where it came from."""
        home = self._view.patient.covering(BUNDLES)
        return isinstance(entry, FileEntry) and entry.moved and (home is None or entry.filesystem == identity(home))

    def _has_room(self, size: int) -> bool:
        path = f"{BUNDLES}/{self._bundle.id}"
        filesystem = self._view.patient.covering(path)
        usage = self._view.patient.tree.usage(path, fstype=filesystem.fstype if filesystem else "")
        if usage is None:
            return False
        spare = max(_SPARE, usage.total_bytes // 20)
        return size + spare <= usage.available_bytes

    def _file(self, path: str, source: t.BinaryIO) -> None:
        state = FileState("file", 0, "", 0o600, 0, 0, 0, {})
        self._writer.file(
            path, source, with_label(state, label_for(self._view.patient.tree, path)), temporary=temporary_name()
        )


def tidy(view: View, bundle_id: str) -> None:
    """Remove that; where there is no manifest nothing was written yet, so nothing is needed of it."""
    base = f"{BUNDLES}/{bundle_id}"
    if view.patient.tree.lstat(f"{base}/{MANIFEST}") is None:
        forget(view, bundle_id)
        return
    for path in (f"{base}/{MANIFEST}", f"{base}/data/1"):
        Writer(view).tidy(path)


def fetch(view: View, bundle: Bundle) -> None:
    """Bring a copy of the patient's over to the rescue system; contents are checked when they are used."""
    tree = view.patient.tree
    bundle.save()
    for entry in bundle.entries:
        found = tree.lstat(f"{BUNDLES}/{bundle.id}/{entry.data}") if entry.data else None
        if found is None or entry.data is None or not stat.S_ISREG(found.st_mode):
            continue
        if found.st_size != _size(entry):
            raise UndoBroken(f"the undo bundle cannot be used: {printable(entry.data)} has another size than it should")
        source = tree.open(f"{BUNDLES}/{bundle.id}/{entry.data}")
        with bundle.keeping(entry.data, size=found.st_size) as file:
            if source is not None and file is not None:
                with source:
                    shutil.copyfileobj(source, file)


def forget(view: View, bundle_id: str) -> None:
    """After all is put back, the patient keeps no trace of it."""
    base = f"{BUNDLES}/{bundle_id}"
    tree = view.patient.tree
    if tree.lstat(base) is None:
        return
    writer = Writer(view)
    paths = [f"{folder}/{name}" for folder in (f"{base}/data", base) for name in tree.listdir(folder)]
    for path in paths:
        found = view.patient.tree.lstat(path)
        if found is not None and not stat.S_ISDIR(found.st_mode):
            writer.remove(path)
    for folder in reversed(_parents(f"{base}/data")[-4:]):
        if view.patient.tree.lstat(folder) is not None:
            writer.remove_folder(folder)


def _size(entry: FileEntry | DeviceEntry) -> int:
    if isinstance(entry, DeviceEntry):
        return sum(length for _start, length in entry.extents)
    return entry.before.size if entry.before else 0


def _parents(path: str) -> list[str]:
    """The directories above a path and itself, the uppermost first."""
    parts = path.strip("/").split("/")
    return ["/" + "/".join(parts[: count + 1]) for count in range(len(parts))]
