# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server's own disks, as the rescue system gets them.

A disk that another server may use at the same time is attached read-only, or the rescue is refused. A CD or floppy
stays only where it is proven to hold nothing that a rescue system would take for orders of its own.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .xml import PREFIX, disk_source, disk_target

if t.TYPE_CHECKING:
    import xml.etree.ElementTree as ET

__all__ = ("Drive", "attach_own_disks", "disk_facts", "drives")

#: QEMU has no read-only disks on these buses
_ALWAYS_WRITABLE = ("ide", "sata")
#: disks that another process serves: libvirt gives them no serial number and cannot make them read-only
_SERVED = ("vhostuser", "vhostvdpa")
_NO_SERIAL = ("lun", "floppy", "cdrom")
_DRIVES = ("cdrom", "floppy")


class Drive(t.NamedTuple):
    """What may hold a configuration drive of the server's own.

    :param path: the file that can be looked into; empty where there is none.
    :param removable: a CD or a floppy, which stays only where it is proven harmless.
    """

    target: str
    path: str
    removable: bool


def drives(domain: ET.Element) -> list[Drive]:
    """All that may hold a configuration drive: what is in a CD drive, and disks in raw files."""
    found = []
    for disk in domain.findall("devices/disk"):
        kind, driver = disk.get("device", "disk"), disk.find("driver")
        form = "raw" if driver is None else driver.get("type", "raw")
        # What is no file is never looked into: opening a device can do more than that.
        path = disk_source(disk) if disk.get("type") == "file" and form == "raw" else ""
        removable = kind in _DRIVES
        if (removable and disk_source(disk)) or (kind == "disk" and path):
            found.append(Drive(disk_target(disk), path, removable))
    return found


def attach_own_disks(devices: ET.Element, *, read_only: bool, left_out: t.Container[str]) -> None:
    """Change the disks of a definition to what the rescue system gets.

    :param left_out: targets of what the rescue system must not see.
    """
    for disk in devices.findall("disk"):
        kind, target = disk.get("device", "disk"), disk_target(disk)
        if target in left_out:
            devices.remove(disk)
            continue
        writable = kind in ("disk", "lun") and disk.find("readonly") is None
        if writable and (read_only or disk.find("shareable") is not None):
            _sub(disk, "readonly")
        if kind not in _NO_SERIAL and disk.get("type") not in _SERVED and disk.find("serial") is None and target:
            _sub(disk, "serial").text = f"{PREFIX}-{target}"[:20]


def _sub(parent: ET.Element, tag: str) -> ET.Element:
    child = parent.makeelement(tag, {})
    parent.append(child)
    return child


def disk_facts(domain: ET.Element) -> dict[str, tuple[str, ...]]:
    """What of the disks matters to the preflight, by the names of its facts; each the targets of the disks."""
    disks = [disk for disk in domain.findall("devices/disk") if disk.get("device", "disk") in ("disk", "lun")]

    def targets(fits: t.Callable[[ET.Element], bool]) -> tuple[str, ...]:
        return tuple(disk_target(disk) for disk in disks if fits(disk))

    def shared(disk: ET.Element) -> bool:
        return disk.find("shareable") is not None

    return {
        "not_read_only": targets(_always_writable),
        "shared_disks": targets(shared),
        "shared_writable": targets(lambda disk: shared(disk) and _always_writable(disk)),
        "transient_disks": targets(lambda disk: disk.find("transient") is not None),
    }


def _always_writable(disk: ET.Element) -> bool:
    target = disk.find("target")
    bus = "" if target is None else target.get("bus", "")
    return disk.find("readonly") is None and (bus in _ALWAYS_WRITABLE or disk.get("type") in _SERVED)
