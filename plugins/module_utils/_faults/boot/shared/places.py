# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where in the patient's tree a boot loader's paths are, and whether what is not there is certainly not there.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ...._errors import OpenRescueError
from ...._formats.fstab import parse_fstab
from ...._text import printable

if t.TYPE_CHECKING:
    from ...._patient.patient import Filesystem, Patient

__all__ = ("Place", "locate", "unmounted")


@dataclasses.dataclass(frozen=True)
class Place:
    """A path in the patient's tree.

    :param exists: whether a file is there.
    :param unknown: why it could be somewhere else, although it is not there; empty where it certainly is nowhere.
    """

    path: str
    exists: bool
    unknown: str = ""


def unmounted(patient: Patient, *places: str) -> str:
    """Why these parts of the tree cannot be judged: their file systems are not mounted. Empty if they can be."""
    return patient.once(f"unmounted {places}", lambda: _unmounted(patient, places))


def _unmounted(patient: Patient, places: t.Collection[str]) -> str:
    try:
        text = patient.tree.read_text("/etc/fstab") or ""
    except OpenRescueError as exc:
        return exc.message
    for entry in parse_fstab(text):
        where = entry.mount_point.rstrip("/")
        if where in places and "noauto" not in entry.options and patient.at(where) is None:
            return f"the file system of {where} is not mounted"
    return ""


def locate(patient: Patient, path: str, *, device: str = "", folder: str = "") -> Place:
    """Where a boot loader's path is.

    :param device: the file system that it begins at, as a device specification; empty if the loader keeps its own.
    :param folder: the directory that a relative path begins at.
    """
    prefix = re.match(r"^\(([^)]*)\)", path)
    if prefix:
        device, path = prefix[1], path[prefix.end() :]
    if folder and not path.startswith("/"):
        return _first(patient, [f"{folder.rstrip('/')}/{path}"], unmounted(patient, "/boot"))
    path = "/" + path.replace("\\", "/").lstrip("/")
    begins = _device(patient, device)
    if begins is not None and begins.mount_point is not None:
        top = begins.mount_point.rstrip("/")
        # GRUB sees the whole of a btrfs, its subvolumes as directories.
        below = [f"{top}/{rest}" for rest in _without_subvolume(path)] if begins.fstype == "btrfs" else []
        doubt = "its subvolume cannot be told" if begins.fstype == "btrfs" else ""
        return _first(patient, [top + path, *below], doubt)
    doubt = unmounted(patient, "/boot", "/boot/efi") or "; ".join(patient.uncertain)
    if re.match(r"^(?:UUID|LABEL|FILE)=", device):
        doubt = doubt or f"{printable(device, limit=80)} is not mounted here"
    usual = [f"/boot{path}", path] if patient.boot is not None else [path, f"/boot{path}"]
    return _first(patient, [*usual, *(f"/{rest}" for rest in _without_subvolume(path))], doubt)


def _device(patient: Patient, device: str) -> Filesystem | None:
    return patient.find(device) if re.match(r"^(?:UUID|LABEL)=", device) else None


def _without_subvolume(path: str) -> list[str]:
    parts = path.strip("/").split("/")
    return ["/".join(parts[count:]) for count in range(1, min(len(parts), 4))]


def _first(patient: Patient, candidates: t.Sequence[str], unknown: str) -> Place:
    found = next((one for one in candidates if patient.tree.is_file(one)), None)
    return Place(found or candidates[0], found is not None, unknown)
