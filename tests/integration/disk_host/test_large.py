# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A patient of very many of something: each look ends in time, and says no more than anybody can read."""

from __future__ import annotations

import pathlib
import subprocess
import time
import typing as t

import pytest
from loop_disk import WRONG_UUID, Disk, fill_root, module, mounted, run
from openrescue_lab import loop
from openrescue_lab.disk import sha256

MANY = 200
SECONDS = 180
CHARACTERS = 1_000_000


def bounded(name: str, **arguments: t.Any) -> dict[str, t.Any]:
    began = time.monotonic()
    result = module(name, **arguments)
    assert time.monotonic() - began < SECONDS
    assert len(str(result)) < CHARACTERS
    return result


@pytest.fixture
def many(tmp_path: pathlib.Path) -> t.Iterator[tuple[str, pathlib.Path]]:
    """A disk with 200 file systems: the root, and 199 of which fstab mounts every other one."""
    image = tmp_path / "many.raw"
    with image.open("wb") as file:
        file.truncate((64 + 3 * MANY) << 20)
    script = "label: gpt\ntable-length: 256\nsize=32M\n" + "size=2M\n" * (MANY - 1)
    (tmp_path / "script").write_text(script)
    with (tmp_path / "script").open() as text:
        subprocess.run(["sfdisk", "--quiet", image], stdin=text, check=True, stdout=subprocess.DEVNULL)
    device = loop.attach(image)
    try:
        run("mkfs.ext4", "-q", "-L", "root", f"{device}p1")
        for number in range(2, MANY + 1):
            run("mkfs.ext2", "-q", "-L", f"data{number}", f"{device}p{number}")
        with mounted(f"{device}p1", tmp_path / "mnt") as root:
            fill_root(root, "ext4")
            with (root / "etc/fstab").open("a") as fstab:
                for number in range(2, MANY + 1, 2):
                    (root / f"srv/data{number}").mkdir(parents=True)
                    fstab.write(f"LABEL=data{number} /srv/data{number} ext2 defaults 0 2\n")
        yield device, image
    finally:
        loop.detach(device)


def test_two_hundred_file_systems(many: tuple[str, pathlib.Path], tmp_path: pathlib.Path) -> None:
    device, image = many
    before = sha256(image)
    found = bounded("disk_diagnose", devices=[device])
    assert [item["fault"] for item in found["findings"]] == ["fstab-missing-device"], found["findings"][:3]
    assert found["patient"]["root"] == f"{device}p1"
    assert str(found["patient"]["layout"]).count("'ext2'") >= MANY - 1
    skipped = {check["reason"] for check in found["checks"] if check["status"] == "skipped"}
    assert skipped <= {"the file system of /boot is not mounted"}
    assert sha256(image) == before

    path = tmp_path / "patient"
    done = bounded("disk_mount", state="mounted", read_only=False, devices=[device], path=str(path))
    try:
        assert len(done["mounts"]) == 1 + MANY // 2, done.get("msg")
        (path / f"srv/data{MANY}/mine").write_text("written")
    finally:
        bounded("disk_mount", state="unmounted", path=str(path))
    with mounted(f"{device}p{MANY}", tmp_path / "mnt", "-o", "ro") as last:
        assert (last / "mine").read_text() == "written"

    repaired = bounded("disk_repair", devices=[device], faults=["fstab-missing-device"])
    assert repaired["applied"] or repaired["skipped_findings"], repaired
    assert not repaired["failed_findings"], repaired


#: directories that are listed while the boot is followed, or while undo bundles are looked for, each on the root
LISTED = (
    *("boot", "boot/loader/entries", "boot/grub/fonts", "lib/modules"),
    *("etc/grub.d", "etc/systemd/system", "tmp", "", "var/lib/openrescue/undo"),
)


@pytest.mark.parametrize("folder", LISTED)
def test_a_directory_of_very_many_entries(disk: Disk, folder: str) -> None:
    with mounted(disk.root, disk.folder / "mnt") as root:
        place = root / folder
        place.mkdir(parents=True, exist_ok=True)
        for number in range(20_010):
            (place / f"entry-{number}.conf").touch()
        (root / "etc/fstab").write_text((root / "etc/fstab").read_text().replace("/boot", "/srv"))
    before = sha256(disk.image)
    found = bounded("disk_diagnose", devices=[disk.device])
    assert "msg" not in found, found
    assert "fstab-missing-device" in [item["fault"] for item in found["findings"]], "the rest is judged"
    assert found["patient"]["root"] == disk.root
    assert not [check for check in found["checks"] if "failed" in check["reason"]], found["checks"]
    # What could not be looked at is said to be so, by its path.
    skipped = [check["reason"] for check in found["checks"] if check["status"] == "skipped"]
    assert all("entries" in reason and "holds more than" in reason for reason in skipped), skipped
    assert "msg" not in bounded("disk_repair", devices=[disk.device], state="listed")
    assert sha256(disk.image) == before
    assert WRONG_UUID in str(found["findings"])
