# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._patient.checkup import certain_damage, problems
from ansible_collections.openrescue.server.plugins.module_utils._patient.patient import Filesystem, Patient
from ansible_collections.openrescue.server.plugins.module_utils._patient.tools import Completed, Tools

CLEAN = """e2fsck 1.47.0 (5-Feb-2023)
Pass 1: Checking inodes, blocks, and sizes
Pass 2: Checking directory structure
Pass 3: Checking directory connectivity
Pass 4: Checking reference counts
Pass 5: Checking group summary information
a.img: 211/76912 files (0.9% non-contiguous), 33594/307200 blocks
"""
COUNTS = CLEAN.replace(
    "a.img: 211", "Free blocks count wrong (273607, counted=275167).\nFix? no\n\na.img: ***** WARNING *****\na.img: 211"
)
DEEP = CLEAN.replace("Pass 3:", "Entry 'f1' in / (2) has deleted/unused inode 12.  Clear? no\n\nPass 3:")


class FakeTools(Tools):
    """All of them say the same."""

    def __init__(self, told: tuple[int, str] | None) -> None:
        super().__init__()
        self.told = told

    def has(self, name: str) -> bool:
        return self.told is not None

    def run(self, argv: t.Sequence[str], **_more: t.Any) -> Completed:
        assert self.told is not None
        return Completed(tuple(argv), *self.told, "", 0.0)


def patient(told: tuple[int, str] | None) -> Patient:
    return Patient(tools=FakeTools(told))


def test_problems_are_what_is_left_without_the_frame() -> None:
    assert problems(CLEAN) == []
    assert problems(COUNTS) == ["Free blocks count wrong (273607, counted=275167)."]
    assert problems(DEEP) == ["Entry 'f1' in / (2) has deleted/unused inode 12.  Clear? no"]


@pytest.mark.parametrize(
    ("fstype", "told", "why"),
    [
        ("ext4", (0, CLEAN), ""),
        ("ext4", (4, DEEP), "ext4 on it is damaged: Entry 'f1' in / (2) has deleted/unused inode 12.  Clear? no"),
        ("ext3", (4, "\x1b[2J is bad"), "ext3 on it is damaged: \\x1b[2J is bad"),
        ("ext4", (4, f"Warning: skipping journal recovery because ...\n{DEEP}"), ""),
        ("ext4", (8, "has unsupported feature(s)"), ""),
        ("xfs", (0, ""), ""),
        (
            "xfs",
            (1, "Phase 1\nagf_freeblks 7, counted 9 in ag 3, bad"),
            "xfs on it is damaged: agf_freeblks 7, counted 9",
        ),
        ("xfs", (1, ""), "xfs on it is damaged: its checker says so"),
        ("xfs", (1, "ALERT: The filesystem has valuable metadata changes in a log\nbad nblocks 7"), ""),
        ("xfs", (2, "bad superblock"), ""),
        ("btrfs", (1, "ERROR: errors found in quota groups"), ""),
        ("vfat", (1, "bad"), ""),
    ],
)
def test_only_what_is_certain_forbids_to_write(fstype: str, told: tuple[int, str], why: str) -> None:
    found = certain_damage(patient(told), Filesystem("/dev/vdb3", "/dev/dm-3", fstype))
    assert found.startswith(why) if why else found == ""


def test_without_a_checker_nobody_can_tell() -> None:
    assert certain_damage(patient(None), Filesystem("/dev/vdb3", "/dev/dm-3", "ext4")) == ""
