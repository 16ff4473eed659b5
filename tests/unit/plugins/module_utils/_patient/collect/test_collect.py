# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is in the archive, and what its manifest tells."""

from __future__ import annotations

import json
import os
import pathlib
import tarfile
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._patient.collect.archive import TOP, Archive
from ansible_collections.openrescue.server.plugins.module_utils._patient.collect.collect import boot_files, collect
from ansible_collections.openrescue.server.plugins.module_utils._patient.collect.plan import Bounds, Plan, plan
from ansible_collections.openrescue.server.plugins.module_utils._patient.collect.wanted import GROUPS
from ansible_collections.openrescue.server.plugins.module_utils._patient.tree.tree import Tree

FILES = {
    "etc/fstab": "LABEL=root / ext4 defaults 0 1\n",
    "etc/passwd": "root:x:0:0::/root:/bin/sh\nold:aaTgKLt3Ghj1A:1:1::/:/bin/sh\n",
    "etc/shadow": "root:$6$a$b:1::::::\n",
    "etc/netplan/50.yaml": "password: |\n  my own words\n",
    "boot/grub/grub.cfg": "menuentry a {}\n",
    "boot/vmlinuz-1": "kernel",
    "var/log/syslog": "".join(f"line {number}\n" for number in range(1000)),
}


def of(archive: pathlib.Path) -> dict[str, bytes]:
    with tarfile.open(archive) as made:
        members = made.getmembers()
        assert all(member.isreg() and member.name.startswith(f"{TOP}/") for member in members)
        files = {member.name[len(TOP) + 1 :]: made.extractfile(member) for member in members}
        return {name: file.read() for name, file in files.items() if file}


def collected(root: pathlib.Path, *, include_secrets: bool = False, limit: int = 1000) -> dict[str, t.Any]:
    tree = Tree(str(root))
    made = plan(tree, bounds=Bounds(1 << 20, limit, 100), include_secrets=include_secrets)
    dest = root.parent / "a.tar.gz"
    archive = Archive(str(dest), check=lambda: None)
    collect(tree, archive, made, documents={"diagnosis": {"verdict": "x\x1b"}}, include_secrets=include_secrets)
    archive.finish()
    return {
        name: json.loads(data) if name.endswith(".json") else data.decode("utf-8", "surrogateescape")
        for name, data in of(dest).items()
    }


@pytest.fixture
def root(tmp_path: pathlib.Path) -> pathlib.Path:
    for path, text in FILES.items():
        place = tmp_path / "root" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return tmp_path / "root"


def test_without_secrets(root: pathlib.Path) -> None:
    found = collected(root)
    assert found["diagnosis.json"] == {"verdict": "x\\x1b"}
    assert found["patient/etc/fstab"] == FILES["etc/fstab"]
    assert found["patient/etc/passwd"].splitlines()[1] == "old:(left out):1:1::/:/bin/sh"
    # Its end, and no longer than asked for.
    assert found["patient/var/log/syslog"] == FILES["var/log/syslog"][-1000:]
    manifest = found["manifest.json"]
    assert {item["path"] for item in manifest["left_out"]} == {"/etc/shadow", "/etc/netplan/50.yaml"}
    told = {item["path"]: item for item in manifest["files"]}
    assert told["/etc/passwd"]["hidden_lines"] == [2]
    assert "hidden_lines" not in told["/etc/fstab"]
    assert [item["path"] for item in manifest["truncated"]] == ["/var/log/syslog"]
    assert "my own words" not in str(found)
    assert "$6$" not in str(found)


def test_with_secrets(root: pathlib.Path) -> None:
    found = collected(root, include_secrets=True)
    assert found["patient/etc/shadow"] == FILES["etc/shadow"]
    assert found["patient/etc/passwd"] == FILES["etc/passwd"]
    assert found["manifest.json"]["left_out"] == []


def test_odd_names_are_in_the_manifest(root: pathlib.Path) -> None:
    (root / "var/log/a\x1b[31m").write_text("odd")
    (root / os.fsdecode(b"var/log/\xff")).write_text("odder")
    found = collected(root)
    told = {item["path"]: item["member"] for item in found["manifest.json"]["files"]}
    assert {found[told["/var/log/a\\x1b[31m"]], found[told["/var/log/\\xff"]]} == {"odd", "odder"}


def test_the_listing_of_boot(root: pathlib.Path) -> None:
    (root / "boot/initrd.img").symlink_to("initrd.img-1")
    with (root / "boot/initrd.img-1").open("wb") as file:
        file.truncate(1 << 30)
    listed = {item["path"]: item for item in boot_files(Tree(str(root)))}
    assert listed["/boot/vmlinuz-1"]["size"] == 6
    assert len(listed["/boot/vmlinuz-1"]["sha256"]) == 64
    assert listed["/boot/initrd.img"]["target"] == "initrd.img-1"
    assert (listed["/boot/initrd.img-1"]["size"], "sha256" in listed["/boot/initrd.img-1"]) == (1 << 30, False)
    assert listed["/boot/grub"]["mode"].startswith("d")


def test_without_a_system_there_are_documents(tmp_path: pathlib.Path) -> None:
    archive = Archive(str(tmp_path / "a.tar.gz"), check=lambda: None)
    done = collect(None, archive, Plan(), documents={"diagnosis": {}}, include_secrets=False)
    archive.finish()
    assert sorted(of(tmp_path / "a.tar.gz")) == ["diagnosis.json", "manifest.json"]
    assert done.files == []


def test_the_table_names_each_place_once() -> None:
    places = [place for group in GROUPS for place in (*group.files, *group.folders)]
    assert len(places) == len(set(places))
    assert all(place.startswith("/") for place in places)
    assert all(0 < group.share <= 100 for group in GROUPS)
