# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""disk_collect: one archive of a patient, of which not one bit changes, and on which nothing leads elsewhere."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import shutil
import tarfile
import typing as t

import pytest
from loop_disk import Disk, module, mounted
from openrescue_lab.disk import sha256

TOP = "openrescue-collect"
SECRET = "$6$salt$" + "x" * 86


def fill(disk: Disk) -> None:
    with mounted(disk.root, disk.folder / "mnt") as root:
        (root / "etc/shadow").write_text(f"root:{SECRET}:1:0:99999:7:::\n")
        (root / "etc/passwd").write_text("root:x:0:0::/root:/bin/bash\n")
        (root / "etc/netplan").mkdir()
        (root / "etc/netplan/50.yaml").write_text("network:\n  wifis:\n    password: hunter2\n")
        (root / "var/log/journal/0123").mkdir(parents=True)
        (root / "var/log/journal/0123/system.journal").write_bytes(b"LPKSHHRH" + bytes(5000))
        (root / "var/log/syslog").write_text("".join(f"line {number}\n" for number in range(10000)))


def hostile(disk: Disk) -> None:
    with mounted(disk.root, disk.folder / "mnt") as root:
        os.mkfifo(root / "etc/hosts")
        os.mkfifo(root / "var/log/fifo")
        os.mknod(root / "var/log/disk", 0o600 | 0o060000, os.makedev(7, 0))
        (root / "var/log/out").symlink_to("/etc/shadow")
        (root / "etc/hostname").symlink_to("/proc/self/environ")
        (root / "etc/crypttab").symlink_to("/etc/shadow")
        (root / "var/log/loop").symlink_to("loop")
        (root / os.fsdecode(b"var/log/\xff\n\x1b[31m")).write_text("odd")
        with (root / "var/log/huge").open("wb") as file:
            file.truncate(1 << 40)
        with (root / "etc/resolv.conf").open("wb") as file:
            file.truncate(1 << 40)


def members(path: str) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        found: dict[str, bytes] = {}
        for member in archive.getmembers():
            assert member.isreg() and member.name.startswith(f"{TOP}/") and ".." not in member.name
            file = archive.extractfile(member)
            found[member.name[len(TOP) + 1 :]] = file.read() if file else b""
    return found


@pytest.mark.parametrize("disk", ["ext4", "xfs", "btrfs"], indirect=True)
def test_collected(disk: Disk, tmp_path: pathlib.Path) -> None:
    fill(disk)
    disk.pull_the_plug()
    before = sha256(disk.image)
    dest = str(tmp_path / "a.tar.gz")
    given: dict[str, t.Any] = {"devices": [disk.device], "dest": dest, "max_file_bytes": 20000}
    would = module("disk_collect", check=True, **given)
    assert not os.path.exists(dest)
    done = module("disk_collect", **given)
    assert sha256(disk.image) == before
    data = pathlib.Path(dest).read_bytes()
    assert (done["dest"], done["size"], done["sha256"]) == (dest, len(data), hashlib.sha256(data).hexdigest())
    assert os.stat(dest).st_mode & 0o777 == 0o600
    found = members(dest)
    manifest = json.loads(found["manifest.json"])
    assert done["files"] == would["files"] == len(manifest["files"])
    assert [item["path"] for item in would["would_collect"]] == [item["path"] for item in manifest["files"]]
    assert json.loads(found["diagnosis.json"])["verdict"] == done["verdict"] == "unbootable", done
    assert "/boot/vmlinuz-6.1.0-1-amd64" in {item["path"] for item in json.loads(found["boot-files.json"])}
    assert found["patient/var/log/syslog"].endswith(b"line 9999\n")
    assert len(found["patient/var/log/syslog"]) == 20000
    assert [item["path"] for item in done["truncated"]] == ["/var/log/syslog"]
    assert found["patient/var/log/journal/0123/system.journal"].startswith(b"LPKSHHRH")
    assert found["patient/etc/netplan/50.yaml"].endswith(b"password: (left out)\n")
    assert {"path": "/etc/shadow", "reason": "it holds a secret: password hashes"} in done["left_out"]
    assert b"hunter2" not in b"".join(found.values())
    assert SECRET.encode() not in b"".join(found.values())
    with_secrets = module("disk_collect", include_secrets=True, **given)
    assert "msg" not in with_secrets, with_secrets
    assert SECRET.encode() in members(dest)["patient/etc/shadow"]


def test_a_hostile_disk_leads_nowhere(disk: Disk, tmp_path: pathlib.Path) -> None:
    fill(disk)
    hostile(disk)
    dest = str(tmp_path / "a.tar.gz")
    done = module("disk_collect", devices=[disk.device], dest=dest, max_file_bytes=100000, max_bytes=1000000)
    assert "msg" not in done, done
    found = members(dest)
    manifest = json.loads(found["manifest.json"])
    taken = {item["path"]: item for item in manifest["files"]}
    assert not {"/etc/hosts", "/etc/hostname", "/var/log/fifo", "/var/log/disk", "/var/log/out"} & set(taken)
    assert taken["/var/log/huge"]["taken"] == 100000
    assert found["odd-names/1"] == b"odd"
    assert manifest["links"]["/etc/hostname"] == "/proc/self/environ"
    assert SECRET.encode() not in b"".join(found.values())
    assert done["bytes"] <= 1000000
    assert os.path.getsize(dest) < 1000000


def test_the_default_place_and_a_disk_without_a_system(disk: Disk) -> None:
    done = module("disk_collect", devices=[disk.boot])
    try:
        assert "msg" not in done, done
        assert done["dest"].startswith(("/run/openrescue-collect/", "/var/tmp/openrescue-collect/"))
        assert sorted(members(done["dest"])) == ["diagnosis.json", "manifest.json"]
        assert done["files"] == 0
    finally:
        shutil.rmtree(os.path.dirname(done["dest"]))


def test_where_it_cannot_be(disk: Disk, tmp_path: pathlib.Path) -> None:
    result = module("disk_collect", devices=[disk.device], dest=str(tmp_path / "none/a.tar.gz"))
    assert result["error"]["code"] == "dest_refused"
