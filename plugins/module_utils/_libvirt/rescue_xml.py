# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a domain's own definition to the temporary one that boots the rescue system.

The patient's devices keep their addresses, targets and aliases. Only what decides what is booted is changed, and
each of the patient's disks that has no serial number gets one, so that the rescue system can tell which is which.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import copy
import dataclasses
import itertools
import string
import typing as t
import xml.etree.ElementTree as ET

from .model import RESCUE_SERIAL
from .own_disks import attach_own_disks, disk_facts
from .xml import AGENT_CHANNEL, PREFIX, is_of_nova

if t.TYPE_CHECKING:
    from .model import LibvirtMarker

__all__ = (
    "SEED_SERIAL",
    "RescueDisk",
    "default_bus",
    "has_nvram",
    "readiness",
    "rescue_domain",
    "seed_bus",
)

#: by which serial number it knows its seed
SEED_SERIAL = f"{PREFIX}-seed"
_LETTERS = {"virtio": "vd", "scsi": "sd", "sata": "sd", "usb": "sd", "ide": "hd"}


@dataclasses.dataclass(frozen=True)
class RescueDisk:
    """What the rescue system boots from, and how."""

    path: str
    format: str
    device: str
    bus: str
    kernel: str = ""
    ramdisk: str = ""
    cmdline: str = ""


def rescue_domain(
    original: ET.Element,
    marker: LibvirtMarker,
    disk: RescueDisk,
    *,
    live_marker: ET.Element,
    left_out: t.Container[str] = (),
) -> str:
    """The temporary definition.

    :param original: the persistent definition, with its secrets.
    :param live_marker: goes into the metadata of the running domain, so that it is known for what it is.
    :param left_out: targets of the server's own disks that are not for the rescue system to see.
    """
    domain = copy.deepcopy(original)
    devices = domain.find("devices")
    if devices is None:
        raise AssertionError("libvirt's XML always has devices")
    _mark(domain, live_marker)
    _boot_anew(domain, disk, marker)
    for device in devices:
        for boot in device.findall("boot"):
            device.remove(boot)
    attach_own_disks(devices, read_only=marker.disk_access == "read_only", left_out=left_out)
    _add_disks(devices, domain, disk, marker)
    _add_agent_channel(devices)
    _redirect_serial(devices, log=marker.log)
    return ET.tostring(domain, encoding="unicode")


def _mark(domain: ET.Element, live_marker: ET.Element) -> None:
    metadata = domain.find("metadata")
    if metadata is None:
        metadata = ET.SubElement(domain, "metadata")
    metadata.append(live_marker)


def _boot_anew(domain: ET.Element, disk: RescueDisk, marker: LibvirtMarker) -> None:
    """Nothing of how the server boots is left; what happens when the guest ends is ours too."""
    system = domain.find("os")
    if system is None:
        raise AssertionError("libvirt's XML always has os")
    for name in ("boot", "bootmenu", "kernel", "initrd", "cmdline", "dtb"):
        for element in system.findall(name):
            system.remove(element)
    for name, value in (("kernel", disk.kernel), ("initrd", disk.ramdisk), ("cmdline", disk.cmdline)):
        if value:
            ET.SubElement(system, name).text = value
    if marker.nvram:
        _own_nvram(system, marker.nvram)
    for name, value in (("on_poweroff", "destroy"), ("on_reboot", "restart"), ("on_crash", "destroy")):
        found = domain.find(name)
        (ET.SubElement(domain, name) if found is None else found).text = value


def _own_nvram(system: ET.Element, path: str) -> None:
    """A file of its own, which libvirt fills from the firmware's template: the server's boot entries stay."""
    nvram = system.find("nvram")
    if nvram is None:
        nvram = ET.SubElement(system, "nvram")
    for child in list(nvram):
        nvram.remove(child)
    nvram.attrib.pop("type", None)
    nvram.text = path
    if system.get("firmware") == "efi" and system.find("firmware") is None:
        # Without keys of a vendor in that file the firmware boots rescue images that nobody signed.
        features = ET.SubElement(system, "firmware")
        ET.SubElement(features, "feature", {"enabled": "no", "name": "enrolled-keys"})


def has_nvram(domain: ET.Element) -> bool:
    """Whether the machine's firmware keeps variables."""
    system = domain.find("os")
    if system is None:
        return False
    loader = system.find("loader")
    pflash = loader is not None and loader.get("type") == "pflash" and loader.get("stateless") != "yes"
    return system.get("firmware") == "efi" or system.find("nvram") is not None or pflash


def _free_target(devices: ET.Element, bus: str) -> str:
    used = {target.get("dev") for target in devices.findall("disk/target")}
    names = itertools.chain(string.ascii_lowercase, map("".join, itertools.product(string.ascii_lowercase, repeat=2)))
    # The patient's disks may be told apart by their targets: ours follow after them.
    return next(name for name in (f"{_LETTERS[bus]}{letters}" for letters in names) if name not in used)


def _disk(devices: ET.Element, *, device: str, path: str, form: str, bus: str, serial: str) -> ET.Element:
    disk = ET.SubElement(devices, "disk", {"type": "file", "device": device})
    ET.SubElement(disk, "driver", {"name": "qemu", "type": form})
    ET.SubElement(disk, "source", {"file": path})
    ET.SubElement(disk, "target", {"dev": _free_target(devices, bus), "bus": bus})
    if device == "cdrom":
        ET.SubElement(disk, "readonly")
    ET.SubElement(disk, "serial").text = serial
    return disk


def _add_disks(devices: ET.Element, domain: ET.Element, disk: RescueDisk, marker: LibvirtMarker) -> None:
    rescue = _disk(devices, device=disk.device, path=disk.path, form=disk.format, bus=disk.bus, serial=RESCUE_SERIAL)
    ET.SubElement(rescue, "boot", {"order": "1"})
    if marker.seed:
        bus = seed_bus(domain)
        _disk(devices, device="cdrom", path=marker.seed, form="raw", bus=bus, serial=SEED_SERIAL)


def _add_agent_channel(devices: ET.Element) -> None:
    if any(target.get("name") == AGENT_CHANNEL for target in devices.findall("channel/target")):
        return
    channel = ET.SubElement(devices, "channel", {"type": "unix"})
    ET.SubElement(channel, "target", {"type": "virtio", "name": AGENT_CHANNEL})


def _redirect_serial(devices: ET.Element, *, log: str) -> None:
    """The first serial port goes into a log of ours; the server's own logs are evidence and stay as they are."""
    ports = devices.findall("serial")
    for console in devices.findall("console"):
        target = console.find("target")
        if ports and (target is None or target.get("type") in (None, "serial")):
            # libvirt derives this one from the first serial port.
            devices.remove(console)
    if not ports:
        if any(devices.findall("console")):
            return
        ports = [ET.SubElement(devices, "serial", {"type": "pty"})]
    for port in ports:
        for name in ("log", "source"):
            for element in port.findall(name):
                if name == "log" or port.get("type") == "file":
                    port.remove(element)
        if port.get("type") == "file":
            port.set("type", "pty")
    ET.SubElement(ports[0], "log", {"file": log, "append": "off"})


def _root_bus(domain: ET.Element) -> str:
    """The bus of the disk that the server boots from."""
    ranked = []
    for position, disk in enumerate(domain.findall("devices/disk")):
        target, boot = disk.find("target"), disk.find("boot")
        if disk.get("device", "disk") in ("disk", "lun") and target is not None:
            order = int(boot.get("order", "999")) if boot is not None else 999
            ranked.append((order, position, target.get("bus", "")))
    return min(ranked)[2] if ranked else ""


def _machine(domain: ET.Element) -> str:
    kind = domain.find("os/type")
    return "" if kind is None else kind.get("machine", "")


def _is_pc(domain: ET.Element) -> bool:
    """Whether this is the old PC, which has IDE."""
    machine = _machine(domain)
    return machine == "pc" or machine.startswith(("pc-i440fx", "pc-0", "pc-1"))


def _has_sata(domain: ET.Element) -> bool:
    return "q35" in _machine(domain)


def default_bus(domain: ET.Element, *, device: str) -> str:
    """A bus that the machine surely has: for a disk the one that the server's own root is on."""
    if device == "cdrom":
        return seed_bus(domain)
    bus = _root_bus(domain)
    if bus in ("virtio", "scsi", "sata", "usb"):
        return bus
    return "virtio" if bus in ("", "ide") and not _is_pc(domain) else _free_ide(domain) or "virtio"


def _free_ide(domain: ET.Element) -> str:
    """``ide`` where the four places of the old PC are not all taken."""
    taken = [target for target in domain.findall("devices/disk/target") if target.get("bus") == "ide"]
    # One more is for the seed.
    return "ide" if len(taken) < 3 else ""


def seed_bus(domain: ET.Element) -> str:
    """Where a CD drive can be put."""
    if _has_sata(domain):
        return "sata"
    if _is_pc(domain):
        taken = [target for target in domain.findall("devices/disk/target") if target.get("bus") == "ide"]
        return "ide" if len(taken) < 4 else "scsi"
    return "scsi"


def readiness(domain: ET.Element) -> dict[str, t.Any]:
    """What of a definition matters to the preflight, by the names of its facts."""
    loader, template = domain.find("os/loader"), domain.find("os/nvram")
    keys = "" if template is None else template.get("template", "")
    return {
        "owned_by_nova": is_of_nova(domain),
        **disk_facts(domain),
        "tpm": domain.find("devices/tpm") is not None,
        "host_devices": len(domain.findall("devices/hostdev")),
        "secure_boot": (loader is not None and loader.get("secure") == "yes") or ".ms." in keys,
    }
