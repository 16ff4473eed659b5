# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._libvirt import xml as libvirt_xml
from ansible_collections.openrescue.server.plugins.module_utils._libvirt.own_disks import (
    attach_own_disks,
    disk_facts,
    drives,
)

from .domains import disk, domain

VOLUME = """<disk type='volume' device='{kind}'><driver name='qemu' type='raw'/><source pool='p' volume='v'/>
<target dev='{dev}' bus='{bus}'/></disk>"""
BLOCK = """<disk type='block' device='{kind}'><driver name='qemu' type='raw'/><source dev='{path}'/>
<target dev='{dev}' bus='{bus}'/>{more}</disk>"""
NETWORK = """<disk type='network' device='cdrom'><driver name='qemu' type='raw'/>
<source protocol='https' name='seed.iso'><host name='h' port='443'/></source><target dev='sda' bus='sata'/></disk>"""
SERVED = """<disk type='vhostuser' device='disk'><driver name='qemu' type='raw'/>
<source type='unix' path='/run/v.sock'/><target dev='vdb' bus='virtio'/>{more}</disk>"""
SHAREABLE = "<shareable/>"


def block(dev: str, bus: str, *, kind: str = "disk", path: str = "/dev/sdx", more: str = "") -> str:
    return BLOCK.format(dev=dev, bus=bus, kind=kind, path=path, more=more)


#: what is in the drives -> target, file to look into, whether it stays only where it is proven harmless
DRIVES: dict[str, tuple[str, list[tuple[str, str, bool]]]] = {
    "a CD in a file": (disk("hdc", "ide", kind="cdrom", form="raw", path="/i.iso"), [("hdc", "/i.iso", True)]),
    "a floppy in a file": (disk("fda", "fdc", kind="floppy", form="raw", path="/f"), [("fda", "/f", True)]),
    "a CD in qcow2": (disk("hdc", "ide", kind="cdrom", path="/i.qcow2"), [("hdc", "", True)]),
    "a CD drive of the host": (block("hdc", "ide", kind="cdrom", path="/dev/sr0"), [("hdc", "", True)]),
    "a CD in a volume": (VOLUME.format(kind="cdrom", dev="hdc", bus="ide"), [("hdc", "", True)]),
    "a CD on the network": (NETWORK, [("sda", "", True)]),
    "an empty drive": ("<disk type='file' device='cdrom'><target dev='hdc' bus='ide'/></disk>", []),
    "a raw file": (disk("vda", "virtio", form="raw", path="/d.raw"), [("vda", "/d.raw", False)]),
    "a raw device is never looked into": (block("vda", "virtio", path="/dev/watchdog"), []),
    "a volume": (VOLUME.format(kind="disk", dev="vda", bus="virtio"), []),
    "qcow2": (disk("vda", "virtio"), []),
    "a LUN": (block("sda", "scsi", kind="lun"), []),
}


@pytest.mark.parametrize("case", DRIVES)
def test_what_may_hold_orders_for_cloud_init(case: str) -> None:
    devices, expected = DRIVES[case]
    assert [tuple(drive) for drive in drives(domain(devices))] == expected


def attached(devices: str, *, read_only: bool = False, left_out: set[str] | None = None) -> list[ET.Element]:
    made = domain(devices).find("devices")
    assert made is not None
    attach_own_disks(made, read_only=read_only, left_out=left_out or set())
    return made.findall("disk")


@pytest.mark.parametrize("bus", ["virtio", "scsi", "usb"])
def test_a_shared_disk_is_attached_read_only(bus: str) -> None:
    """H10."""
    shared, own = attached(disk("sda", bus, more=SHAREABLE) + disk("sdb", bus))
    assert shared.find("readonly") is not None
    assert shared.find("shareable") is not None
    assert own.find("readonly") is None
    facts = disk_facts(domain(disk("sda", bus, more=SHAREABLE) + disk("sdb", bus)))
    assert (facts["shared_disks"], facts["shared_writable"]) == (("sda",), ())


@pytest.mark.parametrize("devices", [disk("sda", "sata", more=SHAREABLE), SERVED.format(more=SHAREABLE)])
def test_a_shared_disk_that_stays_writable_is_a_reason_to_refuse(devices: str) -> None:
    assert len(disk_facts(domain(devices))["shared_writable"]) == 1


def test_shared_disks_are_told() -> None:
    found = libvirt_xml.disks(domain(disk("vda", "virtio") + disk("vdb", "virtio", more=SHAREABLE)))
    assert [one["shared"] for one in found] == [False, True]


def test_a_disk_that_another_process_serves_gets_no_serial_number() -> None:
    """Libvirt refuses a definition with one, and it was the bus that was blamed."""
    [served] = attached(SERVED.format(more=""))
    assert served.find("serial") is None
    assert disk_facts(domain(SERVED.format(more="")))["not_read_only"] == ("vdb",)


def test_transient_disks_are_told() -> None:
    """H25."""
    assert disk_facts(domain(disk("vda", "virtio", more="<transient/>")))["transient_disks"] == ("vda",)


def test_what_is_left_out_is_known_by_its_target() -> None:
    same = disk("hdc", "ide", kind="cdrom", path="/i", form="raw") + disk("vda", "virtio", path="/i", form="raw")
    assert [libvirt_xml.disk_target(one) for one in attached(same, left_out={"hdc"})] == ["vda"]
