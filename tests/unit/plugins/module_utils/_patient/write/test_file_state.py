# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One file, whole; and the label that a new one gets."""

from __future__ import annotations

import base64
import dataclasses
import os
import pathlib
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._patient.tree.tree import Tree
from ansible_collections.openrescue.server.plugins.module_utils._patient.write.file_state import (
    LABEL,
    LOCKS,
    FileState,
    label_for,
    state_of,
    with_label,
)

STATE = FileState("file", 3, "ab", 0o644, 0, 0, 1, {"user.x": "eA=="}, flags=0x80)


def test_locks_do_not_make_another_file() -> None:
    locked = dataclasses.replace(STATE, flags=0x80 | LOCKS, mtime_ns=2)
    assert STATE.same_but_locks(locked)
    assert not STATE.same_content(locked)
    assert not STATE.same_but_locks(dataclasses.replace(locked, flags=0))
    assert not STATE.same_but_locks(None)


def test_a_label_among_the_other_attributes() -> None:
    labelled = with_label(STATE, "bGFiZWw=")
    assert labelled.xattrs == {"user.x": "eA==", LABEL: "bGFiZWw="}
    assert with_label(labelled, None) == STATE


@pytest.fixture
def labels(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Labels by name, on a machine whose file system may hold none."""
    given: dict[str, str] = {}
    real = os.getxattr

    def getxattr(fd: t.Any, name: str) -> bytes:
        label = given.get(os.path.basename(os.readlink(f"/proc/self/fd/{fd}")))
        if name != LABEL:
            return real(fd, name)
        if label is None:
            raise OSError(61, "No data available")
        return label.encode()

    def listxattr(fd: t.Any) -> list[str]:
        return [LABEL] if os.path.basename(os.readlink(f"/proc/self/fd/{fd}")) in given else []

    monkeypatch.setattr(os, "getxattr", getxattr)
    monkeypatch.setattr(os, "listxattr", listxattr)
    return given


@pytest.mark.parametrize(
    ("given", "path", "label"),
    [
        ({"a": "boot_t", "b": "boot_t", "c": "etc_t"}, "/boot/new", "boot_t"),
        ({"boot": "boot_t"}, "/boot/new", "boot_t"),
        ({"a": "own_t", "b": "boot_t"}, "/boot/a", "own_t"),
        ({"b": "boot_t"}, "/boot/a", None),  # there, and without one
        ({}, "/boot/new", None),
    ],
)
def test_the_label_of_the_old_file_or_of_most_neighbours(
    tmp_path: pathlib.Path, labels: dict[str, str], given: dict[str, str], path: str, label: str | None
) -> None:
    (tmp_path / "boot").mkdir()
    for name in "abc":
        (tmp_path / "boot" / name).touch()
    labels.update(given)
    assert label_for(Tree(str(tmp_path)), path) == (base64.b64encode(label.encode()).decode() if label else None)


def test_a_link_is_what_it_says(tmp_path: pathlib.Path) -> None:
    (tmp_path / "link").symlink_to("/nowhere")
    state = state_of(Tree(str(tmp_path)), "/link")
    assert state is not None
    assert (state.kind, state.target) == ("link", "/nowhere")
    assert state_of(Tree(str(tmp_path)), "/absent") is None
