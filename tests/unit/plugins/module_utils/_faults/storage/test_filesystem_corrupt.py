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
from ansible_collections.openrescue.server.plugins.module_utils._faults.storage.shared import e2fsck, xfs_and_btrfs
from ansible_collections.openrescue.server.plugins.module_utils._faults.storage.shared.e2fsck import evidence_of
from ansible_collections.openrescue.server.plugins.module_utils._patient.patient import Filesystem

from ..fakes import ROOT, FakePatient, FakeTools
from .disks import OnDisk, debugfs, first_block, make, opened, trash_inodes


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
    assert FILESYSTEM_CORRUPT.repair is not None
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
    assert FILESYSTEM_CORRUPT.repair is not None
    FILESYSTEM_CORRUPT.repair(patient, finding, change)
    assert ["-y" in done for done in change.done if done[0] == "e2fsck"] == [False, True]
    assert list(FILESYSTEM_CORRUPT.detect(opened(tmp_path, image))) == []


def test_what_the_boots_check_would_repair_is_repaired_before_anything_is_written(tmp_path: pathlib.Path) -> None:
    """Nobody boots the server between the diagnosis and the repair of its fstab."""
    image = make(tmp_path)
    debugfs(image, f"freeb {first_block(image, '/f7')}", "set_super_value state 2")
    before = image.read_bytes()
    patient = opened(tmp_path, image)
    (finding,) = FILESYSTEM_CORRUPT.detect(patient)
    assert (finding.severity, finding.confidence, finding.remedy_safe) == ("info", "high", True)
    assert image.read_bytes() == before
    assert FILESYSTEM_CORRUPT.repair is not None
    FILESYSTEM_CORRUPT.repair(patient, finding, OnDisk(patient))
    assert list(FILESYSTEM_CORRUPT.detect(opened(tmp_path, image))) == []


def test_that_the_kernel_has_noted_an_error_is_no_damage_by_itself(tmp_path: pathlib.Path) -> None:
    image = make(tmp_path)
    debugfs(image, "set_super_value state 2")
    assert list(FILESYSTEM_CORRUPT.detect(opened(tmp_path, image))) == []


DATA = Filesystem("/dev/vdb5", "/dev/vdb5", "ext4", uuid="da7a0000-0000-4000-8000-000000000005")
STOPS = Finding(
    "filesystem-corrupt",
    "critical",
    "is damaged",
    evidence_of(DATA, ["Inode 7"]),
    "let e2fsck repair it",
    remedy_safe=True,
)
QUIET = dataclasses.replace(STOPS, severity="error")


def weigh(patient: FakePatient, *found: Finding) -> list[Finding]:
    assert FILESYSTEM_CORRUPT.weigh is not None
    return list(FILESYSTEM_CORRUPT.weigh(patient, found))


# What a damaged file system means depends on how the server uses it.


@pytest.mark.parametrize(
    ("found", "options", "severity", "safe"),
    [
        (STOPS, "/data ext4 defaults 0 2", "critical", True),
        (STOPS, "/data ext4 defaults 0 0", "error", True),
        (STOPS, "/data ext4 defaults", "error", True),
        (STOPS, "/data ext4 nofail 0 2", "error", True),
        (STOPS, "/data ext4 noauto 0 2", "error", True),
        (STOPS, "", "warning", False),
        (QUIET, "/data ext4 defaults 0 2", "error", True),
        (QUIET, "", "warning", False),
    ],
)
def test_damage_is_weighed_by_how_the_server_uses_it(
    patient: FakePatient, found: Finding, options: str, severity: str, safe: bool
) -> None:
    patient.filesystems = (*patient.filesystems, DATA)
    line = f"UUID={DATA.uuid} {options}\n" if options else ""
    patient.put("/etc/fstab", f"UUID={ROOT.uuid} / ext4 defaults 0 1\n{line}")
    assert [(item.severity, item.remedy_safe) for item in weigh(patient, found)] == [(severity, safe)]


def test_the_root_is_checked_whatever_fstab_says(patient: FakePatient) -> None:
    found = dataclasses.replace(STOPS, evidence=evidence_of(ROOT, []), key="")
    assert [item.severity for item in weigh(patient, found)] == ["critical"]


def test_without_an_operating_system_nothing_is_safe(patient: FakePatient) -> None:
    patient.filesystems, patient.root = (DATA,), None
    assert [(item.severity, item.remedy_safe) for item in weigh(patient, STOPS)] == [("critical", False)]


# What does not mount is a finding.


@pytest.mark.parametrize(
    ("device", "reason", "line", "severity"),
    [
        (ROOT.device, "Structure needs cleaning", "", "critical"),
        (DATA.device, "Structure needs cleaning", "/data ext4 defaults 0 0", "critical"),
        (DATA.device, "Structure needs cleaning", "/data ext4 nofail 0 0", "error"),
        (DATA.device, "Structure needs cleaning", "", "warning"),
        (DATA.device, "Invalid argument", "/data ext4 defaults 0 0", "warning"),  # newer than this kernel, perhaps
    ],
)
def test_what_cannot_be_mounted_is_told(
    patient: FakePatient, device: str, reason: str, line: str, severity: str
) -> None:
    patient.filesystems = (*patient.filesystems, DATA)
    patient.unmountable = {device: reason}
    patient.put("/etc/fstab", f"UUID={DATA.uuid} {line}\n" if line else "")
    (found,) = weigh(patient)
    assert (found.severity, found.evidence[0].device, found.remedy) == (severity, device, None)


def test_a_root_that_cannot_be_mounted_is_told(patient: FakePatient) -> None:
    """Then there is no tree, so that nothing says which device it is."""
    patient.filesystems = (dataclasses.replace(ROOT, mount_point=None),)
    patient.root = patient.boot = patient.opened_tree = None
    patient.unmountable = {ROOT.device: "Structure needs cleaning"}
    (found,) = weigh(patient)
    assert (found.severity, found.evidence[0].device, found.remedy) == ("critical", ROOT.device, None)


def test_damage_that_does_not_mount_is_one_finding(patient: FakePatient) -> None:
    patient.filesystems = (*patient.filesystems, DATA)
    patient.unmountable = {DATA.device: "Structure needs cleaning"}
    patient.put("/etc/fstab", f"UUID={DATA.uuid} /data ext4 defaults 0 0\n")
    assert [(item.key, item.severity) for item in weigh(patient, QUIET)] == [(QUIET.key, "critical")]


XFS_FINDINGS = [
    # in a layer?, what the replay says, what xfs_repair -n says: code and output, severity
    (True, "", (0, ""), None),
    (True, "", (1, "bad nblocks 7"), "error"),
    (True, "", (2, ""), None),
    (True, "Structure needs cleaning", (0, ""), "error"),
    (True, "Invalid argument", (0, ""), None),
    (False, "", (1, "bad nblocks 7"), "error"),
    (False, "", (1, "ALERT: The filesystem has valuable metadata changes in a log\nbad nblocks 7"), "info"),
]


@pytest.mark.parametrize(("layer", "replay", "told", "severity"), XFS_FINDINGS)
def test_xfs_is_checked_after_its_log_was_replayed(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: pathlib.Path,
    layer: bool,
    replay: str,
    told: tuple[int, str],
    severity: str | None,
) -> None:
    tools = FakeTools({("xfs_repair", "-n"): told})
    order: list[str] = []

    def replayed(item: Filesystem) -> str:
        assert not tools.asked
        order.append(item.reading_device)
        return replay

    monkeypatch.setattr(xfs_and_btrfs, "replay_journal", replayed)
    patient = FakePatient(tmp_path, tools=tools)
    patient.filesystems = (dataclasses.replace(ROOT, fstype="xfs", writable=layer),)
    findings = list(FILESYSTEM_CORRUPT.detect(patient))
    assert [finding.severity for finding in findings] == ([severity] if severity else [])
    assert [finding.remedy for finding in findings] == [None] * len(findings)
    assert order == ([ROOT.reading_device] if layer else []), "never where it reaches the disk"


def test_a_file_system_over_several_devices_is_not_judged_by_a_part_of_it(tmp_path: pathlib.Path) -> None:
    output = "warning, device 2 is missing\nERROR: cannot open file system"
    patient = FakePatient(tmp_path, tools=FakeTools({("btrfs", "check"): (1, output)}))
    patient.filesystems = (dataclasses.replace(ROOT, fstype="btrfs"),)
    assert [finding.severity for finding in FILESYSTEM_CORRUPT.detect(patient)] == ["info"]


def test_a_file_system_is_checked_once_until_something_changes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    monkeypatch.setattr(e2fsck, "replay_journal", lambda _item: "")
    tools = FakeTools({("e2fsck",): (0, "")})
    patient = FakePatient(tmp_path, tools=tools)
    patient.filesystems = (dataclasses.replace(ROOT, writable=True),)
    for _again in range(3):
        list(FILESYSTEM_CORRUPT.detect(patient))
    assert len(tools.asked) == 1
    patient.drop_facts()
    list(FILESYSTEM_CORRUPT.detect(patient))
    assert len(tools.asked) == 2
