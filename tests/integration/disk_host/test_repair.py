# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""disk_repair and its undo, on the file systems that servers have."""

from __future__ import annotations

import os
import pathlib

import pytest
from loop_disk import BOOT_UUID, FIXED, FSTAB, WRONG_UUID, Disk, files, module, mounted, run
from openrescue_lab.disk import sha256


@pytest.mark.parametrize("disk", ["ext4", "xfs", "btrfs"], indirect=True)
def test_repaired_tried_and_put_back(disk: Disk) -> None:
    before = sha256(disk.image)
    tried = module("disk_repair", check=True, devices=[disk.device], faults=["fstab-missing-device"])
    assert sha256(disk.image) == before
    assert tried["changed"] is True
    assert tried["undo"] is None

    repaired = module("disk_repair", devices=[disk.device], faults=["fstab-missing-device"])
    assert repaired["changed"] is True
    assert repaired["diff"] == tried["diff"]
    assert f"-UUID={WRONG_UUID} /boot" in repaired["applied"][0]["diff"]
    assert FIXED in disk.fstab()
    with mounted(disk.root, disk.folder / "mnt", "-o", "ro") as root:
        found = (root / "etc/fstab").stat()
        assert (found.st_mode & 0o777, found.st_gid) == (0o640, 8)
        assert os.getxattr(root / "etc/fstab", "user.kept") == b"yes"
        assert (root / f"var/lib/openrescue/undo/{repaired['undo']}/manifest.json").exists()

    after = sha256(disk.image)
    again = module("disk_repair", devices=[disk.device], faults=["fstab-missing-device"])
    assert again["changed"] is False
    assert sha256(disk.image) == after

    # Of a later rescue, which has the patient's own copy of the bundle only.
    run("rm", "-r", f"/var/lib/openrescue/undo/{repaired['undo']}")
    reverted = module("disk_repair", devices=[disk.device], state="reverted", undo=repaired["undo"])
    assert reverted["changed"] is True
    assert disk.fstab() == FSTAB.format(fstype=disk.fstype)
    with mounted(disk.root, disk.folder / "mnt", "-o", "ro") as root:
        assert not (root / "var/lib/openrescue").exists()
    assert module("disk_repair", devices=[disk.device], state="reverted", undo=repaired["undo"])["changed"] is False


def test_what_was_changed_since_is_not_reverted(disk: Disk) -> None:
    undo = module("disk_repair", devices=[disk.device], faults=["fstab-missing-device"])["undo"]
    with mounted(disk.root, disk.folder / "mnt") as root:
        (root / "etc/fstab").write_text("# mine\n")
    result = module("disk_repair", devices=[disk.device], state="reverted", undo=undo)
    assert "changed since" in result["msg"]
    assert disk.fstab() == "# mine\n"


def test_a_repaired_file_system_is_put_back_to_the_byte(disk: Disk) -> None:
    with open(disk.boot, "r+b") as file:
        file.seek(1024)
        file.write(bytes(1024))
    before = sha256(disk.image)
    found = module("disk_diagnose", devices=[disk.device])
    assert "filesystem-superblock" in [finding["fault"] for finding in found["findings"]]
    assert sha256(disk.image) == before
    repaired = module("disk_repair", devices=[disk.device], faults=["filesystem-superblock"])
    assert [item["fault"] for item in repaired["applied"]] == ["filesystem-superblock"], repaired
    assert run("blkid", "-p", "-o", "value", "-s", "UUID", disk.boot).strip() == BOOT_UUID
    module("disk_repair", devices=[disk.device], state="reverted", undo=repaired["undo"])
    assert sha256(disk.image) == before


def flags(path: pathlib.Path) -> str:
    return run("lsattr", "-d", path).split()[0].replace("-", "").replace("e", "").replace("m", "")


@pytest.mark.parametrize("disk", ["ext4", "xfs", "btrfs"], indirect=True)
def test_what_chattr_and_selinux_have_set_is_kept(disk: Disk) -> None:
    label = b"system_u:object_r:etc_t:s0\0"
    with mounted(disk.root, disk.folder / "mnt") as root:
        os.setxattr(root / "etc/fstab", "security.selinux", label)
        run("chattr", "+iA", root / "etc/fstab")
        run("chattr", "+a", root / "etc")
    done = module("disk_repair", devices=[disk.device], faults=["fstab-missing-device"])
    assert "msg" not in done, done
    assert FIXED in disk.fstab()

    def look() -> tuple[str, str, bytes]:
        with mounted(disk.root, disk.folder / "mnt", "-o", "ro") as root:
            return flags(root / "etc/fstab"), flags(root / "etc"), os.getxattr(root / "etc/fstab", "security.selinux")

    assert look() == ("iA", "a", label)
    assert module("disk_repair", devices=[disk.device], state="reverted", undo=done["undo"])["changed"]
    assert FIXED not in disk.fstab()
    assert look() == ("iA", "a", label)


def test_a_file_with_two_names_is_refused(disk: Disk) -> None:
    with mounted(disk.root, disk.folder / "mnt") as root:
        os.link(root / "etc/fstab", root / "etc/fstab.kept")
    before = files(disk)
    result = module("disk_repair", devices=[disk.device], faults=["fstab-missing-device"])
    assert "/etc/fstab has 2 names (hard links)" in result["msg"]
    assert "disk_mount" in result["msg"]
    assert files(disk) == before


def test_the_undo_of_a_repair_that_changed_nothing() -> None:
    result = module("disk_repair", state="reverted", undo=None)
    assert result["msg"] == "there is no undo to revert: a repair that changed nothing returns none"


def fill(root: pathlib.Path) -> None:
    """With what an update has fetched, to the last byte."""
    cache = root / "var/cache/apt/archives"
    cache.mkdir(parents=True)
    for size in (16 << 20, 1 << 20, 1 << 16, 1 << 12):
        for number in range(100):
            try:
                (cache / f"linux-image-{size}-{number}_1.0_amd64.deb").write_bytes(os.urandom(1 << 12) * (size >> 12))
            except OSError:
                break
    os.sync()


@pytest.mark.parametrize("disk", ["ext4", "btrfs"], indirect=True)
def test_a_full_file_system_has_room_again_for_the_remedies_that_follow(disk: Disk) -> None:
    with mounted(disk.root, disk.folder / "mnt") as root:
        fill(root)
    found = module("disk_diagnose", devices=[disk.device])
    wanted = ["fstab-missing-device", "space-full"]
    assert sorted({item["fault"] for item in found["findings"]} & set(wanted)) == wanted, found["findings"]
    done = module("disk_repair", devices=[disk.device], faults=wanted)
    assert sorted(item["fault"] for item in done["applied"]) == wanted, [
        item["reason"] for item in (*done["failed_findings"], *done["skipped_findings"])
    ]
    assert FIXED in disk.fstab()
    left = module("disk_diagnose", devices=[disk.device], faults=wanted)
    assert [item for item in left["findings"] if item["severity"] != "info"] == []


@pytest.mark.parametrize("disk", ["btrfs"], indirect=True)
def test_a_btrfs_that_was_full_once_is_healthy(disk: Disk) -> None:
    """All of its device is given out to block groups, of which some are empty: so is one that is in use for long."""
    with mounted(disk.root, disk.folder / "mnt") as root:
        fill(root)
        for path in sorted((root / "var/cache/apt/archives").glob("linux-image-16777216-*"))[:10]:
            path.unlink()
    found = module("disk_diagnose", devices=[disk.device])
    assert "space-full" not in [item["fault"] for item in found["findings"] if item["severity"] != "info"], found
