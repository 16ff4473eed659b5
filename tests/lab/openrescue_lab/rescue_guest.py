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

from .base import REPOSITORY, LabError, wait_until
from .domain import Domain, Shape
from .rescue import RescueImage

PACKED = "/run/openrescue-test.zip"
UNPACKED = "/run/openrescue-test"
#: what a module finds as its arguments: as ansible-core hands them over, without its connection and its shell
RUNNER = """\
import json, runpy, sys
from ansible.module_utils import basic
name, arguments = sys.argv[1], sys.stdin.buffer.read()
basic._ANSIBLE_ARGS, basic._ANSIBLE_PROFILE = arguments, "legacy"
runpy.run_module(f"ansible_collections.openrescue.server.plugins.modules.{name}", run_name="__main__")
"""


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
    def start(cls, name: str, image: RescueImage, directory: pathlib.Path) -> RescueGuest:
        shape = Shape(memory=1024, kernel=image.kernel, initrd=image.initrd, cmdline=image.cmdline)
        guest = cls(Domain(name).define(image.layer(directory / "rescue.qcow2"), shape=shape).start())
        guest.domain.wait_agent()
        guest.write(PACKED, payload())
        guest.domain.execute("/usr/bin/python3", "-m", "zipfile", "-e", PACKED, UNPACKED, timeout=300)
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

        packed: as one archive, whose sources Python compiles at every run: so Ansible sends it, and so it takes longer.
        """
        given = {**arguments, "_ansible_check_mode": check, "_ansible_diff": True}
        text = json.dumps({"ANSIBLE_MODULE_ARGS": given}).encode()
        job = self.domain.agent(
            "guest-exec",
            timeout=60,
            path="/usr/bin/python3",
            arg=[PACKED if packed else UNPACKED, name],
            **{"capture-output": True, "input-data": base64.b64encode(text).decode("ascii")},
        )

        def ended() -> dict[str, t.Any] | None:
            status: dict[str, t.Any] = self.domain.agent("guest-exec-status", timeout=60, pid=job["pid"])
            return status if status["exited"] else None

        status = wait_until(f"{name} ends", ended, timeout=timeout, interval=0.3)
        said = {
            key: base64.b64decode(status.get(key, "")).decode("utf-8", "replace") for key in ("out-data", "err-data")
        }
        try:
            result: dict[str, t.Any] = json.loads(said["out-data"])
        except ValueError as error:
            raise LabError(f"{name} returned no result: {said['out-data']}{said['err-data']}") from error
        return result
