# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import typing as t

import pytest

if t.TYPE_CHECKING:
    import pathlib

    from .fakes import PlainView


@pytest.fixture
def store(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """Where the rescue system keeps its bundles."""
    from ansible_collections.openrescue.server.plugins.module_utils._patient.write import undo

    monkeypatch.setattr(undo, "STORE", str(tmp_path / "store"))
    if os.geteuid() != 0:  # who is not root cannot give files away
        monkeypatch.setattr(os, "fchown", lambda *_given: None)
        monkeypatch.setattr(os, "chown", lambda *_given, **_more: None)
    return tmp_path / "store"


@pytest.fixture
def view(tmp_path: pathlib.Path, store: pathlib.Path) -> PlainView:
    from .fakes import PlainView

    made = PlainView(tmp_path / "patient")
    for folder in ("etc", "var/lib", "srv"):
        (made.folder / folder).mkdir(parents=True)
    made.mount()
    return made
