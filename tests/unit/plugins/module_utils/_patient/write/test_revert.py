# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Putting back, also where a run was killed on the way."""

from __future__ import annotations

import hashlib
import pathlib

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._patient.patient import Filesystem
from ansible_collections.openrescue.server.plugins.module_utils._patient.write.change import Change
from ansible_collections.openrescue.server.plugins.module_utils._patient.write.errors import UndoNotFound, UndoRefused
from ansible_collections.openrescue.server.plugins.module_utils._patient.write.revert import (
    finish_entry,
    load_bundle,
    revert,
    revert_entries,
)
from ansible_collections.openrescue.server.plugins.module_utils._patient.write.undo import (
    Bundle,
    DeviceEntry,
    FileEntry,
)

from .fakes import PlainView, as_view

OLD, NEW = b"o" * 8192, b"n" * 8192


def changed(view: PlainView) -> Bundle:
    """A bundle in which a file was written, one removed and one made."""
    view.put("/etc/fstab", "old\n")
    view.put("/srv/gone", "gone\n")
    bundle = Bundle.new()
    change = Change(view=as_view(view), bundle=bundle)
    change.write("/etc/fstab", b"new\n")
    change.remove("/srv/gone")
    change.write("/etc/made", b"made\n")
    return bundle


def reasons(view: PlainView, bundle: Bundle, *, check: bool = False) -> list[str]:
    return [reason for _entry, reason, _diff in revert(as_view(view), bundle, check=check)]


def test_all_is_put_back_and_no_trace_stays(view: PlainView) -> None:
    bundle = changed(view)
    assert reasons(view, bundle, check=True) == ["", "", ""]
    assert view.read("/etc/fstab") == "new\n"
    assert reasons(view, bundle) == ["", "", ""]
    assert (view.read("/etc/fstab"), view.read("/srv/gone")) == ("old\n", "gone\n")
    assert not (view.folder / "etc/made").exists()
    assert not (view.folder / "var/lib/openrescue").exists()
    assert (bundle.state, view.left()) == ("reverted", [])
    assert reasons(view, bundle) == []


def test_from_the_patients_own_copy(view: PlainView, store: pathlib.Path) -> None:
    bundle = changed(view)
    store.rename(store.with_name("elsewhere"))
    loaded = load_bundle(as_view(view), bundle.id)
    assert reasons(view, loaded) == ["", "", ""]
    assert view.read("/etc/fstab") == "old\n"
    with pytest.raises(UndoNotFound):
        load_bundle(as_view(view), "20260101T000000Z-0badcafe")


def test_what_was_changed_since_stays(view: PlainView) -> None:
    bundle = changed(view)
    view.put("/etc/fstab", "mine\n")
    assert [bool(reason) for reason in reasons(view, bundle)] == [False, False, True]
    assert view.read("/etc/fstab") == "mine\n"


def test_where_the_directory_is_gone_nothing_is_put_elsewhere(view: PlainView) -> None:
    bundle = changed(view)
    (view.folder / "srv").rmdir()
    assert "the directory of /srv/gone is not there now" in reasons(view, bundle)[1]
    assert not (view.folder / "gone").exists()


def test_on_another_file_system_nothing_is_put_back(view: PlainView) -> None:
    """/srv is an empty directory of the root where its own file system is not mounted."""
    bundle = changed(view)
    view.patient.filesystems = view.patient.filesystems[:1]
    assert "was on the file system data-uuid, which is not there now" in reasons(view, bundle)[1]
    assert not (view.folder / "srv/gone").exists()


@pytest.mark.parametrize("spoil", ["other", "nothing"])
def test_the_kept_content_is_checked_before_it_overwrites_anything(
    view: PlainView, store: pathlib.Path, spoil: str
) -> None:
    bundle = changed(view)
    kept = store / bundle.id / "data/1"
    kept.write_text("bad!") if spoil == "other" else kept.unlink()
    assert "the undo bundle cannot be used" in reasons(view, bundle)[2]
    assert view.read("/etc/fstab") == "new\n"


@pytest.mark.parametrize("written_back", [False, True])
def test_a_revert_that_was_killed_is_ended(view: PlainView, written_back: bool) -> None:
    bundle = changed(view)
    entry = bundle.entries[0]
    entry.state = "reverting"
    if written_back:
        old = revert_image(view, bundle)
        assert old == "old\n"
    view.put("/etc/.openrescue-0123456789abcdef", "half")
    assert finish_entry(as_view(view), bundle, entry)
    assert (view.read("/etc/fstab"), entry.state, view.left()) == ("old\n", "reverted", [])


def revert_image(view: PlainView, bundle: Bundle) -> str:
    """Put back the first file behind the bundle's back, as the killed run did."""
    assert revert_entries(as_view(view), bundle, bundle.entries[:1]) == []
    bundle.entries[0].state = "reverting"
    return view.read("/etc/fstab")


@pytest.mark.parametrize(("renamed", "state"), [(False, "forgotten"), (True, "done")])
def test_a_write_that_was_killed_is_judged_by_what_is_there(view: PlainView, renamed: bool, state: str) -> None:
    bundle = changed(view)
    (entry, *_rest) = bundle.entries
    entry.state = "intended"
    if not renamed:
        revert_image(view, bundle)
        entry.state = "intended"
    view.put("/etc/.openrescue-0123456789abcdef", "half")
    assert finish_entry(as_view(view), bundle, entry)
    assert view.left() == []
    assert (entry.state if entry in bundle.entries else "forgotten") == state


def test_a_file_that_a_person_changed_after_the_kill_stays(view: PlainView) -> None:
    bundle = changed(view)
    bundle.entries[0].state = "intended"
    view.put("/etc/fstab", "mine\n")
    with pytest.raises(UndoRefused):
        finish_entry(as_view(view), bundle, bundle.entries[0])
    assert view.read("/etc/fstab") == "mine\n"


@pytest.fixture
def device(view: PlainView, tmp_path: pathlib.Path) -> pathlib.Path:
    """A device with blocks at its beginning and behind the part that is hashed as a whole."""
    place = tmp_path / "device"
    place.write_bytes(OLD + bytes(1 << 20) + OLD)
    view.devices = [Filesystem(str(place), str(place), "ext4", uuid="u", size=place.stat().st_size)]
    return place


EXTENTS = [(0, 8192), ((1 << 20) + 8192, 8192)]


def blocks(device: pathlib.Path, first: bytes, second: bytes) -> None:
    device.write_bytes(first + bytes(1 << 20) + second)


def repaired(view: PlainView, device: pathlib.Path, state: str) -> tuple[Bundle, DeviceEntry]:
    bundle = Bundle.new()
    names = []
    for content in (OLD * 2, NEW * 2):
        names.append(bundle.next_name())
        with bundle.keeping(names[-1], size=16384) as file:
            assert file is not None
            file.write(content)
    hashes = [hashlib.sha256(content).hexdigest() for content in (OLD * 2, NEW * 2)]
    entry = DeviceEntry(
        "/dev/vdb1", None, "u", device.stat().st_size, ["e2fsck"], EXTENTS, *names, after=hashes[1], before=hashes[0]
    )
    entry.state = "intended"
    bundle.add(entry)
    if state == "done":
        finish_entry(as_view(view), bundle, entry)
    return bundle, entry


@pytest.mark.parametrize("cut", [(OLD, OLD), (NEW, OLD), (NEW[:512] + OLD[512:], OLD), (NEW, NEW)])
def test_blocks_that_were_half_written_are_written_to_their_end(
    view: PlainView, device: pathlib.Path, cut: tuple[bytes, bytes]
) -> None:
    bundle, entry = repaired(view, device, "intended")
    blocks(device, *cut)
    finish_entry(as_view(view), bundle, entry)
    assert device.read_bytes() == NEW + bytes(1 << 20) + NEW
    assert (entry.state, entry.fresh, entry.head != "") == ("done", "", True)
    assert reasons(view, bundle) == [""]
    assert device.read_bytes() == OLD + bytes(1 << 20) + OLD


@pytest.mark.parametrize("cut", [(NEW, NEW), (OLD, NEW), (OLD[:512] + NEW[512:], NEW), (OLD, OLD)])
def test_blocks_that_were_half_put_back_are_put_back_to_their_end(
    view: PlainView, device: pathlib.Path, cut: tuple[bytes, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, _entry = repaired(view, device, "done")

    def killed(*_given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(PlainView, "open_device", killed)
        reasons(view, bundle)
    blocks(device, *cut)
    loaded = Bundle.load(bundle.id)
    assert loaded is not None
    assert loaded.state == "unfinished"
    finish_entry(as_view(view), loaded, loaded.entries[0])
    assert device.read_bytes() == OLD + bytes(1 << 20) + OLD
    assert loaded.state == "reverted"


def test_blocks_that_somebody_else_has_written_stay(view: PlainView, device: pathlib.Path) -> None:
    bundle, entry = repaired(view, device, "intended")
    blocks(device, b"x" * 8192, OLD)
    with pytest.raises(UndoRefused):
        finish_entry(as_view(view), bundle, entry)
    blocks(device, NEW, NEW)
    entry.state, entry.head = "done", "other"
    assert "has been written since its repair" in reasons(view, bundle)[0]
    assert device.read_bytes() == NEW + bytes(1 << 20) + NEW


def test_kept_blocks_are_checked_before_they_overwrite_anything(
    view: PlainView, device: pathlib.Path, store: pathlib.Path
) -> None:
    bundle, _entry = repaired(view, device, "done")
    (store / bundle.id / "data/1").write_bytes(b"x" * 16384)
    assert "is not what was kept" in reasons(view, bundle)[0]
    assert device.read_bytes() == NEW + bytes(1 << 20) + NEW


def test_entries_are_of_files_or_of_devices(view: PlainView) -> None:
    assert all(isinstance(entry, FileEntry) for entry in changed(view).entries)
