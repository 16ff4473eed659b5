# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What reaches a patient: whole or not at all, with what chattr(1) has set lifted for a moment and set again."""

from __future__ import annotations

import io
import os
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._patient.write import writer as room
from ansible_collections.openrescue.server.plugins.module_utils._patient.write.errors import (
    PatientFull,
    WriteFailed,
    WriteRefused,
)
from ansible_collections.openrescue.server.plugins.module_utils._patient.write.file_state import FileState
from ansible_collections.openrescue.server.plugins.module_utils._patient.write.undo import is_temporary, temporary_name
from ansible_collections.openrescue.server.plugins.module_utils._patient.write.writer import (
    Writer,
)

from .fakes import PlainView, as_view

STATE = FileState("file", 3, "", 0o640, os.geteuid(), os.getegid(), 0, {}, flags=0x10 | 0x80)


class Flags:
    """Flags of inodes, on a machine whose file system may have none; immutable means what it says."""

    def __init__(self) -> None:
        self.of: dict[int, int] = {}
        self.log: list[int] = []

    def get(self, fd: int) -> int:
        return self.of.get(os.fstat(fd).st_ino, 0)

    def set(self, fd: int, flags: int) -> None:
        self.of[os.fstat(fd).st_ino] = flags
        self.log.append(flags)


@pytest.fixture
def flags(monkeypatch: pytest.MonkeyPatch) -> Flags:
    kept = Flags()
    monkeypatch.setattr(room, "inode_flags", kept.get)
    monkeypatch.setattr(room, "set_inode_flags", kept.set)
    return kept


def put(view: PlainView, path: str = "/etc/fstab") -> None:
    Writer(as_view(view)).file(path, io.BytesIO(b"new"), STATE, temporary=temporary_name())


def test_flags_are_lifted_and_set_again(view: PlainView, flags: Flags) -> None:
    old = view.put("/etc/fstab", "old")
    folder = (view.folder / "etc").stat().st_ino
    flags.of = {old.stat().st_ino: 0x10, folder: 0x20}
    put(view)
    assert old.read_text() == "new"
    assert (flags.of[old.stat().st_ino], flags.of[folder]) == (0x90, 0x20)
    # The directory, the old file, the new one under its temporary name and under its own, the directory.
    assert flags.log == [0, 0, 0x80, 0x90, 0x20]


@pytest.mark.parametrize(("number", "error"), [(28, PatientFull), (5, WriteFailed)])
def test_a_failure_leaves_the_old_file_as_it_was(
    view: PlainView, flags: Flags, monkeypatch: pytest.MonkeyPatch, number: int, error: type[Exception]
) -> None:
    old = view.put("/etc/fstab", "old")
    flags.of = {old.stat().st_ino: 0x10}

    def fails(*_given: t.Any, **_more: t.Any) -> None:
        raise OSError(number, "it fails")

    monkeypatch.setattr(os, "rename", fails)
    with pytest.raises(error, match="/etc/fstab cannot be written"):
        put(view)
    assert (old.read_text(), flags.of[old.stat().st_ino], view.left()) == ("old", 0x10, [])


def test_what_a_killed_run_did_not_set_again_is_set(view: PlainView, flags: Flags) -> None:
    place = view.put("/etc/fstab", "old")
    Writer(as_view(view)).lock("/etc/fstab", flags=0x10, folder_flags=0x20)
    assert (flags.of[place.stat().st_ino], flags.of[place.parent.stat().st_ino]) == (0x10, 0x20)
    flags.log.clear()
    Writer(as_view(view)).lock("/etc/fstab", flags=0x80, folder_flags=0)
    assert flags.log == []


def test_only_what_is_ours_is_tidied_away(view: PlainView) -> None:
    for name in (".openrescue-0123456789abcdef", ".openrescue-copy", ".openrescue-mine", ".hidden"):
        view.put(f"/etc/{name}")
    assert is_temporary(temporary_name())
    assert Writer(as_view(view)).tidy("/etc/fstab")
    assert sorted(path.name for path in (view.folder / "etc").iterdir()) == [".hidden", ".openrescue-mine"]
    assert not Writer(as_view(view)).tidy("/etc/fstab")


@pytest.mark.usefixtures("flags")
def test_only_the_file_system_in_question_is_opened(view: PlainView) -> None:
    put(view, "/srv/data")
    assert view.written_to == ["/dev/vdb4"]


def test_without_its_directory_nothing_is_written(view: PlainView) -> None:
    with pytest.raises(WriteRefused, match="the directory of /none/x is missing"):
        put(view, "/none/x")
