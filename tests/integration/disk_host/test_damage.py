# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nothing is written to a damaged file system, where every block that is taken for free may be somebody's."""

from __future__ import annotations

import pathlib

import pytest
from loop_disk import BOOT_UUID, FSTAB, WRONG_UUID, Disk, module, mounted, run
from openrescue_lab.disk import sha256


def damage(device: str) -> None:
    """Blocks that are in use are marked free, and the kernel has noted an error."""
    for request in ("freeb 600 40", "set_super_value state 2"):
        run("debugfs", "-w", "-R", request, device)


def test_a_damaged_root_is_not_mounted_for_writing_until_it_is_repaired(disk: Disk) -> None:
    damage(disk.root)
    before = sha256(disk.image)
    refused = module("disk_mount", state="mounted", devices=[disk.device], read_only=False)
    module("disk_mount", state="unmounted")
    assert refused.get("error", {}).get("code") == "filesystem_damaged", refused
    assert f"{disk.root} is not written to: ext4 on it is damaged: " in refused["msg"]
    assert "openrescue.server.disk_repair" in refused["msg"]
    assert sha256(disk.image) == before
    assert module("disk_mount", state="mounted", devices=[disk.device])["changed"] is True
    assert module("disk_mount", state="unmounted")["changed"] is True
    assert sha256(disk.image) == before

    done = module("disk_repair", devices=[disk.device], faults=["filesystem-corrupt"])
    assert [item["fault"] for item in done["applied"]] == ["filesystem-corrupt"], done
    assert module("disk_mount", state="mounted", devices=[disk.device], read_only=False)["changed"] is True
    assert module("disk_mount", state="unmounted")["changed"] is True


def test_nor_does_a_repair_of_something_else_write_to_it(disk: Disk) -> None:
    damage(disk.root)
    before = sha256(disk.image)
    refused = module("disk_repair", devices=[disk.device], faults=["fstab-missing-device"])
    assert "is damaged" in refused.get("msg", ""), refused
    assert sha256(disk.image) == before
    both = module("disk_repair", devices=[disk.device], faults=["fstab-missing-device", "filesystem-corrupt"])
    assert [item["fault"] for item in both["applied"]] == ["filesystem-corrupt", "fstab-missing-device"], both


def test_beside_a_good_root_what_is_damaged_is_mounted_read_only(disk: Disk, tmp_path: pathlib.Path) -> None:
    with mounted(disk.root, disk.folder / "mnt") as root:
        (root / "etc/fstab").write_text(FSTAB.format(fstype="ext4").replace(WRONG_UUID, BOOT_UUID))
    damage(disk.boot)
    before = sha256(disk.boot)
    path = tmp_path / "patient"
    done = module("disk_mount", state="mounted", read_only=False, devices=[disk.device], path=str(path))
    try:
        assert {item["path"]: item.get("read_only") for item in done["mounts"]} == {"/": False, "/boot": True}, done
        assert f"{disk.boot} is mounted read-only: ext4 on it is damaged: " in str(done["notes"])
        (path / "etc/mine").write_text("written")
        with pytest.raises(OSError, match="Read-only file system"):
            (path / "boot/mine").write_text("written")
    finally:
        assert module("disk_mount", state="unmounted", path=str(path))["changed"] is True
    assert sha256(disk.boot) == before
