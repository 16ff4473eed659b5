# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""disk_diagnose and disk_mount: what they see, and that neither changes a bit by looking."""

from __future__ import annotations

import os
import pathlib
import typing as t

import pytest
from loop_disk import BOOT_UUID, WRONG_UUID, Disk, fill_root, module, mounted, run
from openrescue_lab.disk import sha256


@pytest.mark.parametrize("disk", ["ext4", "xfs", "btrfs"], indirect=True)
def test_looking_changes_not_one_bit(disk: Disk) -> None:
    disk.pull_the_plug()
    before = sha256(disk.image)
    result = module("disk_diagnose", devices=[disk.device])
    assert sha256(disk.image) == before
    assert result["changed"] is False
    assert result["verdict"] == "unbootable"
    assert (result["patient"]["root"], result["patient"]["boot"]) == (disk.root, disk.boot)
    assert "fstab-missing-device" in [finding["fault"] for finding in result["findings"]]
    assert result["patient"]["os"]["pretty_name"] == "Debian $(touch /tmp/openrescue-was-run)"
    assert {check["status"] for check in result["checks"]} <= {"ran", "not_applicable"}


@pytest.mark.parametrize("read_only", [True, False])
def test_mounted_for_others_and_unmounted(disk: Disk, tmp_path: pathlib.Path, read_only: bool) -> None:
    path = tmp_path / "patient"
    before = sha256(disk.image)
    options = {"devices": [disk.device], "path": str(path), "read_only": read_only}
    assert module("disk_mount", check=True, state="mounted", **options)["changed"] is True
    assert not path.exists()
    assert module("disk_mount", state="mounted", **options)["changed"] is True
    try:
        assert (path / "boot/vmlinuz-6.1.0-1-amd64").read_text() == "kernel"
        assert module("disk_mount", state="mounted", **options)["changed"] is False
        assert module("disk_diagnose", devices=[disk.device])["error"]["code"] == "patient_mounted"
        if not read_only:
            (path / "etc/mine").write_text("written")
    finally:
        assert module("disk_mount", state="unmounted", path=str(path))["changed"] is True
    assert module("disk_mount", state="unmounted", path=str(path))["changed"] is False
    if read_only:
        assert sha256(disk.image) == before
    else:
        with mounted(disk.root, disk.folder / "mnt", "-o", "ro") as root:
            assert (root / "etc/mine").read_text() == "written"


def test_a_second_mount_is_compared_with_all_that_was_asked(disk: Disk, tmp_path: pathlib.Path) -> None:
    path, listed = tmp_path / "patient", [{"target": "vda", "device": disk.device, "hidden": False, "shared": False}]
    given = {"state": "mounted", "devices": [disk.device], "path": str(path), "read_only": False}
    told = {"server_disks": listed, "luks_passphrases": ["correct horse"]}
    try:
        assert module("disk_mount", **given, **told)["changed"] is True
        assert module("disk_mount", **given, **told)["changed"] is False
        assert "correct horse" not in pathlib.Path("/run/openrescue/mounted.json").read_text()
        # What is left out is not taken back, and what does not matter for a mount is no change.
        assert module("disk_mount", **given)["changed"] is False
        assert module("disk_mount", **given, server_disks=[{**listed[0], "size": 7}])["changed"] is False
        assert module("disk_mount", **given, luks_passphrases=["another"])["changed"] is True
        assert module("disk_mount", **given, **told)["changed"] is True

        shared = [{**listed[0], "shared": True}]
        assert module("disk_mount", **given, server_disks=shared, check=True)["changed"] is True
        refused = module("disk_mount", **given, server_disks=shared)
        assert refused.get("error", {}).get("code") == "not_written", refused
        assert "other servers use its disk" in refused["msg"]
        assert str(path) not in pathlib.Path("/proc/mounts").read_text(), "it is not mounted for writing any more"

        # Nobody has said since that it is no longer shared.
        assert module("disk_mount", **{**given, "read_only": True}, server_disks=shared)["changed"] is True
        assert module("disk_mount", **given).get("error", {}).get("code") == "not_written"
    finally:
        module("disk_mount", state="unmounted", path=str(path))


def test_a_disk_without_an_operating_system_is_said_to_be_one(disk: Disk) -> None:
    result = module("disk_diagnose", devices=[disk.boot])
    assert result["verdict"] == "unknown"
    assert result["message"] == "The disk holds no operating system"
    mount = module("disk_mount", state="mounted", devices=[disk.boot])
    assert mount["error"]["code"] == "no_root"


def test_of_several_operating_systems_the_servers_own_is_judged_and_one_can_be_chosen(disk: Disk) -> None:
    """A copy of the root is no reason to end; where nothing tells them apart, none is written to."""
    with mounted(disk.boot, disk.folder / "mnt") as second:
        fill_root(second, "ext4")
    result = module("disk_diagnose", devices=[disk.device])
    assert result["patient"]["root"] == disk.root
    assert f"operating systems are on {disk.boot}, {disk.root}; by what it holds" in str(result["patient"]["notes"])
    for device in (disk.boot, disk.root):
        with mounted(device, disk.folder / "mnt") as root:
            (root / "etc/fstab").unlink()
    with mounted(disk.boot, disk.folder / "mnt") as second:
        (second / "grub").mkdir()
        (second / "grub/grub.cfg").write_text("set root=hd0\n\tlinux /vmlinuz root=LABEL=root ro\n")
    named = module("disk_diagnose", devices=[disk.device])
    assert "the boot entry names " + disk.root in str(named["patient"]["notes"])
    with mounted(disk.boot, disk.folder / "mnt") as second:
        (second / "grub/grub.cfg").unlink()
    unclear = module("disk_diagnose", devices=[disk.device])
    assert (unclear["verdict"], unclear["message"][:31]) == ("unknown", "There are several operating sys")
    with mounted(disk.root, disk.folder / "mnt") as root:
        (root / "etc/fstab").write_text(f"UUID={WRONG_UUID} /boot ext4 defaults 0 2\n")
    before = sha256(disk.image)
    unclear = module("disk_diagnose", devices=[disk.device])
    assert sha256(disk.image) == before
    assert unclear["verdict"] == "unknown", unclear
    assert f"{disk.boot} would be un" in unclear["message"]
    assert f"{disk.root} would be unbootable (fstab-missing-device" in unclear["message"]
    assert unclear["patient"]["root"] == disk.boot
    assert "fstab-missing-device" not in [item["fault"] for item in unclear["findings"]]
    refused = module("disk_mount", state="mounted", read_only=False, devices=[disk.device])
    assert refused["error"]["code"] == "several_roots"
    assert module("disk_diagnose", devices=[disk.device], root=disk.root)["patient"]["root"] == disk.root
    assert module("disk_diagnose", devices=[disk.device], root="/dev/null")["error"]["code"] == "root_not_found"


def test_a_disk_that_the_provider_hides_leaves_a_line_of_fstab_undecided(disk: Disk) -> None:
    """What is not here may be on it."""
    listed = [{"target": "vda", "device": disk.device, "hidden": False, "shared": False}]
    for hidden, severity in ((False, "critical"), (True, "info")):
        given = [*listed, {"target": "vdb", "device": "", "hidden": True, "shared": False}] if hidden else listed
        result = module("disk_diagnose", devices=[disk.device], server_disks=given)
        (found,) = [item for item in result["findings"] if item["fault"] == "fstab-missing-device"]
        assert (found["severity"], found["remedy_safe"]) == (severity, not hidden), found
        assert ("vdb is not attached" in str(result["patient"]["uncertain"])) is hidden


def test_a_link_loop_at_a_mount_point_that_may_fail_is_noted(disk: Disk) -> None:
    """The server starts without it."""
    with mounted(disk.root, disk.folder / "mnt") as root:
        (root / "srv").symlink_to("/srv")
        (root / "etc/fstab").write_text(f"LABEL=root / ext4 defaults 0 1\nUUID={BOOT_UUID} /srv ext4 nofail 0 2\n")
    result = module("disk_diagnose", devices=[disk.device])
    assert result["patient"]["root"] == disk.root, result
    assert "too many symbolic links" in str(result["patient"]["notes"])


@pytest.mark.parametrize("read_only", [True, False])
def test_a_superblock_that_asks_for_a_panic_is_not_heard(disk: Disk, tmp_path: pathlib.Path, read_only: bool) -> None:
    """It would be the rescue system's panic. The kernel shows the option where it is not the superblock's."""
    for device in (disk.root, disk.boot):
        run("tune2fs", "-e", "panic", device)
    path = tmp_path / "patient"
    module("disk_mount", state="mounted", devices=[disk.device], path=str(path), read_only=read_only)
    try:
        lines = [line.split() for line in pathlib.Path("/proc/mounts").read_text().splitlines() if str(path) in line]
        assert len(lines) == 2
        assert all("errors=remount-ro" in line[3].split(",") for line in lines), lines
    finally:
        module("disk_mount", state="unmounted", path=str(path))


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("disk_diagnose", {"devices": ["/dev/openrescue-none"]}, "device_not_found"),
        ("disk_diagnose", {"faults": ["none"]}, "unknown_fault"),
        ("disk_repair", {"findings": [{"text": "no finding"}]}, "bad_finding"),
        ("disk_repair", {"state": "reverted", "undo": "../../etc"}, "undo_not_found"),
    ],
)
def test_bad_input_is_one_message(name: str, arguments: dict[str, t.Any], code: str) -> None:
    os.makedirs("/run/openrescue", exist_ok=True)
    result = module(name, **arguments)
    assert result["failed"] is True
    assert result["error"]["code"] == code
