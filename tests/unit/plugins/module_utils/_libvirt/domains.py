# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Definitions of domains, and of what a rescue makes of them."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from ansible_collections.openrescue.server.plugins.module_utils._libvirt.model import LibvirtMarker

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
MARKER = LibvirtMarker(
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
