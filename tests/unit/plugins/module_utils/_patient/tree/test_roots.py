# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of several roots the server boots, and what is said where nobody can tell or there is none."""

from __future__ import annotations

import pathlib

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._patient.devices.graph import Closed
from ansible_collections.openrescue.server.plugins.module_utils._patient.patient import Filesystem, Patient
from ansible_collections.openrescue.server.plugins.module_utils._patient.rootless import (
    Damaged,
    Incomplete,
    Locked,
    NoRoot,
    Unsupported,
    why_no_root,
)
from ansible_collections.openrescue.server.plugins.module_utils._patient.tools import Tools
from ansible_collections.openrescue.server.plugins.module_utils._patient.tree.mounts import _options, is_root
from ansible_collections.openrescue.server.plugins.module_utils._patient.tree.roots import Source, choose

CFG = "set root='hd0,gpt2'\nmenuentry x {\n\tlinux\t/vmlinuz root={0} ro quiet\n}\n"


class Systems:
    """File systems as directories: the first two can be roots, the third is /boot."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.patient = Patient(tools=Tools())
        self.patient.filesystems = tuple(
            Filesystem(f"/dev/vdb{index}", "", "ext4", uuid=f"u{index}", number=(0, index)) for index in (1, 2, 3)
        )
        self.sources = []
        for item in self.patient.filesystems:
            place = folder / item.device[-1]
            place.mkdir()
            self.sources.append(Source(item, str(place)))
        for number in "12":
            self.put(f"{number}/etc/os-release", "ID=x", folder)
            self.put(f"{number}/usr/bin/x", "", folder)
        self.folder = folder

    def put(self, path: str, text: str, folder: pathlib.Path | None = None) -> None:
        place = (folder or self.folder) / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def choose(self, asked: str | None = None) -> tuple[str | None, bool]:
        roots = [source for source in self.sources if is_root(self.patient, source)]
        choice = choose(roots, self.sources, asked=asked, find=self.patient.find)
        return choice.source.filesystem.device if choice.source else None, choice.several is None


@pytest.fixture
def systems(tmp_path: pathlib.Path) -> Systems:
    return Systems(tmp_path)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("3/grub/grub.cfg", CFG.replace("{0}", "UUID=u2")),
        ("3/grub2/grubenv", "# GRUB\nkernelopts=root=UUID=u2 ro crashkernel=auto\n"),
        ("3/loader/entries/a.conf", "title x\nlinux /vmlinuz\noptions root=/dev/vda2 ro\n"),
        ("3/EFI/debian/grub.cfg", CFG.replace("{0}", "/dev/sda2")),
        ("1/boot/grub/grub.cfg", CFG.replace("{0}", "UUID=u2")),
        ("3/extlinux/extlinux.conf", "LABEL x\n  LINUX /vmlinuz\n  APPEND root=UUID=u2\n"),
        ("2/etc/fstab", "UUID=u2 / ext4 defaults 0 1\n"),
        ("2/lib/modules/6.1/x", ""),
    ],
)
def test_the_root_is_what_the_boot_names_else_what_it_holds(systems: Systems, path: str, text: str) -> None:
    systems.put(path, text)
    assert systems.choose() == ("/dev/vdb2", True)


def test_a_table_that_names_another_root_speaks_for_neither(systems: Systems) -> None:
    systems.put("1/etc/fstab", "UUID=u9 / ext4 defaults 0 1\n")
    assert systems.choose() == ("/dev/vdb1", False)


def test_two_loaders_that_each_name_their_own_leave_it_open(systems: Systems) -> None:
    systems.put("1/boot/grub/grub.cfg", CFG.replace("{0}", "UUID=u1"))
    systems.put("2/boot/grub/grub.cfg", CFG.replace("{0}", "UUID=u2"))
    assert systems.choose() == ("/dev/vdb1", False)


def test_hostile_boot_files_are_passed_over(systems: Systems) -> None:
    (systems.folder / "3/grub").symlink_to("/grub")
    (systems.folder / "3/loader").mkdir()
    (systems.folder / "3/loader/entries").symlink_to("entries")
    systems.put("2/etc/fstab", "UUID=u2 / ext4 defaults 0 1\n")
    assert systems.choose() == ("/dev/vdb2", True)


def test_the_user_has_the_last_word(systems: Systems) -> None:
    assert systems.choose("/dev/vdb1") == ("/dev/vdb1", True)
    for path, word in (("/dev/vdb3", "holds no operating system"), ("/dev/null", "is no file system")):
        with pytest.raises(OpenRescueError, match=word):
            systems.choose(path)


def test_a_file_system_that_cannot_be_read_is_noted(systems: Systems) -> None:
    """It is no reason to end."""
    (systems.folder / "1/etc/os-release").unlink()
    (systems.folder / "1/etc").rmdir()
    (systems.folder / "1/etc").symlink_to("etc")
    assert systems.choose() == ("/dev/vdb2", True)
    assert "too many symbolic links" in systems.patient.notes[0]


@pytest.mark.parametrize(
    ("closed", "unmountable", "unsupported", "kind"),
    [
        ((), {}, (), NoRoot),
        ((Closed("locked", "x is locked"),), {"/dev/vdb1": "bad"}, (), Locked),
        ((Closed("incomplete", "x"),), {}, (), Incomplete),
        ((Closed("absent", "x"),), {}, (), Incomplete),
        ((Closed("unsupported", "x holds ZFS"),), {}, (), Unsupported),
        ((), {}, ("/dev/vdb4 holds an ostree system",), Unsupported),
        ((), {"/dev/vdb1": "Structure needs cleaning"}, (), Damaged),
    ],
)
def test_no_root_is_told_as_what_it_is(
    closed: tuple[Closed, ...], unmountable: dict[str, str], unsupported: tuple[str, ...], kind: type[NoRoot]
) -> None:
    error = why_no_root(closed, unmountable, unsupported)
    assert error.__class__ is kind
    assert ("holds no operating system" in error.message) == (kind is NoRoot)


@pytest.mark.parametrize("replay", [True, False])
def test_no_superblock_may_ask_for_a_panic(replay: bool) -> None:
    """Errors=panic in a patient's superblock would be the rescue system's panic."""
    for fstype in ("ext2", "ext3", "ext4"):
        assert all("errors=remount-ro" in options for options in _options(fstype, replay=replay))


@pytest.mark.parametrize(("fstype", "told"), [("ext2", False), ("ext3", True), ("ext4", True)])
def test_a_journal_is_left_alone_where_there_is_one(fstype: str, told: bool) -> None:
    """Ext2 refuses an option that is about a journal: a healthy /boot would be said not to be mountable."""
    assert [("noload" in options) for options in _options(fstype, replay=False)] == [told]
    assert not any("noload" in options for options in _options(fstype, replay=True))
