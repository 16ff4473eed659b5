# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's layouts say what they must, before anybody waits minutes for one to be built."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lab"))

from openrescue_lab import layout, layout_build

NAMES = layout.names()


def test_there_are_layouts() -> None:
    systems = [name for name in NAMES if layout.load(name).boots]
    assert len(systems) >= 15
    assert len(NAMES) - len(systems) >= 7


@pytest.mark.parametrize("name", NAMES)
def test_its_scripts_can_be_read_by_a_shell(name: str) -> None:
    one = layout.load(name)
    devices = [f"/dev/vd{letter}" for letter, _ in zip("bcd", (*one.disks, "tree"))]
    for text in (layout_build.script(one, devices), layout_build.inside(one, devices[:-1], "true")):
        assert "$D4" not in text
        subprocess.run(["sh", "-n"], input=text, text=True, check=True)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_a_system_or_names_its_kernel(name: str) -> None:
    one = layout.load(name)
    assert one.summary
    assert one.boots == (one.tree in layout.TREES)
    assert one.boots or (one.kernel and "kernel" in one.binaries.values())


def test_what_opens_also_closes() -> None:
    for name in NAMES:
        one = layout.load(name)
        assert not one.open or one.close or name == "btrfs_disks", name


def test_only_names_of_parts_are_put_in() -> None:
    one = layout.load("rhel")
    text = one.text("$ROOT $root ${kernelopts} $tuned_params $KERNEL")
    assert text == f"{one.identities()['ROOT']} $root ${{kernelopts}} $tuned_params {one.kernel}"
