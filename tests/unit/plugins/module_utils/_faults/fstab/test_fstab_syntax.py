# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from .lines import DEBIAN, GONE, B, R, X, judged, only, see_broken

# the line, severity, what is left of it after the repair
BROKEN = [
    (f"{B} /boot ext4 defualts 0 2", "critical", f"{B} /boot ext4 defaults 0 2"),
    (f"{B} /boot ext4 noatime,nofial 0 2", "critical", f"{B} /boot ext4 noatime,nofail 0 2"),
    (f"{B} /boot ext4 default 0 2", "critical", f"{B} /boot ext4 defaults 0 2"),
    (f"{B}/boot ext4 defaults 0 2", "error", f"{B} /boot ext4 defaults 0 2"),
    (f"{X} /my data xfs defaults 0 0", "critical", f"{X} /my\\040data xfs defaults 0 0"),
    (f"{B} /boot ext4 defaults 0 two", "warning", f"{B} /boot ext4 defaults 0 0"),
    (f"{B} /boot ext4 defaults # the boot", "warning", f"{B} /boot ext4 defaults 0 0 # the boot"),
    (f"{B} boot ext4 defaults 0 2", "error", None),
    ("rubbish", "warning", None),
    (f"{X} /data", "warning", f"{X} /data auto"),
    (f"{B}/usr ext4 defaults 0 2", "critical", f"{B} /usr ext4 defaults 0 2"),
    ('LABEL="my data" /d xfs defaults 0 0', "error", 'LABEL="my\\040data" /d xfs defaults 0 0'),
]


@pytest.mark.parametrize(("line", "severity", "fixed"), BROKEN, ids=[row[0] for row in BROKEN])
def test_a_broken_line(line: str, severity: str, fixed: str | None) -> None:
    see_broken(line, "fstab-syntax", severity, fixed)


GLUED = [
    (f"{B}/boot ext4 defaults 0 2", True),
    ("/dev/vda2/boot ext4 defaults 0 2", True),
    ("/dev/mapper/rhel-root/boot xfs defaults 0 0", True),
    ("LABEL=data/data xfs defaults 0 0", True),
    ("/dev/mapper/rhel-gone none swap defaults 0 0", False),
    ("/dev/mapper/rhel-swap none swap defaults 0 0", False),
    (f"{GONE}/boot ext4 defaults 0 2", False),
    ("/dev/vda2/boot none defaults 0 2", False),
]


@pytest.mark.parametrize(("line", "split"), GLUED, ids=[row[0] for row in GLUED])
def test_only_what_begins_with_a_device_of_the_patient_is_split(line: str, split: bool) -> None:
    assert any("written together" in one.summary for _kind, one in judged(f"{DEBIAN}{line}\n")) == split


def test_a_root_line_that_cannot_be_read_is_written_anew_and_never_commented_out() -> None:
    assert only(f"{R} ext4\n")[1].new_line == f"{R} / ext4 defaults 0 1"


def test_a_second_root_line_that_cannot_be_read_is_not_written_anew() -> None:
    assert only(f"{DEBIAN}{R} ext4\n")[1].new_line is None


def test_a_line_is_not_commented_out_unasked_where_nobody_knows_what_was_meant() -> None:
    assert [problem.safe for _kind, problem in judged(f"{DEBIAN}{B} boot ext4 defaults 0 2\nrubbish\n")] == [False] * 2
