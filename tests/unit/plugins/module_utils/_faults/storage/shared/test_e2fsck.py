# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._faults.storage.shared.e2fsck import (
    Checked,
    is_benign,
    judge_ext,
)

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


@pytest.mark.parametrize(
    ("output", "benign"), [(CLEAN, True), (COUNTS, True), (DEEP, False), ("", False), ("x", False)]
)
def test_only_counts_are_benign(output: str, benign: bool) -> None:
    assert is_benign(output) == benign


@pytest.mark.parametrize(
    ("first", "boot", "full", "output", "severity", "repairable"),
    [
        (0, 0, 0, CLEAN, None, None),
        (4, 1, 0, CLEAN, "info", True),
        (4, 4, 4, DEEP, "critical", True),
        (4, 12, 4, "The physical size of the device is 7 blocks", "critical", False),
        (4, 0, 4, DEEP, "error", True),
        (4, None, 4, DEEP, "error", True),
        (4, None, 4, f"Warning: skipping journal recovery because ...\n{DEEP}", "info", False),
        (8, 8, 8, "has unsupported feature(s)", "info", False),
        (0, None, 0, CLEAN, None, None),
    ],
)
def test_what_e2fsck_says(
    first: int, boot: int | None, full: int, output: str, severity: str | None, repairable: bool | None
) -> None:
    judgement = judge_ext(Checked(first, boot, full, output, (), preen=False))
    assert (judgement and judgement.severity, judgement and judgement.repairable) == (severity, repairable)
