# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""Guests as domains of the lab's libvirt. Through virsh, so that the lab needs no Python package."""

from __future__ import annotations

import base64
import dataclasses
import json
import pathlib
import re
import time
import typing as t
from xml.sax.saxutils import quoteattr

from . import daemon
from .base import LabError, run, state_dir, wait_until

DOMAIN = """\
<domain type='qemu'>
  <name>{name}</name>
  <memory unit='MiB'>{memory}</memory>
  <vcpu>1</vcpu>
  <os{firmware}>
    <type arch='x86_64' machine='{machine}'>hvm</type>
    {boot}
    {screen}{secure}
  </os>
  <features><acpi/></features>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    {disks}
    {interface}
    <serial type='pty'><log file={console} append='off'/></serial>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <video><model type='none'/></video>
    <memballoon model='none'/>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
  </devices>
</domain>
"""
#: by itself libvirt chooses the firmware that runs what is signed only
UNSIGNED = "<firmware><feature enabled='no' name='secure-boot'/></firmware>"

#: each question to a guest's agent is a process here and a wake-up there, and the guest may have no KVM
SLOWER = 1.25


@dataclasses.dataclass(frozen=True)
class Shape:
    """How a domain differs from the lab's usual one."""

    memory: int = 512
    machine: str = "pc"
    firmware: str = "bios"
    bus: str = "virtio"
    #: the serial number of its first disk
    serial: str = ""
    network: bool = False
    #: the seed that server_rescue makes for a rescue system, and a CD of the server itself
    seed: pathlib.Path | None = None
    cdrom: pathlib.Path | None = None
    kernel: pathlib.Path | None = None
    initrd: pathlib.Path | None = None
    cmdline: str = ""
    #: UEFI without Secure Boot, for loaders that nobody signed
    unsigned: bool = False


class Domain:
    """One domain, by name; it need not exist yet."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.console = state_dir() / "console" / f"{name}.log"

    def define(self, *disks: pathlib.Path, shape: Shape = Shape()) -> Domain:
        """(Re)define it with these disks, the first of which it boots."""
        self.undefine()
        xml = domain_xml(self.name, disks, console=self.console, shape=shape)
        run("virsh", "-q", "-c", daemon.uri(), "define", "/dev/stdin", input=xml)
        return self

    def virsh(self, command: str, *arguments: str) -> str:
        """Run one virsh command on it."""
        return run("virsh", "-q", "-c", daemon.uri(), command, self.name, *arguments)

    def state(self) -> str:
        """virsh's word for its state, such as `running` or `shut off`."""
        return self.virsh("domstate").strip()

    def exists(self) -> bool:
        """Whether libvirt knows it."""
        return self.name in run("virsh", "-q", "-c", daemon.uri(), "list", "--all", "--name").split()

    def start(self) -> Domain:
        """Switch it on."""
        self.console.unlink(missing_ok=True)
        self.virsh("start")
        return self

    def agent(self, command: str, timeout: int = 5, **arguments: t.Any) -> t.Any:
        """The answer of its guest agent to one command."""
        request = json.dumps({"execute": command, **({"arguments": arguments} if arguments else {})})
        return json.loads(self.virsh("qemu-agent-command", request, "--timeout", str(timeout)))["return"]

    def agent_answers(self) -> bool:
        """Whether the guest agent answers now."""
        try:
            return bool(self.agent("guest-ping") == {})
        except LabError:
            return False

    def wait_agent(self, timeout: float = 120, slower: float = SLOWER) -> float:
        """Wait for the guest agent; the seconds that it took, to a third of a second where slower is 1."""
        started = time.monotonic()
        self._wait("its guest agent answers", self.agent_answers, timeout=timeout, slower=slower)
        return time.monotonic() - started

    def wait_for_console(self, pattern: str, timeout: float = 120) -> re.Match[str]:
        """Wait until the console shows the pattern; the match."""
        found = self._wait(
            f"its console shows {pattern!r}", lambda: re.search(pattern, self.console_text()), timeout=timeout
        )
        return t.cast("re.Match[str]", found)

    def console_text(self) -> str:
        """All that the console said since the start."""
        return self.console.read_text(encoding="utf-8", errors="replace") if self.console.exists() else ""

    def execute(self, *command: str, input: str = "", timeout: float = 60) -> str:
        """Run a command inside the guest by its agent; stdout, or a LabError with what it said."""
        given: dict[str, t.Any] = {
            "capture-output": True,
            "input-data": base64.b64encode(input.encode()).decode("ascii"),
        }
        # A machine that does other things too may take seconds for an answer.
        job = self.agent("guest-exec", 60, path=command[0], arg=list(command[1:]), **given)

        def ended() -> dict[str, t.Any] | None:
            status = self.agent("guest-exec-status", 60, pid=job["pid"])
            return status if status["exited"] else None

        status = wait_until(f"'{' '.join(command)}' ends in {self.name}", ended, timeout=timeout, slower=SLOWER)
        said = {
            key: base64.b64decode(status.get(key, "")).decode("utf-8", "replace") for key in ("out-data", "err-data")
        }
        if status.get("exitcode") != 0:
            how = {key: value for key, value in status.items() if key in ("exitcode", "signal")}
            raise LabError(f"in {self.name}, '{' '.join(command)[:300]}' ended with {how}: {said['err-data']}")
        return said["out-data"]

    def shutdown(self, timeout: float = 60) -> None:
        """Ask the guest to stop and wait until it has."""
        if self.state() == "running":
            self.virsh("shutdown", *(("--mode", "agent") if self.agent_answers() else ()))
            self._wait("it stops", lambda: self.state() == "shut off", timeout=timeout)

    def destroy(self) -> None:
        """Switch it off at once, if it runs."""
        if self.exists() and self.state() != "shut off":
            self.virsh("destroy")

    def undefine(self) -> None:
        """Forget it, running or not, known or not."""
        self.destroy()
        if self.exists():
            self.virsh("undefine", "--nvram", "--managed-save", "--snapshots-metadata")

    def nvram(self) -> pathlib.Path:
        """The file of its firmware's variables, of a UEFI guest that runs: libvirt makes it at the first start."""
        found = re.search(r"<nvram[^>]*>/var/lib/libvirt/([^<]+)</nvram>", self.virsh("dumpxml"))
        if not found:
            raise LabError(f"{self.name} has no NVRAM among libvirt's own files")
        return state_dir() / "lib" / found[1]

    def plug(self, disk: pathlib.Path, target: str) -> None:
        """Attach a raw disk to the running guest, as `/dev/<target>` or whatever the guest calls it."""
        self.virsh("attach-disk", str(disk), target, "--subdriver", image_format(disk), "--live")

    def unplug(self, target: str, timeout: float = 30) -> None:
        """Detach a disk and wait until the guest has let it go."""
        self.virsh("detach-disk", target, "--live")
        self._wait(f"{target} is gone", lambda: target not in self.virsh("domblklist").split(), timeout=timeout)

    def _wait(self, what: str, condition: t.Callable[[], t.Any], *, timeout: float, slower: float = 1.0) -> t.Any:
        try:
            return wait_until(f"{self.name}: {what}", condition, timeout=timeout, interval=0.3, slower=slower)
        except LabError as error:
            raise LabError(f"{error}\nits console ends with:\n{self.console_text()[-1500:]}") from error


def image_format(disk: pathlib.Path) -> str:
    """The format by the file's name; never probed, since a raw disk can pretend to be something else."""
    return "qcow2" if disk.suffix == ".qcow2" else "raw"


def domain_xml(name: str, disks: t.Sequence[pathlib.Path], *, console: pathlib.Path, shape: Shape) -> str:
    """The definition of a domain."""
    prefix = "vd" if shape.bus == "virtio" else "sd"
    boot = "<boot dev='hd'/>"
    if shape.kernel and shape.initrd:
        boot = f"<kernel>{shape.kernel}</kernel><initrd>{shape.initrd}</initrd><cmdline>{shape.cmdline}</cmdline>"
    disk_xml = [
        f"<disk type='file' device='disk'><driver name='qemu' type='{image_format(disk)}' discard='unmap'/>"
        f"<source file={quoteattr(str(disk))}/>"
        f"<target dev='{prefix}{chr(ord('a') + number)}' bus='{shape.bus}'/>"
        f"{f'<serial>{shape.serial}</serial>' if shape.serial and not number else ''}</disk>"
        for number, disk in enumerate(disks)
    ]
    cds = ((shape.cdrom, "sdy", ""), (shape.seed, "sdz", "<serial>openrescue-seed</serial>"))
    disk_xml += [
        f"<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><source file={quoteattr(str(path))}/>"
        f"<target dev='{target}' bus='sata'/><readonly/>{serial}</disk>"
        for path, target, serial in cds
        if path
    ]
    if shape.bus == "usb":
        # Nobody waits for the disk of a USB 1 controller, which libvirt gives by itself.
        disk_xml.append("<controller type='usb' model='qemu-xhci'/>")
    return DOMAIN.format(
        name=name,
        memory=shape.memory,
        machine=shape.machine,
        firmware=" firmware='efi'" if shape.firmware == "efi" else "",
        boot=boot,
        # What a boot loader writes to the screen is seen on the serial console: there is no other screen.
        screen="<bios useserial='yes'/>" if shape.firmware == "bios" else "",
        secure=UNSIGNED if shape.firmware == "efi" and shape.unsigned else "",
        disks="\n    ".join(disk_xml),
        interface="<interface type='user'><model type='virtio'/></interface>" if shape.network else "",
        console=quoteattr(str(console)),
    )
