# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A patient of plain directories and files: two file systems, and two devices."""

from __future__ import annotations

import contextlib
import pathlib
import typing as t

from ansible_collections.openrescue.server.plugins.module_utils._patient.patient import Filesystem, Patient
from ansible_collections.openrescue.server.plugins.module_utils._patient.tools import Tools
from ansible_collections.openrescue.server.plugins.module_utils._patient.tree.tree import Tree
from ansible_collections.openrescue.server.plugins.module_utils._patient.write.change import Change
from ansible_collections.openrescue.server.plugins.module_utils._patient.write.undo import Bundle

ROOT = Filesystem("/dev/vdb3", "/dev/vdb3", "ext4", uuid="root-uuid", mount_point="/")
DATA = Filesystem("/dev/vdb4", "/dev/vdb4", "ext4", uuid="data-uuid", mount_point="/srv")


class PlainView:
    """What an opened view offers to those who write; there is nothing to open."""

    def __init__(self, folder: pathlib.Path, *, trial: bool = False) -> None:
        self.is_trial, self.has_layers, self.stages_in_place, self.access = trial, False, False, {}
        self.folder = folder
        self.patient = Patient(tools=Tools())
        self.devices: list[Filesystem] = []
        self.written_to: list[str] = []
        self.reset()

    def reset(self) -> None:
        """As after opening: nothing is mounted."""
        self.patient.filesystems = (ROOT, DATA)
        self.patient.opened_tree = None

    @contextlib.contextmanager
    def opened(self) -> t.Iterator[PlainView]:
        yield self
        self.reset()

    @property
    def is_mounted(self) -> bool:
        return self.patient.opened_tree is not None

    def mount(self, *, read_only: bool = False) -> None:
        self.patient.opened_tree = Tree(str(self.folder))
        self.patient.root = ROOT

    def seal(self) -> None:
        self.reset()

    def refuse(self, filesystem: Filesystem) -> None:
        """Nothing is shared, split or damaged here."""

    def make_writable(self, filesystem: Filesystem, *, mount: bool = True) -> None:
        assert not self.is_trial
        self.written_to.append(filesystem.device)

    def bottoms(self) -> list[Filesystem]:
        return self.devices

    def open_device(self, device: Filesystem) -> None:
        self.written_to.append(device.device)

    def put(self, path: str, data: str | bytes = "") -> pathlib.Path:
        place = self.folder / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data.encode() if isinstance(data, str) else data)
        return place

    def read(self, path: str) -> str:
        return (self.folder / path.lstrip("/")).read_text()

    def left(self) -> list[str]:
        """Hidden files of ours."""
        return [str(path) for path in self.folder.rglob(".openrescue-*")]

    def copies(self) -> list[str]:
        """What the patient has of undo bundles, without their IDs."""
        base = self.folder / "var/lib/openrescue/undo"
        return sorted(str(path.relative_to(base)).partition("/")[2] for path in base.rglob("*") if path.is_file())


def as_view(view: PlainView) -> t.Any:
    return view


def killed(view: PlainView, *, when: str = "after") -> str:
    """A run that was killed before or after its file was in place; the ID of its bundle."""
    view.put("/etc/fstab", "old\n")
    bundle = Bundle.new()
    bundle.faults = ["fstab-syntax"]
    Change(view=as_view(view), bundle=bundle).write("/etc/fstab", b"new\n")
    bundle.entries[0].state = "intended"
    bundle.save()
    if when == "before":
        view.put("/etc/fstab", "old\n")
        view.put("/etc/.openrescue-0123456789abcdef", "ne")
    view.reset()
    return bundle.id
