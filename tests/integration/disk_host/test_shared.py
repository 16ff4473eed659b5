# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A disk that other servers use at this moment is read at most, and what is half written on it is no damage."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from loop_disk import Disk, module, mounted, run
from openrescue_lab.disk import sha256

REASON = "is not written to: other servers use its disk at this moment"


def listed(disk: Disk) -> list[dict[str, t.Any]]:
    """What the provider says of it."""
    return [{"target": "vda", "device": disk.device, "hidden": False, "shared": True}]


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("named", [True, False])
def test_a_fault_on_a_shared_disk_is_skipped_with_the_reason(disk: Disk, check: bool, named: bool) -> None:
    before = sha256(disk.image)
    given = {"devices": [disk.device], "server_disks": listed(disk)}
    found = module("disk_diagnose", **given)
    assert "fstab-missing-device" in [item["fault"] for item in found["findings"]], found
    faults = {"faults": ["fstab-missing-device"]} if named else {"findings": found["findings"]}
    done = module("disk_repair", check=check, **given, **faults)
    assert "msg" not in done, done
    assert (done["changed"], done["applied"], done["failed_findings"], done["undo"]) == (False, [], [], None)
    reasons = {item["fault"]: item["reason"] for item in done["skipped_findings"]}
    assert f"{disk.root} {REASON}" in reasons["fstab-missing-device"], reasons
    assert len(reasons) == len(done["skipped_findings"]), "each is told once"
    assert sha256(disk.image) == before


def test_what_is_half_written_on_it_is_no_damage(disk: Disk) -> None:
    run("debugfs", "-w", "-R", "freeb 600 40", disk.root)
    with open(disk.boot, "r+b") as file:
        file.seek(1024)
        file.write(bytes(1024))
    before = sha256(disk.image)
    given = {"devices": [disk.device], "server_disks": listed(disk)}
    found = [item["fault"] for item in module("disk_diagnose", **given)["findings"]]
    assert not {"filesystem-corrupt", "filesystem-superblock"} & {*found}, found
    named = module("disk_repair", **given, faults=["filesystem-corrupt", "filesystem-superblock"])
    assert not named["changed"], named
    assert sha256(disk.image) == before


def test_what_lies_on_a_disk_of_its_own_is_repaired_beside_it(disk: Disk, tmp_path: pathlib.Path) -> None:
    """The root is the server's alone, /srv/shared is not."""
    image = tmp_path / "shared.raw"
    with image.open("wb") as file:
        file.truncate(64 << 20)
    run("mkfs.ext4", "-q", "-L", "shared", image)
    with mounted(disk.root, disk.folder / "mnt") as root:
        (root / "srv/shared").mkdir(parents=True)
        with (root / "etc/fstab").open("a") as fstab:
            fstab.write("LABEL=shared /srv/shared ext4 nofail 0 2\n")
    before = sha256(image)
    other = run("losetup", "--find", "--show", image).strip()
    try:
        told = [{"target": "vdb", "device": other, "hidden": False, "shared": True}]
        told.append({"target": "vda", "device": disk.device, "hidden": False, "shared": False})
        given = {"devices": [disk.device, other], "server_disks": told}
        done = module("disk_repair", **given, faults=["fstab-missing-device"])
        assert [item["fault"] for item in done["applied"]] == ["fstab-missing-device"], done
        path = tmp_path / "patient"
        mount = module("disk_mount", **given, state="mounted", read_only=False, path=str(path))
        try:
            assert {item["path"]: item["read_only"] for item in mount["mounts"]}["/srv/shared"] is True, mount
            assert f"{other} is mounted read-only: other servers use its disk" in str(mount["notes"])
            with pytest.raises(OSError, match="Read-only file system"):
                (path / "srv/shared/mine").write_text("written")
        finally:
            module("disk_mount", state="unmounted", path=str(path))
    finally:
        run("losetup", "--detach", other)
    assert sha256(image) == before
