# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A patient of plain directories and made-up devices, for judging without a disk."""

# The fakes take what the real ones take.

from __future__ import annotations

import pathlib
import typing as t

from ansible_collections.openrescue.server.plugins.module_utils._patient.patient import Filesystem, Kernel, Patient
from ansible_collections.openrescue.server.plugins.module_utils._patient.tools import Completed, Tools
from ansible_collections.openrescue.server.plugins.module_utils._patient.tree.tree import Tree
from ansible_collections.openrescue.server.plugins.module_utils._patient.write.change import Change

BOOT = Filesystem("/dev/vdb2", "/dev/vdb2", "ext4", uuid="b007b007-0000-4000-8000-000000000001", mount_point="/boot")
ROOT = Filesystem("/dev/vdb3", "/dev/vdb3", "ext4", uuid="00700070-0000-4000-8000-000000000002", mount_point="/")


class FakeTools(Tools):
    """Answers from a table: the first entry whose words all stand in the command."""

    def __init__(self, answers: t.Mapping[tuple[str, ...], tuple[int, str]] | None = None) -> None:
        super().__init__()
        self.answers = dict(answers or {})
        self.asked: list[tuple[str, ...]] = []

    def has(self, name: str) -> bool:
        return any(name in words for words in self.answers)

    def run(
        self,
        argv: t.Sequence[str],
        *,
        timeout: float,
        ok: t.Container[int] = (0,),
        stdin: bytes | None = None,
    ) -> Completed:
        self.asked.append(tuple(argv))
        for words, (rc, stdout) in self.answers.items():
            if all(word in argv for word in words):
                assert rc in ok
                return Completed(tuple(argv), rc, stdout, "", 0.0)
        return Completed(tuple(argv), 1, "", "", 0.0)


class FakeTree(Tree):
    """Says nothing of the disk that the test runs on."""

    def usage(self, path: str, *, fstype: str) -> None:
        return None


class FakePatient(Patient):
    def __init__(self, root: pathlib.Path, *, tools: Tools | None = None) -> None:
        super().__init__(tools=tools or FakeTools())
        self.directory = root
        self.opened_tree = FakeTree(str(root))
        self.filesystems = (BOOT, ROOT)
        self.root, self.boot = ROOT, BOOT

    def find(self, spec: str) -> Filesystem | None:
        names = {f"UUID={item.uuid}": item for item in self.filesystems}
        names |= {item.device: item for item in self.filesystems}
        names |= {f"LABEL={item.label}": item for item in self.filesystems if item.label}
        return names.get(spec.replace('"', ""))

    def covering(self, path: str) -> Filesystem | None:
        mounted = [item for item in self.filesystems if item.mount_point]
        fitting = [item for item in mounted if path.startswith((item.mount_point or "").rstrip("/") + "/")]
        return max(fitting, key=lambda item: len(item.mount_point or ""), default=None)

    def put(self, path: str, data: str | bytes = b"") -> None:
        """Make a file of the patient."""
        place = self.directory / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data.encode() if isinstance(data, str) else data)
        self.drop_facts()

    def install_kernel(self, version: str = "6.1.0-1-amd64") -> Kernel:
        initramfs = f"/boot/initrd.img-{version}"
        kernel = Kernel(version, f"/boot/vmlinuz-{version}", None, initramfs, has_modules=True)
        self.put(kernel.vmlinuz, b"kernel")
        self.kernels = (kernel, *self.kernels)
        return kernel


class FakeChange(Change):
    """Writes into the directory at once and notes what was asked."""

    def __init__(self, patient: FakePatient, *, builds: bytes | None = None, codes: t.Sequence[int] = ()) -> None:
        self.patient, self.builds, self.codes = patient, builds, list(codes)
        self.done: list[tuple[str, ...]] = []

    def write(self, path: str, data: bytes, *, mode: int = 0o644) -> None:
        self.done.append(("write", path))
        self.patient.put(path, data)

    def move_out(self, path: str) -> None:
        self.done.append(("move_out", path))
        (self.patient.directory / path.lstrip("/")).unlink()

    def settle(self, path: str) -> None:
        self.done.append(("settle", path))

    def run_on_device(
        self, filesystem: Filesystem, argv: t.Sequence[str], *, timeout: float, ok: t.Container[int] = (0,)
    ) -> Completed:
        self.done.append((filesystem.device, *argv))
        rc = self.codes.pop(0) if self.codes else 0
        assert rc in ok
        return Completed(tuple(argv), rc, "", "", 0.0)

    def run_in_patient(
        self, argv: t.Sequence[str], *, outputs: t.Sequence[str], timeout: float, ok: t.Container[int] = (0,)
    ) -> Completed:
        self.done.append(tuple(argv))
        if self.builds is not None:
            for path in outputs:
                self.patient.put(path, self.builds)
        return Completed(tuple(argv), 0, "", "", 0.0)

    def note(self, text: str) -> None:
        self.done.append(("note", text))
