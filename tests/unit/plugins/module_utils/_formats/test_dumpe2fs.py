# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import subprocess

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._formats.dumpe2fs import parse_dumpe2fs


def test_a_real_superblock(tmp_path: pathlib.Path) -> None:
    image = tmp_path / "disk.img"
    uuid = "11111111-2222-4333-8444-555555555555"
    subprocess.run(["mkfs.ext4", "-q", "-L", "données", "-U", uuid, image, "16M"], check=True, timeout=60)
    told = subprocess.run(["dumpe2fs", "-h", image], check=True, capture_output=True, text=True, timeout=60).stdout
    found = parse_dumpe2fs(told)
    assert found is not None
    assert (found.uuid, found.label, found.size, found.last_mounted) == (uuid, "données", 16 << 20, "")


@pytest.mark.parametrize("text", ["", "dumpe2fs: Bad magic number", "Filesystem UUID:          <none>\n"])
def test_nothing_that_could_be_used(text: str) -> None:
    assert parse_dumpe2fs(text) is None


def test_where_it_was_mounted_last() -> None:
    text = (
        "Filesystem volume name:   <none>\nLast mounted on:          /srv/my data\n"
        "Filesystem UUID:          11111111-2222-4333-8444-555555555555\nBlock count:  10\nBlock size:  1024\n"
    )
    found = parse_dumpe2fs(text)
    assert found is not None
    assert (found.label, found.last_mounted) == ("", "/srv/my data")
