# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._faults.storage.shared.disposable import (
    CACHES,
    emptied_at_boot,
)
from ansible_collections.openrescue.server.plugins.module_utils._faults.storage.shared.space import (
    judge_bytes,
    largest,
)
from ansible_collections.openrescue.server.plugins.module_utils._faults.storage.space_full import SPACE_FULL
from ansible_collections.openrescue.server.plugins.module_utils._patient.write.errors import NoRoom

from ..fakes import BOOT, ROOT, FakeChange, FakePatient

MIB = 1024 * 1024
GIB = 1024 * MIB


@pytest.mark.parametrize(
    ("mount_point", "total", "free", "available", "severity"),
    [
        ("/", 10 * GIB, 5 * GIB, 4 * GIB, None),
        ("/", 10 * GIB, 2 * GIB, GIB + GIB // 2, None),
        ("/", 10 * GIB, GIB, GIB // 2, "info"),
        ("/", 10 * GIB, GIB // 2, 0, "error"),  # what is left is reserved for root: daemons of users fail
        ("/", 10 * GIB, 50 * MIB, 50 * MIB, "error"),
        ("/", 10 * GIB, 0, 0, "critical"),
        ("/", 1000 * GIB, 500 * MIB, 500 * MIB, "error"),
        ("/", 1000 * GIB, 5 * MIB, 5 * MIB, "critical"),
        ("/", 1000 * GIB, 8 * GIB, 8 * GIB, "info"),  # a hundredth of much is much
        ("/var", 10 * GIB, 1 * MIB, 1 * MIB, "critical"),
        ("/tmp", 10 * GIB, 1 * MIB, 1 * MIB, "critical"),
        ("/boot", 500 * MIB, 200 * MIB, 175 * MIB, None),
        ("/boot", 500 * MIB, 40 * MIB, 15 * MIB, "info"),
        ("/boot", 200 * MIB, 10 * MIB, 0, "info"),  # only root writes there
        ("/boot", 500 * MIB, 0, 0, "error"),
        ("/srv/data", 500 * GIB, 0, 0, None),
        ("/boot/efi", 100 * MIB, 0, 0, None),
        ("/", 0, 0, 0, None),
        ("/tmp", MIB, 0, 0, None),
    ],
)
def test_bytes(mount_point: str, total: int, free: int, available: int, severity: str | None) -> None:
    assert judge_bytes(mount_point, total=total, free=free, available=available) == severity


@pytest.mark.parametrize(
    ("path", "goes"),
    [
        ("/var/cache/apt/archives/bash_5.2_amd64.deb", True),
        ("/var/cache/apt/archives/partial/bash_5.2_amd64.deb", True),
        ("/var/cache/apt/archives/lock", False),
        ("/var/cache/apt/archives/notes.txt", False),
        ("/var/cache/dnf/updates-1234/packages/bash.rpm", True),
        ("/var/cache/dnf/updates-1234/repodata/primary.xml.gz", True),
        ("/var/cache/dnf/last_makecache", False),
        ("/var/cache/pacman/pkg/bash-5.2-1-x86_64.pkg.tar.zst", True),
        ("/var/log/syslog", False),
        ("/var/lib/mysql/x.deb", False),
        ("/home/me/x.deb", False),
        ("/var/cache/apt/archives/../../../lib/x.deb", False),
    ],
)
def test_what_may_go(path: str, goes: bool) -> None:
    assert any(pattern.match(path) for _top, pattern in CACHES) == goes


@pytest.mark.parametrize(
    ("text", "emptied"),
    [
        ("D /tmp 1777 root root -\n", True),
        ("D! /tmp 1777 root root 10d\n", True),
        ("q /tmp 1777 root root 10d\nq /var/tmp 1777 root root 30d\n", False),
        ("#D /tmp 1777 root root -\n", False),
        ("D /tmp/x 1777 root root -\n", False),
        (None, False),
    ],
)
def test_whether_tmp_is_emptied_at_boot(text: str | None, emptied: bool) -> None:
    assert emptied_at_boot(text) == emptied


def test_the_largest() -> None:
    files = [("/var/log/a/b/1", 3), ("/var/log/a/b/2", 4), ("/var/big", 5), ("/etc/x", 1)]
    assert largest(files, limit=2) == [("/var/log/a", 7), ("/var/big", 5)]


def fill(patient: FakePatient) -> None:
    full = dataclasses.replace(ROOT, total_bytes=2 * GIB, free_bytes=0, available_bytes=0)
    patient.filesystems = (dataclasses.replace(BOOT), full)
    patient.put("/var/cache/apt/archives/a_1_amd64.deb", b"x" * 3 * MIB)
    patient.put("/var/cache/apt/archives/lock", b"x" * 8192)
    patient.put("/var/log/syslog", b"x" * 5 * MIB)


def test_caches_go_and_nothing_else(patient: FakePatient) -> None:
    fill(patient)
    (finding,) = SPACE_FULL.detect(patient)
    assert (finding.severity, finding.remedy_safe) == ("critical", True)
    change = FakeChange(patient)
    SPACE_FULL.repair(patient, finding, change)
    assert change.done == [("move_out", "/var/cache/apt/archives/a_1_amd64.deb"), ("settle", "/")]


def test_room_is_made_for_everybody_and_not_only_where_the_file_system_keeps_it(patient: FakePatient) -> None:
    """On btrfs, and where blocks are reserved for root."""
    fill(patient)
    *others, full = patient.filesystems
    patient.filesystems = (*others, dataclasses.replace(full, free_bytes=GIB, available_bytes=0))
    (finding,) = SPACE_FULL.detect(patient)
    change = FakeChange(patient)
    SPACE_FULL.repair(patient, finding, change)
    assert ("move_out", "/var/cache/apt/archives/a_1_amd64.deb") in change.done


def test_without_caches_the_finding_says_where_the_space_is(patient: FakePatient) -> None:
    fill(patient)
    (patient.directory / "var/cache/apt/archives/a_1_amd64.deb").unlink()
    (finding,) = SPACE_FULL.detect(patient)
    assert (finding.remedy, finding.remedy_safe) == (None, False)
    assert finding.evidence[1].path == "/var/log/syslog"


def test_an_undo_bundle_without_room_is_a_failure(patient: FakePatient) -> None:
    class Full(FakeChange):
        def move_out(self, path: str) -> None:
            raise NoRoom(f"no room for {path}")

    fill(patient)
    (finding,) = SPACE_FULL.detect(patient)
    with pytest.raises(NoRoom):
        SPACE_FULL.repair(patient, finding, Full(patient))


@pytest.mark.parametrize(
    ("fstab", "unit", "goes"),
    [
        ("", "", True),
        ("tmpfs /tmp tmpfs defaults 0 0\n", "", False),
        ("", "/usr/lib/systemd/system/local-fs.target.wants/tmp.mount", False),
    ],
)
def test_what_a_file_system_in_memory_hides_is_not_what_is_emptied(
    patient: FakePatient, fstab: str, unit: str, goes: bool
) -> None:
    fill(patient)
    (patient.directory / "var/cache/apt/archives/a_1_amd64.deb").unlink()
    patient.put("/usr/lib/tmpfiles.d/tmp.conf", "D /tmp 1777 root root -\n")
    patient.put("/tmp/left", b"x" * 2 * MIB)
    patient.put("/etc/fstab", fstab)
    if unit:
        patient.put(unit)
    (finding,) = SPACE_FULL.detect(patient)
    assert (finding.remedy is not None) == goes


@pytest.mark.parametrize("fstype", ["squashfs", "erofs", "iso9660"])
def test_what_nobody_writes_to_is_always_full(patient: FakePatient, fstype: str) -> None:
    fill(patient)
    patient.filesystems = tuple(dataclasses.replace(item, fstype=fstype) for item in patient.filesystems)
    assert list(SPACE_FULL.detect(patient)) == []
