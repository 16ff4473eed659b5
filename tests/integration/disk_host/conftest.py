# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Disks of this machine, and the check that nothing of them is left."""

from __future__ import annotations

import os
import pathlib
import shutil
import typing as t

import pytest
from loop_disk import Disk


@pytest.fixture
def disk(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> t.Iterator[Disk]:
    made = Disk(tmp_path, getattr(request, "param", "ext4"))
    yield made
    made.detach()


@pytest.fixture
def store() -> t.Iterator[pathlib.Path]:
    """The rescue system's own bundles, those of this test only."""
    store = pathlib.Path("/var/lib/openrescue/undo")
    before = set(store.glob("*"))
    yield store
    for bundle in set(store.glob("*")) - before:
        shutil.rmtree(bundle)


@pytest.fixture(autouse=True)
def nothing_is_left() -> t.Iterator[None]:
    yield
    assert "openrescue" not in pathlib.Path("/proc/mounts").read_text()
    assert not os.path.exists("/tmp/openrescue-was-run")
    left = [name for name in os.listdir("/run/openrescue") if name != "lock"]
    assert left == []
