# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""Every family of faults on real disks, plugged one after the other into one running rescue system."""

from __future__ import annotations

import hashlib
import pathlib
import typing as t

import pytest
from openrescue_lab import breakage, daemon, guest, rescue
from openrescue_lab.rescue_guest import RescueGuest

#: breakage -> how far it is taken: one of each kind of remedy all the way, the others as far as they differ.
#: Those that go the whole way in test_recover.py are not repaired here once more.
BREAKAGES = {
    "fstab-missing-device": "reverted",
    "fstab-missing-data-disk": "repaired",
    "fstab-syntax": "repaired",
    "fstab-wrong-type": "repaired",
    "fstab-duplicate-mount-point": "repaired",
    "filesystem-corrupt": "reverted",
    "filesystem-corrupt-quietly": "repaired",
    "filesystem-superblock": "reverted",
    "filesystem-superblock-root": "found",
    "space-full": "reverted",
    "space-inodes": "found",
    "initramfs-missing": "found",
    "initramfs-empty": "found",
    "initramfs-truncated": "found",
    "grub-config-missing": "reverted",
    "grub-config-empty": "found",
    "grub-config-truncated": "found",
}
SERIOUS = ("critical", "error", "warning")


def sha256(path: pathlib.Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def serious(result: dict[str, t.Any]) -> set[str]:
    assert "findings" in result, result
    return {finding["fault"] for finding in result["findings"] if finding["severity"] in SERIOUS}


@pytest.fixture(scope="module")
def rescue_guest(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[RescueGuest]:
    daemon.up()
    running = RescueGuest.start("faults-rescue", rescue.rescue_image(), tmp_path_factory.mktemp("rescue"))
    yield running
    running.domain.undefine()


@pytest.fixture
def disk(tmp_path: pathlib.Path) -> pathlib.Path:
    return guest.copy_of(guest.guest().disk, tmp_path / "disk.raw")


@pytest.fixture
def plugged(rescue_guest: RescueGuest, disk: pathlib.Path) -> t.Iterator[t.Callable[[], RescueGuest]]:
    attached = []

    def plug() -> RescueGuest:
        rescue_guest.plug(disk)
        attached.append(disk)
        return rescue_guest

    yield plug
    if attached:
        rescue_guest.unplug()


def test_every_breakage_is_tried() -> None:
    assert set(breakage.names()) == set(BREAKAGES)


def test_a_healthy_disk(plugged: t.Callable[[], RescueGuest], disk: pathlib.Path) -> None:
    before = sha256(disk)
    result = plugged().module("disk_diagnose")
    assert serious(result) == set()
    assert result["verdict"] == "bootable"
    assert {check["status"] for check in result["checks"]} == {"ran"}
    assert sha256(disk) == before


@pytest.mark.parametrize("name", BREAKAGES)
def test_a_broken_disk(name: str, plugged: t.Callable[[], RescueGuest], disk: pathlib.Path) -> None:
    faults = breakage.apply(name, disk).faults
    before = sha256(disk)
    system = plugged()

    found = system.module("disk_diagnose")
    assert serious(found) == set(faults)
    assert sha256(disk) == before, "a diagnosis changes no bit"
    if BREAKAGES[name] == "found":
        return

    if BREAKAGES[name] == "reverted":
        tried = system.module("disk_repair", faults=list(faults), check=True)
        assert tried["changed"]
        assert sha256(disk) == before, "neither does a repair in check mode"

    done = system.module("disk_repair", findings=found["findings"], timeout=1500)
    assert {item["fault"] for item in done["applied"]} == set(faults), done
    assert done["diff"]["prepared"]
    assert serious(system.module("disk_diagnose")) == set()

    if BREAKAGES[name] == "reverted":
        assert not system.module("disk_repair", findings=found["findings"])["changed"]
        assert system.module("disk_repair", state="reverted", undo=done["undo"])["changed"]
        assert serious(system.module("disk_diagnose")) == set(faults)


def test_inodes_have_no_remedy(plugged: t.Callable[[], RescueGuest], disk: pathlib.Path) -> None:
    breakage.apply("space-inodes", disk)
    (finding,) = plugged().module("disk_diagnose", faults=["space-inodes"])["findings"]
    assert (finding["severity"], finding["remedy"]) == ("critical", None)
