# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Putting back what a bundle holds, and going on where a killed run was cut off.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import hashlib
import os
import typing as t

from ..._errors import OpenRescueError
from ..._text import printable
from ..patient import Filesystem
from .blocks import head, matches, take_blocks
from .bundles import find_device, identity, on_patient
from .change import unified
from .errors import UndoBroken, UndoNotFound, UndoRefused
from .file_state import BLOCK, FileState, state_of
from .home import fetch, forget
from .undo import BUNDLES, Bundle, DeviceEntry, Entry, FileEntry
from .writer import Writer

if t.TYPE_CHECKING:
    from ..opening import View

__all__ = ("finish_entry", "load_bundle", "revert", "revert_entries")

_DIFF_LIMIT = 1 << 20
_READ_LIMIT = 1 << 30


def load_bundle(view: View, bundle_id: str) -> Bundle:
    """The bundle from the rescue system, or from the patient itself, whose tree is mounted."""
    bundle = Bundle.load(bundle_id)
    if bundle is None and view.is_mounted:
        for found in on_patient(view):
            if found.id == bundle_id:
                fetch(view, found)
                bundle = found
    if bundle is None:
        raise UndoNotFound(
            f"there is no undo bundle {bundle_id}, neither on the rescue system nor on the patient",
            hint=f"Bundles are folders in {BUNDLES}; disk_repair with state 'listed' lists them",
        )
    return bundle


def revert(view: View, bundle: Bundle, *, check: bool) -> list[tuple[Entry, str, str]]:
    """Put back all that is not yet, the last change first.

    :returns: each entry with why it could not be put back (empty if it was), and its diff.
    """
    results: list[tuple[Entry, str, str]] = []
    for entry in reversed([item for item in bundle.entries if item.state != "reverted"]):
        try:
            view.patient.tools.limit.check()
            results.append((entry, "", _revert(view, bundle, entry, check=check)))
        except OpenRescueError as exc:
            results.append((entry, str(exc), ""))
    files = any(isinstance(entry, FileEntry) for entry in bundle.entries)
    if not check and files and view.is_mounted and not any(result[1] for result in results):
        forget(view, bundle.id)
    return results


def revert_entries(view: View, bundle: Bundle, entries: t.Sequence[Entry]) -> list[str]:
    """Put back the last entries of a bundle; why that failed, if it did."""
    problems = []
    for entry in reversed(entries):
        try:
            _revert(view, bundle, entry, check=False)
        except OpenRescueError as exc:
            problems.append(str(exc))
    return problems


def finish_entry(view: View, bundle: Bundle, entry: Entry) -> str:
    """Go on where a run was killed in the middle of this entry; says what that came to.

    What it was writing is written to its end, and what it had not begun is forgotten; what it was putting back is put
    back.
    """
    if entry.state == "reverting":
        _revert(view, bundle, entry, check=False)
        return f"{printable(entry.path if isinstance(entry, FileEntry) else entry.device)}: was put back to its end"
    if isinstance(entry, DeviceEntry):
        _finish_blocks(view, bundle, entry)
        return f"{entry.device}: the blocks of '{printable(' '.join(entry.argv))}' were written to their end"
    return _finish_file(view, bundle, entry)


def _revert(view: View, bundle: Bundle, entry: Entry, *, check: bool) -> str:
    if isinstance(entry, FileEntry):
        return _revert_file(view, bundle, entry, check=check)
    return _revert_device(view, bundle, entry, check=check)


def _revert_file(view: View, bundle: Bundle, entry: FileEntry, *, check: bool) -> str:
    path, current = _look(view, entry)
    as_before = _same(current, entry.before)
    if not as_before and not _same(current, entry.after):
        raise UndoRefused(f"{printable(entry.path)} has been changed since the repair, so it is left as it is")
    _check_kept(bundle, entry)
    diff = _diff(view, bundle, entry, path)
    if check:
        return diff
    entry.state = "reverting"
    bundle.save()
    writer = Writer(view)
    writer.tidy(path)
    if not as_before:
        _put_back(writer, bundle, entry, path)
    elif entry.before is not None:
        writer.lock(path, flags=entry.before.flags, folder_flags=entry.folder_flags)
    kept = entry.is_folder and view.patient.tree.listdir(path)  # by others, who have put something there since
    if not kept and not _same(state_of(view.patient.tree, path), entry.before, locks=True):
        raise UndoRefused(f"{printable(entry.path)} is not what it was, although it was put back")
    entry.state = "reverted"
    bundle.save()
    return diff


def _look(view: View, entry: FileEntry) -> tuple[str, FileState | None]:
    """Where the entry's path is now, and what is there; refused where it is not what was written to."""
    if not view.is_mounted:
        view.mount()
    tree = view.patient.tree
    folder = tree.resolve(os.path.dirname(entry.path))
    if folder is None or not tree.is_dir(folder):
        raise UndoRefused(
            f"the directory of {printable(entry.path)} is not there now",
            hint="Its file system may not be mounted: look at the notes, and at the patient's fstab",
        )
    path = os.path.join(folder, os.path.basename(entry.path))
    filesystem = view.patient.covering(path)
    if entry.filesystem and (filesystem is None or identity(filesystem) != entry.filesystem):
        raise UndoRefused(
            f"{printable(entry.path)} was on the file system {printable(entry.filesystem)}, which is not there now",
            hint="Look at the notes, and at the patient's fstab",
        )
    return path, state_of(tree, path)


def _same(current: FileState | None, wanted: FileState | None, *, locks: bool = False) -> bool:
    """Whether it is there as it should be; its time does not count, and neither what a write lifts for a moment."""
    if current is None or wanted is None:
        return current is wanted
    return current.same_content(wanted) if locks else current.same_but_locks(wanted)


def _put_back(writer: Writer, bundle: Bundle, entry: FileEntry, path: str) -> None:
    before = entry.before
    if entry.is_folder:
        writer.remove_folder(path)
    elif before is None:
        writer.remove(path)
    elif before.kind == "link":
        writer.link(path, before, temporary=entry.temporary)
    else:
        with open(bundle.path(entry.data or ""), "rb") as source:
            writer.file(path, source, before, temporary=entry.temporary, keep_time=True)


def _check_kept(bundle: Bundle, entry: FileEntry) -> None:
    """See that the content is the one that was kept, before it overwrites anything."""
    if entry.before is not None and entry.before.kind == "file":
        _check_content(bundle, entry.data, entry.before.sha256)


def _check_content(bundle: Bundle, name: str | None, wanted: str) -> None:
    hasher = hashlib.sha256()
    try:
        with open(bundle.path(name or ""), "rb") as file:
            for block in iter(lambda: file.read(BLOCK), b""):
                hasher.update(block)
    except FileNotFoundError:
        raise UndoBroken(
            f"the undo bundle cannot be used: {name} is missing",
            hint="It may be on the rescue system of that repair only",
        ) from None
    if hasher.hexdigest() != wanted:
        raise UndoBroken(f"the undo bundle cannot be used: {name} is not what was kept")


def _diff(view: View, bundle: Bundle, entry: FileEntry, path: str) -> str:
    tree = view.patient.tree
    now = None
    if entry.after and entry.after.kind == "file" and tree.lstat(path):
        now = tree.read_bytes(path, limit=_READ_LIMIT)
    if entry.before is None:
        return f"{printable(entry.path)}: removed again\n"
    if entry.before.kind == "link" or entry.data is None or entry.before.size > _DIFF_LIMIT:
        return f"{printable(entry.path)}: put back ({entry.before.size} bytes)\n"
    with open(bundle.path(entry.data), "rb") as source:
        return unified(entry.path, now, source.read(), secret=entry.secret)


def _finish_file(view: View, bundle: Bundle, entry: FileEntry) -> str:
    path, current = _look(view, entry)
    writer = Writer(view)
    writer.tidy(path)
    wanted = next((item for item in (entry.after, entry.before) if _same(current, item)), entry)
    if isinstance(wanted, FileEntry):
        raise UndoRefused(f"{printable(entry.path)} has been changed since, so it is left as it is")
    if wanted is not None:
        writer.lock(path, flags=wanted.flags, folder_flags=entry.folder_flags)
    if _same(current, entry.after):
        entry.state, entry.after = "done", state_of(view.patient.tree, path)
        bundle.save()
        return f"{printable(entry.path)}: was written, and is whole"
    bundle.entries.remove(entry)
    bundle.save()
    return f"{printable(entry.path)}: had not been written yet"


def _revert_device(view: View, bundle: Bundle, entry: DeviceEntry, *, check: bool) -> str:
    if view.is_mounted and not check:
        view.seal()
    item = find_device(view, entry)
    before = bundle.path(entry.data)
    if entry.before:
        _check_content(bundle, entry.data, entry.before)
    size = sum(length for _start, length in entry.extents)
    if not _is_ours(item, bundle, entry):
        raise UndoRefused(f"{item.device} has been written since its repair, so its old blocks no longer fit")
    diff = f"{item.device}: {size} bytes as they were before {printable(' '.join(entry.argv))}\n"
    if check:
        return diff
    if entry.state == "done":
        # Of a run that is killed from here on, the next one knows both of what a block can be.
        entry.fresh = bundle.next_name()
        with bundle.keeping(entry.fresh, size=size) as file:
            take_blocks(item.device, entry.extents, t.cast("t.BinaryIO", file))
    entry.state = "reverting"
    bundle.save()
    _write_blocks(view, item, before, entry)
    fresh, entry.fresh, entry.state = entry.fresh, "", "reverted"
    bundle.save()
    if fresh:
        bundle.forget(fresh)
    view.seal()
    return diff


def _finish_blocks(view: View, bundle: Bundle, entry: DeviceEntry) -> None:
    if view.is_mounted:
        view.seal()
    item = find_device(view, entry)
    _check_content(bundle, entry.fresh, entry.after)
    if not _is_ours(item, bundle, entry):
        raise UndoRefused(f"{item.device} has been written since its repair was cut off, so it is left as it is")
    _write_blocks(view, item, bundle.path(entry.fresh), entry)
    entry.head = head(item.device)
    fresh, entry.fresh, entry.state = entry.fresh, "", "done"
    bundle.save()
    bundle.forget(fresh)
    view.seal()


def _is_ours(item: Filesystem, bundle: Bundle, entry: DeviceEntry) -> bool:
    """Whether nobody has written to these blocks but us. A layer will not do: there, a journal is replayed."""
    if entry.state == "done":
        with open(os.devnull, "wb") as nowhere:
            now = take_blocks(item.device, entry.extents, nowhere)
        return now == entry.after and head(item.device) == entry.head
    return matches(item.device, entry.extents, bundle.path(entry.data), bundle.path(entry.fresh))


def _write_blocks(view: View, item: Filesystem, source: str, entry: DeviceEntry) -> None:
    view.open_device(item)
    Writer(view).blocks(item.device, source, entry.extents)
