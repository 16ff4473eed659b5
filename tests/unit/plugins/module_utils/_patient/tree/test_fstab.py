# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib

from ansible_collections.openrescue.server.plugins.module_utils._patient.patient import Filesystem, Patient
from ansible_collections.openrescue.server.plugins.module_utils._patient.tools import Tools
from ansible_collections.openrescue.server.plugins.module_utils._patient.tree.fstab import fstab_lines, lines_of
from ansible_collections.openrescue.server.plugins.module_utils._patient.tree.tree import Tree

DATA = Filesystem("/dev/vdb5", "/dev/vdb5", "ext4", uuid="da7a", label="data")


def test_the_lines_of_a_device_by_any_of_its_names(tmp_path: pathlib.Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/fstab").write_text(
        "UUID=da7a /a ext4\nLABEL=data /b ext4\nUUID=lost /c ext4\nUUID=other /d ext4\nUUID=da7a /e\n", encoding="utf-8"
    )
    patient = Patient(tools=Tools())
    patient.filesystems = (DATA,)
    patient.opened_tree = Tree(str(tmp_path))
    assert [entry.mount_point for entry in lines_of(patient, DATA)] == ["/a", "/b"]
    assert [entry.mount_point for entry in lines_of(patient, DATA, names=("UUID=lost",))] == ["/a", "/b", "/c"]
    assert len(fstab_lines(patient)) == 5


def test_it_is_read_again_after_a_change(tmp_path: pathlib.Path) -> None:
    patient = Patient(tools=Tools())
    patient.opened_tree = Tree(str(tmp_path))
    assert fstab_lines(patient) == []
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/fstab").write_text("UUID=da7a /a ext4\n", encoding="utf-8")
    assert fstab_lines(patient) == []
    patient.drop_facts()
    assert len(fstab_lines(patient)) == 1
