# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One tree from several file systems, which are directories here: mounting one is copying it to its place."""

from __future__ import annotations

import os
import pathlib
import shutil

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._patient import syscalls
from ansible_collections.openrescue.server.plugins.module_utils._patient.patient import Filesystem, Patient
from ansible_collections.openrescue.server.plugins.module_utils._patient.rootless import NoRoot, Unsupported
from ansible_collections.openrescue.server.plugins.module_utils._patient.tools import Tools
from ansible_collections.openrescue.server.plugins.module_utils._patient.tree import mounts
from ansible_collections.openrescue.server.plugins.module_utils._patient.tree.mounts import Mounts
from ansible_collections.openrescue.server.plugins.module_utils._patient.tree.tree import Tree


class Server:
    """Its root is /dev/vdb1; others are added by their directories."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.patient = Patient(tools=Tools())
        self.mounts = Mounts(work=str(folder / "work"), target=str(folder / "tree"))
        (folder / "tree").mkdir()
        #: device -> what the kernel says of a mount
        self.refused: dict[str, int] = {}
        self.add("vdb1", etc={"os-release": "ID=x", "fstab": ""}, srv={}, boot={}, **{"usr/bin": {"true": ""}})

    def add(self, name: str, *, fstype: str = "ext4", **folders: dict[str, str]) -> None:
        for folder, files in folders.items():
            (self.folder / name / folder).mkdir(parents=True)
            for file, text in files.items():
                (self.folder / name / folder / file).write_text(text)
        device = Filesystem(f"/dev/{name}", str(self.folder / name), fstype, label=name)
        self.patient.filesystems = (*self.patient.filesystems, device)

    def kernel(self, source: str, target: str, _fstype: str, *, flags: int, data: str = "") -> None:
        if error := self.refused.get(os.path.basename(source)):
            raise OSError(error, os.strerror(error), source)
        shutil.copytree(source, os.path.realpath(target), symlinks=True, dirs_exist_ok=True)

    def mount(self) -> dict[str, str]:
        """Where each device is, afterwards."""
        self.mounts.mount(self.patient, root=None, writable=(), trial=False)
        return {item.mount_point: item.device for item in self.patient.filesystems if item.mount_point}


@pytest.fixture
def server(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    made = Server(tmp_path)
    monkeypatch.setattr(syscalls, "mount", made.kernel)
    return made


def write_fstab(server: Server, *lines: str) -> None:
    (server.folder / "vdb1/etc/fstab").write_text("".join(f"{line}\n" for line in lines))


def test_what_fstab_names_and_what_nobody_names(server: Server) -> None:
    server.add("vdb2", data={"mine": ""})
    server.add("vdb3", grub={"grub.cfg": ""})
    write_fstab(server, "LABEL=vdb2 /srv ext4 defaults 0 2")
    assert server.mount() == {"/": "/dev/vdb1", "/srv": "/dev/vdb2", "/boot": "/dev/vdb3"}
    assert server.patient.notes == []


@pytest.mark.parametrize("link", ["srv", "/srv"])
def test_a_link_loop_at_a_mount_point_is_noted_and_the_rest_is_mounted(server: Server, link: str) -> None:
    """The server starts without it, since it has nofail."""
    server.add("vdb2", data={})
    server.add("vdb3", data={})
    (server.folder / "vdb1/srv").rmdir()
    (server.folder / "vdb1/srv").symlink_to(link)
    write_fstab(server, "LABEL=vdb2 /srv ext4 nofail 0 2", "LABEL=vdb3 /boot ext4 defaults 0 2")
    assert server.mount() == {"/": "/dev/vdb1", "/boot": "/dev/vdb3"}
    assert "too many symbolic links" in "; ".join(server.patient.notes)


def test_a_volume_whose_directories_cannot_be_read_is_noted(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is another one than the root, and no reason to end."""
    server.add("vdb2", log={}, lib={})
    server.add("vdb3", grub={"grub.cfg": ""})
    place = os.path.join("fs", "2")
    real = os.open

    def read(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        beneath = path if dir_fd is None else os.readlink(f"/proc/self/fd/{dir_fd}")
        if place in beneath:
            raise OSError(5, "Input/output error", path)
        return real(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", read)
    assert server.mount() == {"/": "/dev/vdb1", "/boot": "/dev/vdb3"}
    assert "Input/output error" in "; ".join(server.patient.notes)


def test_what_does_not_mount_is_noted(server: Server) -> None:
    server.add("vdb2", data={})
    server.refused = {"vdb2": 117}
    write_fstab(server, "LABEL=vdb2 /srv ext4 nofail 0 2")
    assert server.mount() == {"/": "/dev/vdb1"}
    assert server.patient.unmountable == {"/dev/vdb2": "Structure needs cleaning"}


@pytest.mark.parametrize(
    ("fstype", "folder", "told"),
    [
        ("ntfs", "", "/dev/vdc1 holds ntfs"),
        ("apfs", "", "/dev/vdc1 holds apfs"),
        ("ext4", "ostree/deploy", "/dev/vdc1 holds an ostree system"),
        ("ext4", "ostree", ""),
        ("swap", "", ""),
    ],
)
def test_what_nobody_opens_here_is_named(server: Server, fstype: str, folder: str, told: str) -> None:
    """Such a disk is not empty."""
    server.patient.filesystems = ()
    server.add("vdc1", fstype=fstype, **({folder: {}} if folder else {"x": {}}))
    assert server.mount() == {}
    assert server.patient.no_root.__class__ is (Unsupported if told else NoRoot)
    assert told in server.patient.no_root.message


def test_the_tree_is_whole_for_those_who_read_it(server: Server) -> None:
    server.mount()
    assert isinstance(server.patient.opened_tree, Tree)
    assert server.patient.os is not None
    assert (server.patient.root or server.patient.boot) == server.patient.at("/")
    assert mounts.mounts_below(str(server.folder)) == []
