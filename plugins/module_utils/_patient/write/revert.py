# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Putting back what a bundle holds, and keeping a copy of the bundle with the patient.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import typing as t

from ..._errors import OpenRescueError
from ..._text import printable
from ..opening import View
from ..patient import Filesystem
from ..tree.tree import Place, Tree
from .blocks import head, matches, put_blocks, take_blocks
from .change import unified
from .image import image_of, put_link, put_stream, remove_entry
from .undo import BUNDLES, Bundle, DeviceEntry, Entry, FileEntry

__all__ = ("copy_to_patient", "load_bundle", "revert", "revert_entries")

_MANIFEST_LIMIT = 64 * 1024 * 1024


def load_bundle(view: View, bundle_id: str) -> Bundle:
    """The bundle from the rescue system, or from the patient itself, whose tree is mounted."""
    bundle = Bundle.load(bundle_id)
    if bundle is None and view.patient.opened_tree is not None:
        _fetch(view.patient.tree, bundle_id)
        bundle = Bundle.load(bundle_id)
    if bundle is None:
        raise OpenRescueError(
            f"there is no undo bundle {bundle_id}, neither on the rescue system nor on the patient",
            code="undo_not_found",
            hint=f"Bundles are folders in {BUNDLES}",
        )
    return bundle


def revert(view: View, bundle: Bundle, *, check: bool) -> list[tuple[Entry, str, str]]:
    """Put back all that is not yet, the last change first.

    :returns: each entry with why it could not be put back (empty if it was), and its diff.
    """
    results: list[tuple[Entry, str, str]] = []
    for entry in reversed([item for item in bundle.entries if item.state != "reverted"]):
        diff = ""
        try:
            if isinstance(entry, FileEntry):
                diff = _revert_file(view, bundle, entry, check=check)
            else:
                diff = _revert_device(view, bundle, entry, check=check)
            results.append((entry, "", diff))
        except OpenRescueError as exc:
            results.append((entry, str(exc), diff))
    if not check and not any(result[1] for result in results):
        _forget_copy(view, bundle)
    return results


def revert_entries(view: View, bundle: Bundle, entries: t.Sequence[Entry]) -> list[str]:
    """Put back the last entries of a bundle; why that failed, if it did."""
    problems = []
    for entry in reversed(entries):
        try:
            if isinstance(entry, FileEntry):
                _revert_file(view, bundle, entry, check=False)
            else:
                _revert_device(view, bundle, entry, check=False)
        except OpenRescueError as exc:
            problems.append(str(exc))
    return problems


def _revert_file(view: View, bundle: Bundle, entry: FileEntry, *, check: bool) -> str:
    tree = _tree(view)
    where = tree.resolve(os.path.dirname(entry.path)) or "/"
    path = os.path.join(where, os.path.basename(entry.path))
    current = image_of(tree, path)
    is_ours = current == entry.after or (current is not None and current.same_content(entry.after))
    if entry.state == "intended" and current == entry.before:
        is_ours = True
    if not is_ours:
        raise _refused(f"{printable(entry.path)} has been changed since the repair, so it is left as it is")
    diff = _diff(tree, bundle, entry, path)
    if check:
        return diff
    _open(view, path)
    with _tree(view).place(path, follow=False) as place:
        if place is None:
            raise _refused(f"the directory of {printable(entry.path)} is gone")
        remove_entry(place, entry.temporary)  # of a run that was killed
        _put_back(place, bundle, entry)
    if image_of(_tree(view), path) != entry.before and not (entry.before and entry.before.kind == "link"):
        raise _refused(f"{printable(entry.path)} is not what it was, although it was put back")
    entry.state = "reverted"
    bundle.save()
    return diff


def _put_back(place: Place, bundle: Bundle, entry: FileEntry) -> None:
    before = entry.before
    if before is None:
        remove_entry(place)
    elif before.kind == "link":
        put_link(place, before.target or "", uid=before.uid, gid=before.gid, temporary=entry.temporary)
    else:
        with open(bundle.path(entry.data or ""), "rb") as source:
            put_stream(
                place,
                source,
                mode=before.mode,
                uid=before.uid,
                gid=before.gid,
                xattrs=before.xattrs,
                temporary=entry.temporary,
                mtime_ns=before.mtime_ns,
            )


def _diff(tree: Tree, bundle: Bundle, entry: FileEntry, path: str) -> str:
    now = (
        tree.read_bytes(path, limit=1 << 30)
        if entry.after and entry.after.kind == "file" and tree.lstat(path)
        else None
    )
    if entry.before is None:
        return f"{printable(entry.path)}: removed again\n"
    if entry.before.kind == "link" or entry.data is None or entry.before.size > 1 << 20:
        return f"{printable(entry.path)}: put back ({entry.before.size} bytes)\n"
    with open(bundle.path(entry.data), "rb") as source:
        return unified(entry.path, now, source.read())


def _revert_device(view: View, bundle: Bundle, entry: DeviceEntry, *, check: bool) -> str:
    if view.is_mounted and not check:
        view.seal()
    item = _find_device(view, entry)
    before = bundle.path(entry.data)
    size = sum(length for _start, length in entry.extents)
    # Read from the disk itself: a layer may have a journal replayed in it.
    if entry.state == "done":
        with open(os.devnull, "wb") as nowhere:
            is_ours = (
                take_blocks(item.device, entry.extents, nowhere) == entry.after and head(item.device) == entry.head
            )
    else:
        is_ours = matches(item.device, entry.extents, before, bundle.path(entry.fresh))
    if not is_ours:
        raise _refused(f"{item.device} has been written since its repair, so its old blocks no longer fit")
    diff = f"{item.device}: {size} bytes as they were before {printable(' '.join(entry.argv))}\n"
    if check:
        return diff
    view.open_device(item)
    put_blocks(before, item.device, entry.extents)
    entry.state = "reverted"
    bundle.save()
    view.seal()
    return diff


def _find_device(view: View, entry: DeviceEntry) -> Filesystem:
    fitting = [item for item in view.bottoms() if item.size == entry.size]
    for name, value in (("partuuid", entry.partuuid), ("uuid", entry.uuid), ("device", entry.device)):
        found = [item for item in fitting if value and getattr(item, name) == value]
        if len(found) == 1:
            return found[0]
    raise _refused(f"the device that was {printable(entry.device)} is not here")


def copy_to_patient(view: View, bundle: Bundle) -> list[str]:
    """Keep a copy in the patient's own /var/lib, for a later rescue; what hindered that, if something did.

    Not where a file system was repaired and nothing else written to it: every write takes away the possibility to
    put its blocks back.
    """
    patient = view.patient
    if patient.opened_tree is None or not any(isinstance(entry, FileEntry) for entry in bundle.entries):
        return []
    home = patient.covering(BUNDLES)
    repaired = {entry.device for entry in bundle.entries if isinstance(entry, DeviceEntry)}
    written = {
        covering.device for e in bundle.entries if isinstance(e, FileEntry) and (covering := patient.covering(e.path))
    }
    if home is None or (home.device in repaired and home.device not in written):
        return []
    try:
        files = {"manifest.json": os.path.join(bundle.folder, "manifest.json")}
        files.update((name, bundle.path(name)) for name in _data_names(bundle))
        size = sum(os.path.getsize(path) for path in files.values())
        if home.available_bytes is None or size + (32 << 20) > home.available_bytes:
            return ["the undo bundle is on the rescue system only, for the patient's disk has no room for a copy"]
        view.make_writable(home)
        _put_copy(_tree(view), bundle, files)
    except OpenRescueError as exc:
        return [f"the undo bundle is on the rescue system only: {exc.message}"]
    return []


def _data_names(bundle: Bundle) -> list[str]:
    return [e.data for e in bundle.entries if e.data and os.path.exists(bundle.path(e.data))]


def _put_copy(tree: Tree, bundle: Bundle, files: t.Mapping[str, str]) -> None:
    path = ""
    for part in f"{BUNDLES}/{bundle.id}/data".strip("/").split("/"):
        path = f"{path}/{part}"
        with tree.place(path) as place:
            if place is None:
                raise _refused(f"{path} cannot be made")
            if place.stat is None:
                os.mkdir(place.name, 0o700 if "openrescue" in path else 0o755, dir_fd=place.directory)
    # The manifest last: a copy without it is none.
    for name, source in sorted(files.items(), key=lambda item: item[0] == "manifest.json"):
        with tree.place(f"{BUNDLES}/{bundle.id}/{name}") as place, open(source, "rb") as file:
            if place is None:
                raise _refused(f"{BUNDLES} cannot be written")
            put_stream(place, file, mode=0o600, uid=0, gid=0, xattrs={}, temporary=".openrescue-copy")


def _fetch(tree: Tree, bundle_id: str) -> None:
    """Bring the patient's copy over; what it says is checked when it is used."""
    base = f"{BUNDLES}/{bundle_id}"
    text = tree.read_bytes(f"{base}/manifest.json", limit=_MANIFEST_LIMIT)
    if text is None:
        return
    folder = os.path.join(BUNDLES, bundle_id)
    os.makedirs(os.path.join(folder, "data"), mode=0o700, exist_ok=True)
    for name in tree.listdir(f"{base}/data"):
        source = tree.open(f"{base}/data/{name}") if name.isdigit() else None
        if source is not None:
            with source, open(os.path.join(folder, "data", name), "wb") as file:
                shutil.copyfileobj(source, file)
    with open(os.path.join(folder, "manifest.json"), "wb") as file:
        file.write(text)


def _forget_copy(view: View, bundle: Bundle) -> None:
    """After all is put back, the patient keeps no trace of the repair."""
    if not any(isinstance(entry, FileEntry) for entry in bundle.entries) or not view.is_mounted:
        return
    base = f"{BUNDLES}/{bundle.id}"
    if view.patient.tree.lstat(base) is None:
        return
    _open(view, base)
    tree = _tree(view)
    for name in tree.listdir(f"{base}/data"):
        _remove(tree, f"{base}/data/{name}")
    _remove(tree, f"{base}/manifest.json")
    folders = (f"{base}/data", base, BUNDLES, os.path.dirname(BUNDLES))
    for folder in folders:
        with tree.place(folder, follow=False) as place, contextlib.suppress(OSError):
            if place is not None and place.stat is not None and stat.S_ISDIR(place.stat.st_mode):
                os.rmdir(place.name, dir_fd=place.directory)


def _remove(tree: Tree, path: str) -> None:
    with tree.place(path, follow=False) as place:
        if place is not None and place.stat is not None:
            remove_entry(place)


def _tree(view: View) -> Tree:
    if not view.is_mounted:
        view.mount()
    return view.patient.tree


def _open(view: View, path: str) -> None:
    filesystem = view.patient.covering(path)
    if filesystem is not None:
        view.make_writable(filesystem)


def _refused(why: str) -> OpenRescueError:
    return OpenRescueError(why, code="undo_refused")
