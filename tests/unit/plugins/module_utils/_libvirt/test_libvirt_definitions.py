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
from ansible_collections.openrescue.server.plugins.module_utils._libvirt.seed import is_config_drive, seed_image
from ansible_collections.openrescue.server.plugins.module_utils._server.marker import Marker

DOMAIN = """<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>web1</name><uuid>5d8f2c1e-0000-4000-8000-000000000001</uuid>{metadata}
  <os{efi}><type arch='x86_64' machine='{machine}'>hvm</type>{os}</os>
  <on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot><on_crash>preserve</on_crash>
  <devices>{devices}</devices>
  <qemu:commandline><qemu:arg value='-global'/></qemu:commandline>
</domain>"""
DISK = """<disk type='file' device='{kind}'><driver name='qemu' type='{form}' cache='none'/><source file='{path}'/>
<target dev='{dev}' bus='{bus}'/>{more}</disk>"""


def disk(dev: str, bus: str, *, path: str = "", kind: str = "disk", form: str = "qcow2", more: str = "") -> str:
    return DISK.format(dev=dev, bus=bus, path=path or f"/images/{dev}.qcow2", kind=kind, form=form, more=more)


PCI = "<address type='pci' domain='0x0000' bus='0x00' slot='0x07' function='0x0'/>"
DRIVE = "<address type='drive' controller='0' bus='0' target='0' unit='{0}'/>"
AGENT = "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0' state='{0}'/></channel>"
OVMF = """<loader readonly='yes' type='pflash'>/ovmf/CODE.fd</loader>
<nvram template='/ovmf/VARS{0}.fd'>/nvram/web1.fd</nvram>"""


def domain(
    devices: str, *, machine: str = "pc-i440fx-7.2", os: str = "", efi: str = "", metadata: str = ""
) -> ET.Element:
    return ET.fromstring(DOMAIN.format(devices=devices, machine=machine, os=os, efi=efi, metadata=metadata))


DOMAINS = {
    "bios": domain(disk("vda", "virtio", more=PCI), os="<boot dev='hd'/><bootmenu enable='yes' timeout='3000'/>"),
    "boot order": domain(
        disk("vda", "virtio", more=f"<boot order='2'/>{PCI}")
        + "<interface type='network'><source network='n'/><boot order='1'/></interface>"
    ),
    "uefi": domain(disk("vda", "virtio"), machine="pc-q35-7.2", os=OVMF.format("") + "<boot dev='hd'/>"),
    "efi chosen by libvirt": domain(disk("sda", "sata"), machine="pc-q35-7.2", efi=" firmware='efi'"),
    "scsi": domain(
        "<controller type='scsi' index='0' model='virtio-scsi'/>"
        + disk("sda", "scsi", more=f"<serial>S1</serial><alias name='ua-root'/>{DRIVE.format(0)}")
        + disk("sdb", "scsi", more=DRIVE.format(4))
    ),
    "ide": domain(disk("hda", "ide") + disk("hdc", "ide", kind="cdrom", form="raw", more="<readonly/>")),
    "direct kernel": domain(
        disk("vda", "virtio"), os="<kernel>/k</kernel><initrd>/i</initrd><cmdline>root=/dev/vda</cmdline>"
    ),
    "agent": domain(disk("vda", "virtio") + AGENT.format("connected")),
    "console log": domain(
        disk("vda", "virtio")
        + "<serial type='file'><source path='/log/web1'/><target type='isa-serial' port='0'/></serial>"
        + "<console type='file'><source path='/log/web1'/><target type='serial' port='0'/></console>"
    ),
    "kept log": domain(disk("vda", "virtio") + "<serial type='pty'><log file='/log/web1' append='off'/></serial>"),
    "lun": domain(disk("sda", "scsi", kind="lun", form="raw", path="/dev/sdx")),
    "metadata": domain(disk("vda", "virtio"), metadata="<metadata><a:b xmlns:a='http://a'>c</a:b></metadata>"),
}
MARKER = Marker(
    id="1",
    phase="create_disks",
    image="/i",
    since="now",
    power="running",
    autostart=False,
    definition="d",
    layer="/images/openrescue-l.qcow2",
    seed="/images/openrescue-s.iso",
    nvram="/images/openrescue-n.fd",
    log="/images/openrescue-c.log",
)


def rescued(name: str, *, disk: RescueDisk | None = None, seeds: t.Container[str] = (), **marker: t.Any) -> ET.Element:
    original = DOMAINS[name]
    mark = dataclasses.replace(MARKER, nvram=MARKER.nvram if has_nvram(original) else "")
    mark = dataclasses.replace(mark, **marker)
    how = disk or RescueDisk(path=mark.layer, format="qcow2", device="disk", bus=default_bus(original, device="disk"))
    element = libvirt_xml.live_marker_element(mark)
    return ET.fromstring(rescue_domain(original, mark, how, live_marker=element, seeds=seeds))


def parts(domain: ET.Element, *names: str) -> list[dict[str, t.Any]]:
    """Of each disk of the patient's, what must not change."""
    found = []
    for disk in domain.findall("devices/disk"):
        if not (disk.findtext("serial") or "").startswith(("openrescue-rescue", "openrescue-seed")):
            found.append({name: None if disk.find(name) is None else disk.find(name).attrib for name in names})
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


def test_own_seeds_are_left_out() -> None:
    after = rescued("ide", seeds={"/images/hdc.qcow2"})
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


def test_marker_in_a_definition() -> None:
    bare = domain(disk("vda", "virtio"))
    wrapped = libvirt_xml.marker_to_metadata(MARKER)
    assert libvirt_xml.marker_from_metadata(wrapped) == MARKER
    after = rescued("bios")
    assert libvirt_xml.marker_in(after) is None
    assert libvirt_xml.marker_in(after, live=True) == MARKER.__class__.from_flat({**MARKER.to_flat(), "nvram": ""})
    assert libvirt_xml.marker_in(bare, live=True) is None


def test_the_hash_is_blind_for_the_marker_alone() -> None:
    plain = ET.tostring(domain(disk("vda", "virtio")), encoding="unicode")
    element = f"<o:rescue xmlns:o='{libvirt_xml.NAMESPACE}' version='1'/>"
    marked = ET.tostring(domain(disk("vda", "virtio"), metadata=f"<metadata>{element}</metadata>"), encoding="unicode")
    other = ET.tostring(domain(disk("vdb", "virtio")), encoding="unicode")
    kept = ET.tostring(
        domain(disk("vda", "virtio"), metadata="<metadata><a:b xmlns:a='http://a'/></metadata>"), encoding="unicode"
    )
    assert libvirt_xml.definition_hash(marked) == libvirt_xml.definition_hash(plain)
    assert len({libvirt_xml.definition_hash(text) for text in (plain, other, kept)}) == 3


FOREIGN = {
    "the same": (disk("vda", "virtio"), "", False),
    "one more disk, plugged in": (disk("vda", "virtio") + disk("vdb", "virtio"), "", False),
    "another root": (disk("vda", "virtio", path="/install.iso"), "", True),
    "another kernel": (disk("vda", "virtio"), "<kernel>/install</kernel>", True),
    "no disk of its own": (disk("vdz", "virtio"), "", True),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_started_from_another_definition(case: str) -> None:
    devices, system, foreign = FOREIGN[case]
    persistent = domain(disk("vda", "virtio"))
    assert libvirt_xml.is_foreign(domain(devices, os=system), persistent) is foreign


def test_readiness() -> None:
    nova = "<metadata><n:instance xmlns:n='http://openstack.org/xmlns/libvirt/nova/1.1'/></metadata>"
    more = "<tpm model='tpm-crb'/><hostdev mode='subsystem' type='pci'/>"
    found = readiness(domain(disk("hda", "ide") + more, os=OVMF.format(".ms"), metadata=nova))
    assert found == {
        "owned_by_nova": True,
        "not_read_only": ("hda",),
        "tpm": True,
        "host_devices": 1,
        "secure_boot": True,
    }
    plain = readiness(DOMAINS["bios"])
    assert not any(plain.values())


@pytest.mark.parametrize(
    ("devices", "active", "state"),
    [
        ("", True, "none"),
        (AGENT.format("connected"), True, "connected"),
        (AGENT.format("connected"), False, "disconnected"),
        (AGENT.format("disconnected"), True, "disconnected"),
    ],
)
def test_agent_state(devices: str, *, active: bool, state: str) -> None:
    assert libvirt_xml.agent_state(domain(devices), active=active) == state


def test_seed() -> None:
    image = seed_image(
        instance_id="openrescue-1", hostname="rescue", keys=["ssh-ed25519 A"], user_data="#cloud-config\n"
    )
    assert is_config_drive(image[: 34 * 1024])
    for text in (b'"instance-id": "openrescue-1"', b"ssh-ed25519 A", b"#cloud-config\n"):
        assert text in image


@pytest.mark.parametrize(
    ("start", "is_one"),
    [
        (b"", False),
        (b"\0" * 40000, False),
        (b"\0" * 32808 + b"cidata" + b" " * 26, True),
        (b"\0" * 32808 + b"Debian 12" + b" " * 26, False),
        (b"\0" * 43 + b"CIDATA     ", True),
        (b"\0" * 71 + b"config-2   ", True),
    ],
)
def test_config_drives(start: bytes, *, is_one: bool) -> None:
    assert is_config_drive(start) is is_one
