# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t
import xml.etree.ElementTree as ET

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._libvirt import xml as libvirt_xml
from ansible_collections.openrescue.server.plugins.module_utils._libvirt.rescue_xml import (
    RescueDisk,
    default_bus,
    has_nvram,
    readiness,
    rescue_domain,
    seed_bus,
)

from .domains import DOMAINS, MARKER, OVMF, disk, domain


def rescued(
    name: str, *, disk: RescueDisk | None = None, left_out: t.Container[str] = (), **marker: t.Any
) -> ET.Element:
    original = DOMAINS[name]
    mark = dataclasses.replace(MARKER, nvram=MARKER.nvram if has_nvram(original) else "")
    mark = dataclasses.replace(mark, **marker)
    how = disk or RescueDisk(path=mark.layer, format="qcow2", device="disk", bus=default_bus(original, device="disk"))
    element = libvirt_xml.live_marker_element(mark)
    return ET.fromstring(rescue_domain(original, mark, how, live_marker=element, left_out=left_out))


def parts(domain: ET.Element, *names: str) -> list[dict[str, t.Any]]:
    """Of each disk of the patient's, what must not change."""
    found = []
    for one in domain.findall("devices/disk"):
        if not (one.findtext("serial") or "").startswith(("openrescue-rescue", "openrescue-seed")):
            found.append({name: None if one.find(name) is None else one.find(name).attrib for name in names})
    return found


@pytest.mark.parametrize("name", DOMAINS)
def test_the_patient_keeps_its_places(name: str) -> None:
    before = ET.tostring(DOMAINS[name])
    after = rescued(name)
    kept = ("target", "address", "alias", "source", "driver")
    assert parts(after, *kept) == parts(DOMAINS[name], *kept)
    assert ET.tostring(DOMAINS[name]) == before, "the original was changed in place"
    assert (after.findtext("name"), after.findtext("uuid")) == ("web1", "5d8f2c1e-0000-4000-8000-000000000001")
    assert after.find("{http://libvirt.org/schemas/domain/qemu/1.0}commandline") is not None


@pytest.mark.parametrize("name", DOMAINS)
def test_only_the_rescue_disk_boots(name: str) -> None:
    after = rescued(name)
    booting = [device for device in after.find("devices") or [] if device.find("boot") is not None]
    assert [device.findtext("serial") for device in booting] == ["openrescue-rescue"]
    assert [after.find(f"os/{part}") for part in ("boot", "bootmenu", "kernel", "initrd", "cmdline")] == [None] * 5
    ends = [after.findtext(part) for part in ("on_poweroff", "on_reboot", "on_crash")]
    assert ends == ["destroy", "restart", "destroy"]


@pytest.mark.parametrize("name", DOMAINS)
def test_every_disk_can_be_told_from_the_others(name: str) -> None:
    after = rescued(name)
    targets = [target.get("dev") for target in after.findall("devices/disk/target")]
    assert len(set(targets)) == len(targets)
    serials = [disk["serial"] for disk in libvirt_xml.disks(after) if disk["kind"] == "disk"]
    assert None not in serials
    assert len(set(serials)) == len(serials)
    assert all(len(serial) <= 20 for serial in serials)


@pytest.mark.parametrize("name", DOMAINS)
def test_agent_channel_and_console_log(name: str) -> None:
    after = rescued(name)
    names = [target.get("name") for target in after.findall("devices/channel/target")]
    assert names == ["org.qemu.guest_agent.0"]
    logs = [log.get("file") for log in after.findall("devices/serial/log")]
    assert logs == [MARKER.log]
    assert not [port for port in after.findall("devices/serial") if port.get("type") == "file"]
    assert after.findall("devices/console") == []


@pytest.mark.parametrize(
    ("name", "nvram"),
    [("bios", None), ("uefi", MARKER.nvram), ("efi chosen by libvirt", MARKER.nvram)],
)
def test_nvram_of_its_own(name: str, nvram: str | None) -> None:
    assert rescued(name).findtext("os/nvram") == nvram


@pytest.mark.parametrize("name", DOMAINS)
def test_read_only(name: str) -> None:
    after = rescued(name, disk_access="read_only")
    assert all(disk["read_only"] for disk in libvirt_xml.disks(after) if disk["serial"] != "openrescue-rescue")
    assert not next(disk for disk in libvirt_xml.disks(after) if disk["serial"] == "openrescue-rescue")["read_only"]


def test_kernel_of_the_rescue_system() -> None:
    how = RescueDisk("/l", "qcow2", "disk", "virtio", kernel="/rk", ramdisk="/ri", cmdline="root=LABEL=rescue")
    after = rescued("direct kernel", disk=how)
    assert [after.findtext(f"os/{part}") for part in ("kernel", "initrd", "cmdline")] == [
        "/rk",
        "/ri",
        "root=LABEL=rescue",
    ]


def test_what_is_left_out_is_not_attached() -> None:
    after = rescued("ide", left_out={"hdc"})
    assert "/images/hdc.qcow2" not in [disk["source"] for disk in libvirt_xml.disks(after)]


BUSES = {
    "bios": ("virtio", "ide"),
    "uefi": ("virtio", "sata"),
    "efi chosen by libvirt": ("sata", "sata"),
    "scsi": ("scsi", "ide"),
    "ide": ("ide", "ide"),
    "lun": ("scsi", "ide"),
}


@pytest.mark.parametrize("name", BUSES)
def test_buses(name: str) -> None:
    assert (default_bus(DOMAINS[name], device="disk"), seed_bus(DOMAINS[name])) == BUSES[name]


def test_bus_follows_the_boot_order_and_what_is_full() -> None:
    two = domain(disk("vda", "virtio") + disk("sda", "scsi", more="<boot order='1'/>"))
    assert default_bus(two, device="disk") == "scsi"
    full = domain("".join(disk(f"hd{letter}", "ide") for letter in "abcd"))
    assert (default_bus(full, device="disk"), seed_bus(full)) == ("virtio", "scsi")
    assert default_bus(domain(""), device="disk") in ("ide", "virtio")
    assert seed_bus(domain("", machine="virt-7.2")) == "scsi"


def test_readiness() -> None:
    nova = "<metadata><n:instance xmlns:n='http://openstack.org/xmlns/libvirt/nova/1.1'/></metadata>"
    more = "<tpm model='tpm-crb'/><hostdev mode='subsystem' type='pci'/>"
    found = readiness(domain(disk("hda", "ide") + more, os=OVMF.format(".ms"), metadata=nova))
    assert found == {
        "owned_by_nova": True,
        "not_read_only": ("hda",),
        "shared_disks": (),
        "shared_writable": (),
        "transient_disks": (),
        "tpm": True,
        "host_devices": 1,
        "secure_boot": True,
    }
    plain = readiness(DOMAINS["bios"])
    assert not any(plain.values())
