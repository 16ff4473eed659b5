# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading libvirt's domain XML: values in, values out.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import copy
import hashlib
import typing as t
import xml.etree.ElementTree as ET

from .model import LibvirtMarker

__all__ = (
    "AGENT_CHANNEL",
    "NAMESPACE",
    "PREFIX",
    "agent_state",
    "backing_files",
    "definition_hash",
    "disk_source",
    "disk_target",
    "disks",
    "has_marker",
    "is_foreign",
    "is_of_nova",
    "live_marker_element",
    "live_only_disks",
    "marker_from_metadata",
    "marker_in",
    "marker_to_metadata",
    "reach",
    "without_marker",
)

NAMESPACE = "https://github.com/openrescue/ansible-collection-server/xmlns/libvirt/rescue"
#: what everything that this collection makes on a hypervisor is called by
PREFIX = "openrescue"
#: Nova's own, whose end is a version: 1.0 until Victoria, 1.1 since Wallaby
_OF_NOVA = "{http://openstack.org/xmlns/libvirt/nova/"
AGENT_CHANNEL = "org.qemu.guest_agent.0"
#: for the running rescue system alone: a server that is started takes the persistent marker along
LIVE_NAMESPACE = f"{NAMESPACE}/live"
_ELEMENT = f"{{{NAMESPACE}}}rescue"
_LIVE_ELEMENT = f"{{{LIVE_NAMESPACE}}}rescue"
_BY_ID = {"virtio": "virtio-{0}", "sata": "ata-QEMU_HARDDISK_{0}", "ide": "ata-QEMU_HARDDISK_{0}"}
_BY_ID["scsi"] = "scsi-0QEMU_QEMU_HARDDISK_{0}"


def marker_to_metadata(marker: LibvirtMarker) -> str:
    """The marker as the element that goes into a domain's metadata."""
    return ET.tostring(ET.Element("rescue", marker.to_flat()), encoding="unicode")


def marker_from_metadata(xml: str) -> LibvirtMarker:
    """The marker from what libvirt gives back."""
    return LibvirtMarker.from_flat(ET.fromstring(xml).attrib)  # noqa: S314 - it is libvirt that wrote this


def marker_in(domain: ET.Element, *, live: bool = False) -> LibvirtMarker | None:
    """The marker in a whole definition: the persistent one, or the one that only a running rescue system has."""
    found = domain.find(f"metadata/{_LIVE_ELEMENT if live else _ELEMENT}")
    return None if found is None else LibvirtMarker.from_flat(found.attrib)


def has_marker(domain: ET.Element, *, live: bool = False) -> bool:
    """Whether there is a marker, be it one that can be read or not."""
    return domain.find(f"metadata/{_LIVE_ELEMENT if live else _ELEMENT}") is not None


def live_marker_element(marker: LibvirtMarker) -> ET.Element:
    """The marker as the running rescue system carries it."""
    return ET.Element(_LIVE_ELEMENT, marker.to_flat())


def without_marker(domain: ET.Element) -> ET.Element:
    """A copy that has no marker, and no empty metadata either, which libvirt leaves behind."""
    domain = copy.deepcopy(domain)
    metadata = domain.find("metadata")
    if metadata is not None:
        for element in [*metadata.findall(_ELEMENT), *metadata.findall(_LIVE_ELEMENT)]:
            metadata.remove(element)
        if len(metadata) == 0:
            domain.remove(metadata)
    return domain


def definition_hash(xml: str) -> str:
    """What tells whether somebody has changed the definition, whatever the marker says."""
    root = without_marker(ET.fromstring(xml))  # noqa: S314
    return hashlib.sha256(ET.canonicalize(ET.tostring(root, encoding="unicode"), strip_text=True).encode()).hexdigest()


def disk_source(disk: ET.Element) -> str:
    """Where a disk's bytes are, as one text that can be compared; empty for an empty drive."""
    source = disk.find("source")
    if source is None:
        return ""
    for name in ("file", "dev", "dir"):
        if source.get(name):
            return str(source.get(name))
    if source.get("pool"):
        return f"{source.get('pool')}/{source.get('volume')}"
    if source.get("name"):
        return f"{source.get('protocol')}:{source.get('name')}"
    return str(source.get("path") or source.get("type") or "unknown")


def is_of_nova(domain: ET.Element) -> bool:
    """Whether Nova has made the domain, of whatever release."""
    return any(str(element.tag).startswith(_OF_NOVA) for element in domain.findall("metadata/*"))


def disk_target(disk: ET.Element) -> str:
    """The name by which a definition knows a disk."""
    target = disk.find("target")
    return "" if target is None else str(target.get("dev"))


def disks(domain: ET.Element) -> list[dict[str, t.Any]]:
    """The disks of a definition as modules return them; with the names that the rescue system gives them."""
    result = []
    for disk in domain.findall("devices/disk"):
        target, driver = disk.find("target"), disk.find("driver")
        bus = "" if target is None else target.get("bus", "")
        serial = disk.findtext("serial")
        by_id = _BY_ID.get(bus) if disk.get("device", "disk") == "disk" else None
        # udev knows a virtio disk by the first 20 characters.
        known = by_id and serial and f"/dev/disk/by-id/{by_id.format(serial[:20])}"
        result.append(
            {
                "target": disk_target(disk),
                "bus": bus,
                "kind": disk.get("device", "disk"),
                "source": disk_source(disk),
                "format": None if driver is None else driver.get("type"),
                "serial": serial,
                "read_only": disk.find("readonly") is not None,
                "shared": disk.find("shareable") is not None,
                "device": known or None,
            }
        )
    return result


def _hard_disks(domain: ET.Element) -> dict[str, str]:
    return {
        disk_target(disk): disk_source(disk)
        for disk in domain.findall("devices/disk")
        if disk.get("device", "disk") in ("disk", "lun")
    }


def _boot_setup(domain: ET.Element) -> list[str]:
    return [domain.findtext(f"os/{name}") or "" for name in ("kernel", "initrd", "cmdline")]


def is_foreign(live: ET.Element, persistent: ET.Element) -> bool:
    """Whether the domain was started from another definition than its persistent one.

    Devices that were plugged in or out while it ran do not count, another kernel or another root does.
    """
    if _boot_setup(live) != _boot_setup(persistent):
        return True
    now, later = _hard_disks(live), _hard_disks(persistent)
    pools = [source for source in (*now.values(), *later.values()) if not source.startswith("/")]
    if any(target in now and now[target] != source for target, source in later.items()) and not pools:
        return True
    return bool(later) and not set(now) & set(later)


def live_only_disks(live: ET.Element, persistent: ET.Element) -> list[str]:
    """Targets of the disks that only the running domain has: a power cycle takes them away."""
    return sorted(set(_hard_disks(live)) - set(_hard_disks(persistent)))


def agent_state(domain: ET.Element, *, active: bool) -> str:
    """How the guest agent is: ``connected``, ``disconnected``, or ``none`` where there is no channel for it."""
    for target in domain.findall("devices/channel/target"):
        if target.get("name") == AGENT_CHANNEL:
            return "connected" if active and target.get("state") == "connected" else "disconnected"
    return "none"


def reach(domain: ET.Element, *, uri: str) -> dict[str, t.Any]:
    """How whatever runs on the domain can be reached."""
    interfaces = []
    for interface in domain.findall("devices/interface"):
        mac, source = interface.find("mac"), interface.find("source")
        network = None if source is None else source.get("network") or source.get("bridge") or source.get("dev")
        interfaces.append({"mac": None if mac is None else mac.get("address"), "network": network})
    return {"libvirt_uri": uri, "domain": domain.findtext("name"), "interfaces": interfaces}


def backing_files(live: ET.Element | None) -> list[str]:
    """The files under the disks of a running domain, as far as libvirt shows them."""
    sources = () if live is None else live.findall("devices/disk//backingStore/source")
    return [str(source.get("file")) for source in sources if source.get("file")]
