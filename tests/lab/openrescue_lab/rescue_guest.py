# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""One running rescue system, disks plugged into it, and the disk modules run inside it."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import pathlib
import string
import typing as t
import zipfile

from .base import REPOSITORY, LabError
from .domain import Domain, Shape
from .rescue import RescueImage

PACKED = "/run/openrescue-test.zip"
UNPACKED = "/run/openrescue-test"
#: a process that has imported everything waits here for modules to run: most of their time would be the start of Python
READY, LOG = "/run/openrescue-test.ready", "/run/openrescue-test.log"
PORT = 4749
RUNNER = f"""\
import importlib, json, os, pkgutil, runpy, signal, socket, sys
from ansible.module_utils import basic

PLUGINS = "ansible_collections.openrescue.server.plugins"


def run(name, arguments):
    # As ansible-core hands them over, without its connection and its shell.
    basic._ANSIBLE_ARGS, basic._ANSIBLE_PROFILE = arguments, "legacy"
    runpy.run_module(f"{{PLUGINS}}.modules.{{name}}", run_name="__main__")


def serve():
    for package in ("_patient", "_faults", "_formats"):
        found = importlib.import_module(f"{{PLUGINS}}.module_utils.{{package}}")
        for module in pkgutil.walk_packages(found.__path__, found.__name__ + "."):
            importlib.import_module(module.name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.create_server(("127.0.0.1", {PORT})) as waiting:
        open("{READY}", "w").close()
        while True:
            caller, _address = waiting.accept()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                os.setsid()
                asked = json.loads(caller.makefile("rb").readline())
                os.dup2(caller.fileno(), 1)
                waiting.close()
                caller.close()
                exec(asked["before"], {{}})
                run(asked["name"], asked["arguments"].encode())
            caller.close()


if sys.argv[1:] == ["serve"]:
    serve()
else:
    run(sys.argv[1], sys.stdin.buffer.read())
"""
#: hands the line on its input to that process, and its answer on
CALL = f"exec 3<>/dev/tcp/127.0.0.1/{PORT}; cat >&3; cat <&3"


def payload() -> bytes:
    """The collection and what it needs of ansible-core, as one file that Python runs."""
    # The lab's own command runs without ansible-core.
    import ansible.module_utils

    core = pathlib.Path(ansible.module_utils.__file__).parent
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("__main__.py", RUNNER)
        archive.writestr("ansible/__init__.py", "")
        archive.write(core.parent / "release.py", "ansible/release.py")
        trees = {core: "ansible/module_utils", REPOSITORY / "plugins": "ansible_collections/openrescue/server/plugins"}
        names = {
            f"{target}/{path.relative_to(tree)}": path for tree, target in trees.items() for path in tree.rglob("*.py")
        }
        for name, path in sorted(names.items()):
            archive.write(path, name)
        folders = {str(folder) for name in names for folder in pathlib.PurePath(name).parents} - {".", "ansible"}
        for package in sorted(folders):
            if f"{package}/__init__.py" not in names:
                archive.writestr(f"{package}/__init__.py", "")
    return packed.getvalue()


@dataclasses.dataclass
class RescueGuest:
    """A rescue system that stays up for many patients."""

    domain: Domain

    @classmethod
    def start(cls, name: str, image: RescueImage, directory: pathlib.Path, *, as_shipped: bool = False) -> RescueGuest:
        """Start it on a layer in that directory, and put the collection into it.

        as_shipped: with the image's own kernel parameters and no other, for what is measured.
        """
        # An emulator keeps the code that it has translated, for the next process too if that has the same addresses:
        # short programs take a third of the time.
        cmdline = image.cmdline if as_shipped else f"{image.cmdline} norandmaps"
        shape = Shape(memory=1024, kernel=image.kernel, initrd=image.initrd, cmdline=cmdline)
        guest = cls(Domain(name).define(image.layer(directory / "rescue.qcow2"), shape=shape).start())
        guest.domain.wait_agent()
        guest.write(PACKED, payload())
        guest.domain.execute("/usr/bin/python3", "-m", "zipfile", "-e", PACKED, UNPACKED, timeout=300)
        guest.shell(f"setsid /usr/bin/python3 {UNPACKED} serve > {LOG} 2>&1 < /dev/null &")
        guest.shell(f"for i in $(seq 600); do test -e {READY} && exit; sleep 0.1; done; cat {LOG} >&2; exit 1")
        return guest

    def write(self, path: str, data: bytes) -> None:
        handle = self.domain.agent("guest-file-open", path=path, mode="w")
        # One argument of a command holds 128 KiB.
        for start in range(0, len(data), 1 << 16):
            piece: dict[str, t.Any] = {"buf-b64": base64.b64encode(data[start : start + (1 << 16)]).decode("ascii")}
            self.domain.agent("guest-file-write", handle=handle, **piece)
        self.domain.agent("guest-file-close", handle=handle)

    def plug(self, *disks: pathlib.Path, targets: t.Sequence[str] = ()) -> list[str]:
        """Attach the disks of a patient, each under the first free letter, as the kernel names it too; their devices.

        targets: the letters to take (`vdc`), which must be the next free ones for the kernel to agree.
        """
        plugged = []
        for number, disk in enumerate(disks):
            target = targets[number] if targets else self._free_target()
            self.domain.plug(disk, target)
            plugged.append(f"/dev/{target}")
        self.domain.execute("/usr/bin/udevadm", "wait", "--timeout=60", *plugged, timeout=90)
        self.domain.execute("/usr/bin/udevadm", "settle", timeout=60)
        return plugged

    def unplug(self, *targets: str) -> None:
        """Detach these disks (`vdb`), or all but the rescue system's own; the last letter first."""
        for target in sorted(targets or self.plugged(), reverse=True):
            self.domain.unplug(target)

    def plugged(self) -> list[str]:
        """The targets of the disks that are not the rescue system's own, as `vdb`."""
        listed = [line.split()[0] for line in self.domain.virsh("domblklist").splitlines() if line.split()]
        return sorted(target for target in listed if target not in ("vda", "Target"))

    def _free_target(self) -> str:
        taken = self.plugged()
        return next(f"vd{letter}" for letter in string.ascii_lowercase[1:] if f"vd{letter}" not in taken)

    def shell(self, script: str, *, timeout: float = 300) -> str:
        """What a shell script says, run inside as root; a LabError with its stderr where it fails."""
        return self.domain.execute("/bin/sh", "-c", script, timeout=timeout)

    def module(
        self, name: str, *, check: bool = False, packed: bool = False, timeout: float = 600, **arguments: t.Any
    ) -> dict[str, t.Any]:
        """What a module of the collection returns, run with these arguments inside the rescue system.

        packed: by a Python of its own, from an archive whose sources it compiles: as Ansible sends it, and slower.
        """
        given = {**arguments, "_ansible_check_mode": check, "_ansible_diff": True}
        if packed:
            text = json.dumps({"ANSIBLE_MODULE_ARGS": given})
            said = self.domain.execute("/usr/bin/python3", PACKED, name, input=text, timeout=timeout)
        else:
            said = self.said(name, given, timeout=timeout)
        try:
            result: dict[str, t.Any] = json.loads(said)
        except ValueError as error:
            raise LabError(f"{name} returned no result: {said}{self.shell(f'tail -c 10000 {LOG}')}") from error
        return result

    def said(self, name: str, arguments: dict[str, t.Any], *, before: str = "", timeout: float = 600) -> str:
        """What a module printed, in whose process this Python source ran before it."""
        text = json.dumps({"ANSIBLE_MODULE_ARGS": arguments})
        asked = json.dumps({"name": name, "arguments": text, "before": before})
        return self.domain.execute("/bin/bash", "-c", CALL, input=f"{asked}\n", timeout=timeout)
