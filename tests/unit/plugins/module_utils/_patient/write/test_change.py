# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a remedy does to files: kept first, shown, and taken back."""

from __future__ import annotations

import contextlib
import os
import pathlib
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._patient.limit import Limit, Stopped
from ansible_collections.openrescue.server.plugins.module_utils._patient.tools import Completed, Tools
from ansible_collections.openrescue.server.plugins.module_utils._patient.write import change as change_module
from ansible_collections.openrescue.server.plugins.module_utils._patient.write.change import Change, unified
from ansible_collections.openrescue.server.plugins.module_utils._patient.write.errors import WriteRefused
from ansible_collections.openrescue.server.plugins.module_utils._patient.write.file_state import LABEL, FileState
from ansible_collections.openrescue.server.plugins.module_utils._patient.write.home import Home
from ansible_collections.openrescue.server.plugins.module_utils._patient.write.undo import Bundle
from ansible_collections.openrescue.server.plugins.module_utils._patient.write.writer import Writer
from ansible_collections.openrescue.server.plugins.module_utils._text import printable

from .fakes import PlainView, as_view


def test_a_diff_shows_no_control_characters() -> None:
    diff = unified("/etc/\x1b[1mfstab", b"one\ntwo\n", b"one\n\x1b[31mtwo\ttab\n")
    assert "\x1b" not in diff
    assert "+\\x1b[31mtwo\ttab\n" in diff
    assert unified("/a", None, b"new\n") == "--- /dev/null\n+++ /a\n@@ -0,0 +1 @@\n+new\n"
    assert unified("/a", b"x", b"x\n") == "--- /a\n+++ /a\n@@ -1 +1 @@\n-x\n\\ No newline at end of file\n+x\n"
    assert unified("/a", b"\0", b"\0\0") == "/a: 1 bytes before, 2 bytes after\n"
    assert printable("a\nb\udce9", limit=10) == "a\\nb\\xe9"


def test_a_file_is_kept_before_it_is_written(view: PlainView, store: pathlib.Path) -> None:
    place = view.put("/etc/fstab", "old\n")
    place.chmod(0o640)
    bundle = Bundle.new()
    change = Change(view=as_view(view), bundle=bundle)
    change.write("/etc/fstab", b"new\n")
    assert (place.read_text(), place.stat().st_mode & 0o777) == ("new\n", 0o640)
    assert change.diff == "--- /etc/fstab\n+++ /etc/fstab\n@@ -1 +1 @@\n-old\n+new\n"
    assert (store / bundle.id / "data/1").read_text() == "old\n"
    assert (bundle.state, view.left()) == ("kept", [])
    (entry,) = bundle.entries
    assert getattr(entry, "filesystem", None) == "root-uuid"


def test_the_same_is_not_written(view: PlainView) -> None:
    view.put("/etc/fstab", "old\n")
    change = Change(view=as_view(view), bundle=Bundle.new())
    change.write("/etc/fstab", b"old\n")
    change.remove("/etc/absent")
    assert (change.changed, view.written_to) == (False, [])


def test_the_name_of_the_bundle_is_on_the_patient_before_the_first_byte(
    view: PlainView, monkeypatch: pytest.MonkeyPatch
) -> None:
    view.put("/srv/data", "old")
    renamed: list[str] = []
    real = os.rename

    def rename(source: str, target: str, **where: int) -> None:
        renamed.append(target)
        real(source, target, **where)

    monkeypatch.setattr(os, "rename", rename)
    change = Change(view=as_view(view), bundle=Bundle.new())
    change.write("/srv/data", b"new")
    assert renamed == ["manifest.json", "1", "data"]
    assert view.copies() == ["data/1", "manifest.json"]


def test_what_made_room_does_not_go_back_to_where_it_came_from(view: PlainView) -> None:
    view.put("/var/cache/apt/archives/a.deb", b"x" * 100)
    view.put("/srv/big", b"y" * 100)
    bundle = Bundle.new()
    change = Change(view=as_view(view), bundle=bundle, home=(home := Home(view=as_view(view), bundle=bundle)))
    change.move_out("/var/cache/apt/archives/a.deb")
    home.finish()
    assert view.copies() == ["manifest.json"]
    change.move_out("/srv/big")
    home.finish()
    assert view.copies() == ["data/2", "manifest.json"], "that lay on another file system"


def test_a_copy_leaves_room(view: PlainView, monkeypatch: pytest.MonkeyPatch) -> None:
    view.put("/etc/fstab", "old")
    monkeypatch.setattr(Home, "_has_room", lambda self, size: False)
    bundle = Bundle.new()
    home = Home(view=as_view(view), bundle=bundle)
    Change(view=as_view(view), bundle=bundle, home=home).write("/etc/fstab", b"new")
    assert (view.read("/etc/fstab"), view.copies()) == ("new", ["manifest.json"])
    assert home.notes == [
        "the undo bundle is whole on the rescue system only, for the patient's disk has no room for a copy"
    ]


@pytest.mark.parametrize("action", ["write", "remove", "move_out"])
def test_a_file_with_several_names_is_refused_with_the_way_out(view: PlainView, action: str) -> None:
    os.link(view.put("/etc/fstab", "old"), view.folder / "etc/other")
    change = Change(view=as_view(view), bundle=(bundle := Bundle.new()))
    with pytest.raises(WriteRefused, match="2 names") as caught:
        change.write("/etc/fstab", b"new") if action == "write" else getattr(change, action)("/etc/fstab")
    assert "disk_mount" in caught.value.hint
    assert (view.read("/etc/other"), bundle.entries, view.copies()) == ("old", [], [])


def test_what_a_program_of_the_patient_wrote_gets_its_label(view: PlainView, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stage has no labels, so that the file which is taken from there has none."""
    view.put("/etc/made", "old")
    stage = view.folder.parent / "stage"
    (stage / "etc").mkdir(parents=True)
    placed: list[tuple[str, dict[str, str]]] = []

    def run_staged(_patient: object, top: str, argv: t.Sequence[str], **_given: object) -> Completed:
        pathlib.Path(top, "etc/made").write_text("new")
        return Completed(tuple(argv), 0, "", "", 0.0)

    def keep_label(_writer: Writer, where: str, data: t.BinaryIO, after: FileState, *, temporary: str) -> None:
        placed.append((where, after.xattrs))
        (view.folder / where.lstrip("/")).write_bytes(data.read())

    monkeypatch.setattr(change_module, "run_staged", run_staged)
    monkeypatch.setattr(change_module, "label_for", lambda _tree, path: f"label of {path}")
    monkeypatch.setattr(PlainView, "stage", lambda _self: contextlib.nullcontext(str(stage)), raising=False)
    monkeypatch.setattr(Writer, "file", keep_label)
    change = Change(view=as_view(view), bundle=Bundle.new())
    change.run_in_patient(["make"], outputs=["/etc/made", "/etc/absent"], timeout=9)
    assert (view.read("/etc/made"), placed[-1]) == ("new", ("/etc/made", {LABEL: "label of /etc/made"}))


@pytest.mark.parametrize("path", ["/etc/none/x", "/etc", "/etc/fifo"])
def test_what_is_no_regular_file_is_refused(view: PlainView, path: str) -> None:
    os.mkfifo(view.folder / "etc/fifo")
    with pytest.raises(WriteRefused):
        Change(view=as_view(view), bundle=Bundle.new()).write(path, b"new")


def test_no_write_begins_after_a_stop_was_asked_for(view: PlainView) -> None:
    view.put("/etc/fstab", "old")
    view.patient.tools = Tools(limit=(limit := Limit(seconds=60)))
    limit.ask("SIGTERM")
    with pytest.raises(Stopped):
        Change(view=as_view(view), bundle=Bundle.new()).write("/etc/fstab", b"new")
    assert (view.read("/etc/fstab"), view.copies()) == ("old", [])
