# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import pathlib
import subprocess

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._faults.model import Finding
from ansible_collections.openrescue.server.plugins.module_utils._faults.storage.filesystem_corrupt import (
    FILESYSTEM_CORRUPT,
)
from ansible_collections.openrescue.server.plugins.module_utils._faults.storage.filesystem_superblock import (
    FILESYSTEM_SUPERBLOCK,
)
from ansible_collections.openrescue.server.plugins.module_utils._patient.devices.lost import lost_filesystems

from ..fakes import ROOT, FakePatient
from .disks import OnDisk, make, opened, trash_inodes


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
    assert "LABEL=data" in lost_filesystems(patient)[0].names
    assert FILESYSTEM_SUPERBLOCK.repair is not None
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


# What fstab does not name was wiped as likely as lost.


@pytest.mark.parametrize(
    ("fstab", "severity", "safe"),
    [
        ("UUID={uuid} /data ext4 defaults 0 2\n", "critical", True),
        ("LABEL=data /data ext4 defaults 0 0\n", "critical", True),
        ("UUID={uuid} /data ext4 defaults,nofail 0 2\n", "error", True),
        ("UUID={uuid} /data ext4 noauto 0 0\n", "error", True),
        ("", "info", False),
        ("UUID=00000000-0000-4000-8000-000000000000 /data ext4 nofail 0 0\n", "info", False),
        (None, "critical", False),
    ],
)
def test_a_lost_superblock_is_weighed_by_what_names_it(
    tmp_path: pathlib.Path, fstab: str | None, severity: str, safe: bool
) -> None:
    image = make(tmp_path)
    with image.open("r+b") as raw:
        raw.write(bytes(2048))
    patient = opened(tmp_path, image, blank=True)
    if fstab is None:  # no operating system that could say
        patient.root = None
    else:
        uuid = lost_filesystems(patient)[0].superblock.uuid
        patient.put("/etc/fstab", f"UUID={ROOT.uuid} / ext4 defaults 0 1\n" + fstab.format(uuid=uuid))
    weighed = weigh(patient, list(FILESYSTEM_SUPERBLOCK.detect(patient)))
    assert [(item.severity, item.remedy_safe) for item in weighed] == [(severity, safe)]


def test_a_superblock_that_came_back_in_a_layer_is_found_by_its_name(tmp_path: pathlib.Path) -> None:
    image = make(tmp_path)
    with image.open("r+b") as raw:
        raw.write(bytes(2048))
    patient = opened(tmp_path, image, blank=True)
    found = list(FILESYSTEM_SUPERBLOCK.detect(patient))
    uuid = lost_filesystems(patient)[0].superblock.uuid
    patient.filesystems = (ROOT, dataclasses.replace(patient.blank[0], fstype="ext4", uuid=uuid))
    patient.blank = ()
    patient.put("/etc/fstab", f"UUID={uuid} /data ext4 defaults 0 2\n")
    assert [(item.severity, item.remedy_safe) for item in weigh(patient, found)] == [("critical", True)]


def weigh(patient: FakePatient, found: list[Finding]) -> list[Finding]:
    assert FILESYSTEM_SUPERBLOCK.weigh is not None
    return list(FILESYSTEM_SUPERBLOCK.weigh(patient, found))
