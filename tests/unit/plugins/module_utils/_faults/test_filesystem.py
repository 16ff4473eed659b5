# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import pathlib
import subprocess

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._faults.storage.filesystem import (
    FILESYSTEM_CORRUPT,
    FILESYSTEM_SUPERBLOCK,
    is_benign,
    judge_ext,
    lost_filesystems,
    problems,
)
from ansible_collections.openrescue.server.plugins.module_utils._patient.patient import Filesystem
from ansible_collections.openrescue.server.plugins.module_utils._patient.tools import Tools

from .fakes import FakeChange, FakePatient, FakeTools

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


def test_problems_are_what_is_left_without_the_frame() -> None:
    assert problems(CLEAN) == []
    assert problems(COUNTS) == ["Free blocks count wrong (273607, counted=275167)."]
    assert problems(DEEP) == ["Entry 'f1' in / (2) has deleted/unused inode 12.  Clear? no"]


@pytest.mark.parametrize(
    ("output", "benign"), [(CLEAN, True), (COUNTS, True), (DEEP, False), ("", False), ("x", False)]
)
def test_only_counts_are_benign(output: str, benign: bool) -> None:
    assert is_benign(output) == benign


@pytest.mark.parametrize(
    ("boot", "full", "output", "severity", "repairable"),
    [
        (0, 0, CLEAN, None, None),
        (1, 0, CLEAN, None, None),  # an orphan, a journal: every boot heals that
        (4, 4, DEEP, "critical", True),
        (12, 4, "The physical size of the device is 7 blocks", "critical", False),
        (0, 4, DEEP, "error", True),
        (None, 4, DEEP, "error", True),
        (None, 4, f"Warning: skipping journal recovery because ...\n{DEEP}", "info", False),
        (8, 8, "has unsupported feature(s)", "info", False),
        (None, 0, CLEAN, None, None),
    ],
)
def test_what_e2fsck_says(
    boot: int | None, full: int, output: str, severity: str | None, repairable: bool | None
) -> None:
    judgement = judge_ext(boot=boot, full=full, output=output)
    assert (judgement and judgement.severity, judgement and judgement.repairable) == (severity, repairable)


# From here on: the real e2fsprogs, on files.


class OnDisk(FakeChange):
    """Runs the tool on the file that stands for the disk, with an undo file."""

    def run_on_device(self, filesystem, argv, *, timeout, ok=(0,)):  # type: ignore[no-untyped-def]
        words = [filesystem.device if word == "{device}" else word for word in argv]
        self.done.append(tuple(argv))
        return self.patient.tools.run([words[0], "-z", f"{filesystem.device}.undo", *words[1:]], timeout=timeout, ok=ok)


def make(tmp_path: pathlib.Path, *, block_size: int = 1024) -> pathlib.Path:
    image, content = tmp_path / "disk.img", tmp_path / "content"
    content.mkdir()
    for number in range(60):
        (content / f"f{number}").write_bytes(bytes([number]) * 9000)
    size = "48M" if block_size == 1024 else "192M"
    subprocess.run(
        ["mkfs.ext4", "-q", "-L", "data", "-b", str(block_size), "-d", content, image, size], check=True, timeout=60
    )
    return image


def opened(tmp_path: pathlib.Path, image: pathlib.Path, *, blank: bool = False, overlay: bool = True) -> FakePatient:
    """A patient with this disk: its overlay is a copy, as throw-away as the real one."""
    copy = image.with_suffix(".overlay") if overlay else image
    if overlay:
        copy.write_bytes(image.read_bytes())
    item = Filesystem(str(image), str(copy), "" if blank else "ext4", size=image.stat().st_size, writable=overlay)
    patient = FakePatient(tmp_path, tools=Tools())
    patient.filesystems, patient.blank = ((), (item,)) if blank else ((item,), ())
    return patient


def debugfs(image: pathlib.Path, *requests: str) -> None:
    for request in requests:
        subprocess.run(["debugfs", "-w", "-R", request, image], check=True, capture_output=True, timeout=60)


def trash_inodes(image: pathlib.Path, inode: int = 14) -> None:
    told = subprocess.run(
        ["debugfs", "-R", f"imap <{inode}>", image], check=True, capture_output=True, text=True, timeout=60
    )
    block = int(told.stdout.split("located at block ")[1].split(",")[0])
    with image.open("r+b") as raw:
        raw.seek(block * 1024)
        raw.write(b"\xa5" * 1024)


@pytest.mark.parametrize("overlay", [True, False])
def test_a_healthy_file_system(tmp_path: pathlib.Path, overlay: bool) -> None:
    image = make(tmp_path)
    before = image.read_bytes()
    assert list(FILESYSTEM_CORRUPT.detect(opened(tmp_path, image, overlay=overlay))) == []
    assert image.read_bytes() == before


@pytest.mark.parametrize("overlay", [True, False])
def test_a_lost_inode_is_found_and_repaired(tmp_path: pathlib.Path, overlay: bool) -> None:
    image = make(tmp_path)
    debugfs(image, "clri /f7")
    before = image.read_bytes()
    (finding,) = FILESYSTEM_CORRUPT.detect(opened(tmp_path, image, overlay=overlay))
    assert image.read_bytes() == before
    assert (finding.severity, finding.remedy_safe) == ("error", overlay)
    assert "f7" in (finding.evidence[1].text or "")
    patient = opened(tmp_path, image)
    FILESYSTEM_CORRUPT.repair(patient, finding, OnDisk(patient))
    assert list(FILESYSTEM_CORRUPT.detect(opened(tmp_path, image))) == []
    subprocess.run(["e2undo", f"{image}.undo", image], check=True, capture_output=True, timeout=60)
    assert image.read_bytes() == before


def test_garbage_that_stops_the_boot_is_critical_and_not_repaired_unasked(tmp_path: pathlib.Path) -> None:
    image = make(tmp_path)
    trash_inodes(image)
    debugfs(image, "set_super_value state 2")
    (finding,) = FILESYSTEM_CORRUPT.detect(opened(tmp_path, image))
    assert (finding.severity, finding.remedy_safe, finding.remedy is None) == ("critical", False, False)
    patient = opened(tmp_path, image)
    change = OnDisk(patient)
    FILESYSTEM_CORRUPT.repair(patient, finding, change)
    assert ["-y" in done for done in change.done if done[0] == "e2fsck"] == [False, True]
    assert list(FILESYSTEM_CORRUPT.detect(opened(tmp_path, image))) == []


@pytest.mark.parametrize("block_size", [1024, 4096])
def test_a_lost_superblock_comes_back(tmp_path: pathlib.Path, block_size: int) -> None:
    image = make(tmp_path, block_size=block_size)
    with image.open("r+b") as raw:
        raw.write(bytes(2048))
    before = image.read_bytes()
    patient = opened(tmp_path, image, blank=True)
    (finding,) = FILESYSTEM_SUPERBLOCK.detect(patient)
    assert image.read_bytes() == before
    assert (finding.severity, finding.remedy_safe) == ("critical", True)
    assert "LABEL=data" in lost_filesystems(patient)
    FILESYSTEM_SUPERBLOCK.repair(patient, finding, OnDisk(patient))
    assert list(FILESYSTEM_CORRUPT.detect(opened(tmp_path, image))) == []
    subprocess.run(["blkid", "-p", image], check=True, capture_output=True, timeout=60)


def test_a_copy_that_has_outlived_its_file_system_is_no_finding(tmp_path: pathlib.Path) -> None:
    image = make(tmp_path)
    with image.open("r+b") as raw:
        raw.write(b"\x5a" * 7 * 1024 * 1024)
    assert list(FILESYSTEM_SUPERBLOCK.detect(opened(tmp_path, image, blank=True))) == []


def test_a_copy_that_the_rest_does_not_fit_to_is_not_used_unasked(tmp_path: pathlib.Path) -> None:
    image = make(tmp_path)
    trash_inodes(image, 2)
    with image.open("r+b") as raw:
        raw.write(bytes(2048))
    (finding,) = FILESYSTEM_SUPERBLOCK.detect(opened(tmp_path, image, blank=True))
    assert (finding.severity, finding.remedy_safe, finding.confidence) == ("warning", False, "low")


def test_an_empty_device_has_no_finding(tmp_path: pathlib.Path) -> None:
    image = tmp_path / "disk.img"
    with image.open("wb") as raw:
        raw.truncate(64 * 1024 * 1024)
    assert list(FILESYSTEM_SUPERBLOCK.detect(opened(tmp_path, image, blank=True))) == []


@pytest.mark.parametrize(
    ("rc", "output", "found"),
    [(0, "", 0), (1, "bad nblocks 7", 1), (1, "ALERT: dirty log\nbad nblocks 7", 0), (2, "", 0)],
)
def test_xfs_is_reported_unless_its_log_is_dirty(tmp_path: pathlib.Path, rc: int, output: str, found: int) -> None:
    patient = FakePatient(tmp_path, tools=FakeTools({("xfs_repair", "-n"): (rc, output)}))
    patient.filesystems = (dataclasses.replace(patient.filesystems[0], fstype="xfs"),)
    findings = list(FILESYSTEM_CORRUPT.detect(patient))
    assert [finding.remedy for finding in findings] == [None] * found
