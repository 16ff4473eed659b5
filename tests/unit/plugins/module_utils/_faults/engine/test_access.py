# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Access is given as remedies are applied: damage is looked for first, and what failed is taken back."""

from __future__ import annotations

import contextlib
import pathlib
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._faults.engine import access as access_module
from ansible_collections.openrescue.server.plugins.module_utils._faults.engine.access import Access, give_access
from ansible_collections.openrescue.server.plugins.module_utils._faults.engine.diagnose import Report
from ansible_collections.openrescue.server.plugins.module_utils._patient.patient import Filesystem, Patient
from ansible_collections.openrescue.server.plugins.module_utils._patient.tools import Tools
from ansible_collections.openrescue.server.plugins.module_utils._patient.tree.tree import Tree
from ansible_collections.openrescue.server.plugins.module_utils._patient.write import undo
from ansible_collections.openrescue.server.plugins.module_utils._patient.write.access import Wanted
from ansible_collections.openrescue.server.plugins.module_utils._patient.write.change import Change
from ansible_collections.openrescue.server.plugins.module_utils._time import TimeBudget

ROOT = Filesystem("/dev/vdb1", "/dev/vdb1", "ext4", uuid="root", mount_point="/")
Grant = t.Callable[..., "list[str]"]


class FakeView:
    """A patient of plain files."""

    def __init__(self, folder: pathlib.Path, *, trial: bool, has_root: bool) -> None:
        self.is_trial, self.access, self._has_root = trial, {}, has_root
        self.folder, self.patient = folder, Patient(tools=Tools())
        self.patient.filesystems = (ROOT,)

    @contextlib.contextmanager
    def opened(self) -> t.Iterator[FakeView]:
        yield self

    def mount(self) -> None:
        if self._has_root:
            self.patient.root, self.patient.opened_tree = ROOT, Tree(str(self.folder))

    @property
    def is_mounted(self) -> bool:
        return self.patient.opened_tree is not None

    def refuse(self, filesystem: Filesystem) -> None:
        damage = self.patient.damaged.get(filesystem.device)
        if damage:
            raise OpenRescueError(damage)

    def make_writable(self, filesystem: Filesystem) -> None:
        """Plain files are."""

    def check_layers(self) -> None:
        """There are none."""


def given(
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    grant: Grant,
    *,
    damaged: dict[str, str] | None = None,
    has_root: bool = True,
) -> Access:
    monkeypatch.setattr(undo, "STORE", str(tmp_path / "store"))
    monkeypatch.setattr(access_module, "diagnose", lambda *_a, **_k: Report(damaged=damaged or {}))
    monkeypatch.setattr(access_module, "finish_here", lambda *_a, **_k: [])
    monkeypatch.setattr(access_module, "unfinished_on_patient", lambda _view: [])
    monkeypatch.setattr(access_module, "grant", grant)
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "var/lib").mkdir(parents=True)
    (root / "etc/passwd").write_text("old\n")
    return give_access(
        lambda trial: t.cast("t.Any", FakeView(root, trial=trial, has_root=has_root)),
        Wanted("joe"),
        faults=(),
        check=False,
        budget=TimeBudget(seconds=100),
        today=1,
    )


def written(_patient: Patient, _wanted: Wanted, change: Change, *, today: int) -> list[str]:
    change.write("/etc/passwd", b"new\n")
    return ["told"]


def cut_off(_patient: Patient, _wanted: Wanted, change: Change, *, today: int) -> list[str]:
    change.write("/etc/passwd", b"new\n")
    raise OpenRescueError("the disk is full")


def test_given(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = given(tmp_path, monkeypatch, written)
    assert (told.changed, told.notes) == (True, ["told"])
    assert "+new" in told.diff
    bundle = undo.Bundle.load(told.undo or "")
    assert bundle is not None
    assert (bundle.faults, bundle.state) == (["disk_access"], "kept")
    assert (tmp_path / f"root/var/lib/openrescue/undo/{told.undo}/manifest.json").exists()


def test_nothing_to_do(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = given(tmp_path, monkeypatch, lambda *_given, **_more: [])
    assert (told.changed, told.undo, told.diff) == (False, None, "")
    assert not (tmp_path / "store").exists() or not list((tmp_path / "store").iterdir())


def test_what_was_written_before_an_error_is_taken_back(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(OpenRescueError, match="full"):
        given(tmp_path, monkeypatch, cut_off)
    assert (tmp_path / "root/etc/passwd").read_text() == "old\n"
    assert list((tmp_path / "store").iterdir()) == []
    assert not (tmp_path / "root/var/lib/openrescue").exists()


def test_what_cannot_be_taken_back_is_named(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_module, "revert_entries", lambda *_given: ["no"])
    with pytest.raises(OpenRescueError, match=r"put back with 'undo: 2\d+T\d+Z-"):
        given(tmp_path, monkeypatch, cut_off)


def test_a_damaged_file_system_is_not_written_to(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OpenRescueError, match="it is damaged"):
        given(tmp_path, monkeypatch, written, damaged={"/dev/vdb1": "it is damaged"})
    assert (tmp_path / "root/etc/passwd").read_text() == "old\n"


def test_without_a_system(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OpenRescueError, match="no operating system"):
        given(tmp_path, monkeypatch, written, has_root=False)
