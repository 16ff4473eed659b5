# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which undo bundles there are, on the rescue system and on the patient; all of it only reads.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..._errors import OpenRescueError
from ..._text import printable
from .errors import UndoRefused
from .undo import BUNDLES, MANIFEST, Bundle, DeviceEntry, Entry, FileEntry, bundle_ids, is_temporary, store_ids

if t.TYPE_CHECKING:
    from ..opening import View
    from ..patient import Filesystem
    from ..tree.tree import Tree

__all__ = (
    "Listed",
    "find_device",
    "here",
    "identity",
    "is_of",
    "listing",
    "litter",
    "named",
    "on_patient",
    "unfinished",
    "unfinished_on_patient",
)

_MANIFEST_LIMIT = 64 * 1024 * 1024
_MANY = 1000


def identity(filesystem: Filesystem) -> str:
    """What a file system is known by in a later rescue, where its device may have another name."""
    return filesystem.uuid or filesystem.partuuid or filesystem.device


@dataclasses.dataclass
class Listed:
    """A bundle as modules return it."""

    id: str
    time: str
    state: str
    faults: list[str]
    entries: list[dict[str, str]]
    where: list[str]


def here() -> list[Bundle]:
    """The bundles on the rescue system, the oldest first; what is no bundle is left out."""
    found = []
    for name in store_ids():
        try:
            bundle = Bundle.load(name)
        except OpenRescueError:
            continue
        if bundle is not None:
            found.append(bundle)
    return found


def listing(view: View) -> list[Listed]:
    """All bundles of this patient, wherever they are; the rescue system may have others'."""
    found: dict[str, Listed] = {}
    mounted = on_patient(view) if view.is_mounted else []
    own = {bundle.id for bundle in mounted}
    local = [bundle for bundle in here() if bundle.id in own or any(is_of(view, entry) for entry in bundle.entries)]
    for where, bundles in (("rescue_system", local), ("patient", mounted)):
        for bundle in bundles:
            # The rescue system's own knows how it ended.
            found.setdefault(bundle.id, _listed(bundle)).where.append(where)
    return [found[name] for name in sorted(found)]


def _listed(bundle: Bundle) -> Listed:
    entries = [
        {("path" if isinstance(item, FileEntry) else "device"): named(item), "state": item.state}
        for item in bundle.entries
    ]
    return Listed(bundle.id, bundle.time, bundle.state, list(bundle.faults), entries, [])


def named(entry: Entry) -> str:
    return printable(entry.path if isinstance(entry, FileEntry) else entry.device)


def unfinished(view: View) -> list[str]:
    """IDs of all bundles of this patient whose run was killed, for who may change nothing."""
    local = [bundle.id for bundle in here() if any(is_of(view, entry) for entry in bundle.unfinished)]
    return sorted({*local, *unfinished_on_patient(view)})


def unfinished_on_patient(view: View) -> list[str]:
    """IDs of the bundles on the mounted patient whose run was killed, if the rescue system does not know better."""
    if not view.is_mounted:
        return []
    known = {bundle.id for bundle in here()}
    left = {bundle.id for bundle in on_patient(view) if bundle.unfinished and bundle.id not in known}
    return sorted(left | set(litter(view)))


def on_patient(view: View) -> list[Bundle]:
    """The bundles of which the mounted patient has copies; what cannot be read is noted and left out."""
    tree = view.patient.tree
    found = []
    try:
        names = bundle_ids(tree.listdir(BUNDLES))[:_MANY]
    except OpenRescueError as exc:
        view.patient.notes.append(exc.message)
        return []
    for name in names:
        bundle = Bundle(name)
        try:
            text = tree.read_text(f"{BUNDLES}/{name}/{MANIFEST}", limit=_MANIFEST_LIMIT)
            if text is not None:
                bundle.read(text)
                found.append(bundle)
        except OpenRescueError as exc:
            view.patient.notes.append(f"{name}: {exc.message}")
    return found


def litter(view: View) -> list[str]:
    """IDs of the bundles on the mounted patient in whose folders a killed run has left what is of no use."""
    tree = view.patient.tree
    try:
        return [name for name in bundle_ids(tree.listdir(BUNDLES))[:_MANY] if _is_littered(tree, f"{BUNDLES}/{name}")]
    except OpenRescueError as exc:
        view.patient.notes.append(exc.message)
        return []


def _is_littered(tree: Tree, base: str) -> bool:
    names = [*tree.listdir(base), *tree.listdir(f"{base}/data")]
    return MANIFEST not in names or any(is_temporary(name) for name in names)


def is_of(view: View, entry: Entry) -> bool:
    """Whether an entry is of the disks that are open here."""
    if isinstance(entry, FileEntry):
        return entry.filesystem in {identity(item) for item in view.patient.filesystems}
    try:
        find_device(view, entry)
    except UndoRefused:
        return False
    return True


def find_device(view: View, entry: DeviceEntry) -> Filesystem:
    """The device that the entry was made on, whatever it is called now."""
    fitting = [item for item in view.bottoms() if item.size == entry.size]
    for found in (
        [item for item in fitting if entry.partuuid and item.partuuid == entry.partuuid],
        [item for item in fitting if entry.uuid and item.uuid == entry.uuid],
        [item for item in fitting if item.device == entry.device],
    ):
        if len(found) == 1:
            return found[0]
    raise UndoRefused(f"the device that was {printable(entry.device)} is not here")
