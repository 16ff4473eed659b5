# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bundle: what is written down, and what is believed of it."""

from __future__ import annotations

import dataclasses
import json
import pathlib

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._patient.write.errors import (
    NoRoom,
    UndoBroken,
    UndoNotFound,
)
from ansible_collections.openrescue.server.plugins.module_utils._patient.write.file_state import FileState
from ansible_collections.openrescue.server.plugins.module_utils._patient.write.undo import (
    Bundle,
    DeviceEntry,
    FileEntry,
    bundle_ids,
    check_id,
    parse_manifest,
    store_ids,
)

ID = "20260101T000000Z-0badcafe"
STATE = FileState("file", 3, "ab", 0o644, 0, 0, 1, {"security.selinux": "eA=="}, flags=0x10)


@pytest.mark.parametrize("name", ["../x", "", f"{ID}/..", "x", f"{ID}\n"])
def test_an_id_is_no_path(name: str) -> None:
    with pytest.raises(UndoNotFound):
        check_id(name)


def test_ids_among_names() -> None:
    assert bundle_ids(["x", "20270101T000000Z-0badcafe", ID, "..", f"{ID}x"]) == [ID, "20270101T000000Z-0badcafe"]


ENTRY = {"kind": "file", "state": "done", "data": None, "path": "/x", "temporary": "t", "before": None, "after": None}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"version": 2, "entries": []}',
        '{"version": 1, "entries": [{"kind": "file"}]}',
        '{"version": 1, "entries": [5]}',
        *(
            json.dumps({"version": 1, "entries": [{**ENTRY, **wrong}]})
            for wrong in (
                {"temporary": "../x"},
                {"state": "new"},
                {"filesystem": 5},
                {"folder_flags": "x"},
                {"secret": "x"},
                {"before": 5},
                {"more": 1},
            )
        ),
    ],
)
def test_a_strange_manifest_is_refused(text: str) -> None:
    with pytest.raises(UndoBroken):
        parse_manifest(text)


def test_a_strangers_manifest_names_no_file_elsewhere(store: pathlib.Path) -> None:
    bundle = Bundle(ID)
    for name in ("../../etc/passwd", "data/../x", "/etc/passwd", "data/1\n"):
        with pytest.raises(OpenRescueError):
            bundle.path(name)
    bundle.save()
    assert json.loads((store / bundle.id / "manifest.json").read_text())["entries"] == []
    assert store_ids() == [ID]


def test_a_bundle_comes_back_as_it_was(store: pathlib.Path) -> None:
    bundle = Bundle(ID)
    bundle.faults = ["fstab-syntax"]
    name = bundle.next_name()
    bundle.add(FileEntry("/etc/\udcff", STATE, None, name, "t", filesystem="u", moved=True, folder_flags=0x20))
    bundle.add(DeviceEntry("/dev/vdb1", None, "u", 10, ["e2fsck"], [(0, 4096)], bundle.next_name(), "data/7", "h"))
    loaded = Bundle.load(ID)
    assert loaded is not None
    assert (loaded.entries, loaded.faults) == (bundle.entries, bundle.faults)
    assert loaded.next_name() == "data/8", "no content is overwritten by a later one"
    assert loaded.time == "2026-01-01T00:00:00Z"
    assert loaded.state == "unfinished"
    for entry in loaded.entries:
        entry.state = "done"
    assert loaded.state == "kept"
    for entry in loaded.entries:
        entry.state = "reverted"
    assert loaded.state == "reverted"


def test_a_bundle_of_the_first_release() -> None:
    state = dataclasses.asdict(dataclasses.replace(STATE, flags=0))
    del state["flags"]
    text = json.dumps({"version": 1, "id": ID, "entries": [{**ENTRY, "before": state, "data": "data/1"}]})
    (entry,), faults = parse_manifest(text)
    assert isinstance(entry, FileEntry)
    assert (entry.filesystem, entry.moved, faults) == ("", False, [])


def test_without_room_nothing_is_begun(store: pathlib.Path) -> None:
    with pytest.raises(NoRoom), Bundle(ID).keeping("data/1", size=1 << 60):
        pass
    with Bundle(ID, keep=False).keeping("data/1", size=1 << 60) as file:
        assert file is None
