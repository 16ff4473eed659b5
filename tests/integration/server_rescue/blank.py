# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Guests without a system: firmware on an empty disk. They start in a third of a second and have every state."""

from __future__ import annotations

import os
import pathlib
import subprocess
import typing as t
import uuid
import xml.etree.ElementTree as ET

import libvirt
from ansible_collections.openrescue.server.plugins.module_utils._libvirt import xml as libvirt_xml
from ansible_collections.openrescue.server.plugins.module_utils._libvirt.model import LibvirtMarker
from openrescue_lab import modules
from openrescue_lab.base import state_dir
from openrescue_lab.modules import Ended

SECRET = libvirt.VIR_DOMAIN_XML_SECURE | libvirt.VIR_DOMAIN_XML_INACTIVE

DOMAIN = """\
<domain type='qemu'>
  <name>{name}</name>{metadata}
  <memory unit='MiB'>64</memory>
  <vcpu>1</vcpu>
  <os{firmware}><type arch='x86_64' machine='{machine}'>hvm</type>{boot}</os>
  <features><acpi/></features>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>destroy</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    {disks}
    {devices}
    <graphics type='vnc' passwd='secret'><listen type='none'/></graphics>
    <memballoon model='none'/>
  </devices>
</domain>
"""
DISK = """\
<disk type='file' device='{kind}'><driver name='qemu' type='{form}'/><source file='{path}'/>\
<target dev='{target}' bus='{bus}'/>{more}</disk>"""

#: kills the module at one point of its run: before a step's effect or after it
KILLER = """\
import os, runpy, signal
from ansible_collections.openrescue.server.plugins.module_utils._libvirt.run import LibvirtRun
point, step = os.environ["KILL_AT"].split(":")
def die():
    os.kill(os.getpid(), signal.SIGKILL)
def dying(whole):
    def method(*words, **more):
        if point == "before":
            die()
        whole(*words, **more)
        die()
    return method
if step in ("claim", "finish"):
    name = {"claim": "_claim"}.get(step, step)
    setattr(LibvirtRun, name, dying(getattr(LibvirtRun, name)))
else:
    begin = LibvirtRun.__init__
    def patched(self, *words, **more):
        begin(self, *words, **more)
        self._steps[step] = dying(self._steps[step])
    LibvirtRun.__init__ = patched
runpy.run_module(os.environ["MODULE"], run_name="__main__")
"""


def logs() -> pathlib.Path:
    """What the lab's libvirt knows as /var/log/libvirt/qemu: it has mounts of its own."""
    return state_dir() / "log" / "qemu"


class Modules:
    """Runs modules on guests of the lab."""

    def __init__(self, uri: str, image: pathlib.Path) -> None:
        self.uri = uri
        self.image = image

    def start(self, module: str, *, kill_at: str = "", **params: t.Any) -> subprocess.Popen[str]:
        env = {**os.environ, "KILL_AT": kill_at}
        return modules.start(module, self._given(**params), env=env, program=KILLER if kill_at else "")

    def call(self, module: str, **params: t.Any) -> Ended:
        return modules.call(module, self._given(**params))

    def _given(self, *, check: bool = False, **params: t.Any) -> dict[str, t.Any]:
        common = {"provider": "libvirt", "libvirt_uri": self.uri, "_ansible_check_mode": check, "_ansible_diff": True}
        return {**common, **params}

    def rescue(self, server: t.Any, **params: t.Any) -> Ended:
        values = {"rescue_image": str(self.image), "shutdown_timeout": 0, **params}
        return self.call("server_rescue", server=server, state="rescued", **values)

    def unrescue(self, server: t.Any, **params: t.Any) -> Ended:
        return self.call("server_rescue", server=server, state="unrescued", **{"shutdown_timeout": 0, **params})

    def info(self, server: t.Any, **params: t.Any) -> Ended:
        return self.call("server_rescue_info", server=server, **params)


def make_image(path: pathlib.Path, *, form: str = "qcow2", size: str = "16M") -> pathlib.Path:
    subprocess.run(["qemu-img", "create", "-q", "-f", form, str(path), size], check=True)
    if form == "raw":
        # The least that something could boot from; no rescue system is booted from anything else.
        with path.open("r+b") as file:
            file.seek(510)
            file.write(b"\x55\xaa")
    return path


class Blank:
    """One guest without a system."""

    def __init__(self, connection: libvirt.virConnect, directory: pathlib.Path, *, name: str = "") -> None:
        self.connection = connection
        self.directory = directory
        self.name = name or f"provider-{uuid.uuid4().hex[:8]}"
        self.disk = directory / f"{self.name}.qcow2"
        self.domain: t.Any = None

    def define(
        self,
        *,
        machine: str = "pc",
        firmware: str = "",
        boot: str = "<boot dev='hd'/>",
        bus: str = "virtio",
        target: str = "vda",
        more: str = "",
        disks: str = "",
        devices: str = "",
        metadata: str = "",
    ) -> Blank:
        if not self.disk.exists():
            make_image(self.disk)
        root = DISK.format(kind="disk", form="qcow2", path=self.disk, target=target, bus=bus, more=more)
        self.domain = self.connection.defineXML(
            DOMAIN.format(
                name=self.name,
                machine=machine,
                firmware=firmware,
                boot=boot,
                disks=root + disks,
                devices=devices,
                metadata=metadata,
            )
        )
        return self

    def start(self) -> Blank:
        self.domain.create()
        return self

    @property
    def running(self) -> bool:
        return bool(self.domain.isActive())

    @property
    def run_id(self) -> int:
        """Another one after each start."""
        return int(self.domain.ID())

    def definition(self) -> str:
        return str(self.domain.XMLDesc(SECRET))

    def live(self) -> ET.Element:
        return ET.fromstring(self.domain.XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE))

    def marker(self) -> LibvirtMarker | None:
        return libvirt_xml.marker_in(ET.fromstring(self.definition()))

    def without_marker(self) -> str:
        """The definition to the letter, but for the marker and what it was put into."""
        lines = self.definition().splitlines(keepends=True)
        kept = [line for line in lines if "<openrescue:rescue " not in line]
        return "".join(kept).replace("  <metadata>\n  </metadata>\n", "")

    def rescued(self) -> bool:
        return self.running and libvirt_xml.marker_in(self.live(), live=True) is not None

    def files(self) -> list[str]:
        """What a rescue has left."""
        pattern = f"openrescue-{self.domain.UUIDString()}-*"
        return sorted(path.name for place in (self.directory, logs()) for path in place.glob(pattern))

    def remove(self) -> None:
        if self.domain is None:
            return
        if self.domain.isActive():
            self.domain.destroy()
        flags = libvirt.VIR_DOMAIN_UNDEFINE_NVRAM | libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
        self.domain.undefineFlags(flags | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)
