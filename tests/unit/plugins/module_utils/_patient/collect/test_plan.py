# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which files are collected of a tree, also of one that a stranger has filled."""

from __future__ import annotations

import os
import pathlib

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._patient.collect import plan as plan_module
from ansible_collections.openrescue.server.plugins.module_utils._patient.collect.plan import (
    Bounds,
    Found,
    Plan,
    choose,
    plan,
)
from ansible_collections.openrescue.server.plugins.module_utils._patient.collect.wanted import GROUPS
from ansible_collections.openrescue.server.plugins.module_utils._patient.tree.tree import Tree

LARGE = Bounds(max_bytes=1 << 30, max_file_bytes=1 << 20, max_files=1000)
BY_NAME = {group.name: group for group in GROUPS}


def put(root: pathlib.Path, path: str, text: str = "x") -> pathlib.Path:
    place = root / path.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    return place


def planned(root: pathlib.Path, *, include_secrets: bool = False) -> Plan:
    return plan(Tree(str(root)), bounds=LARGE, include_secrets=include_secrets)


def paths(made: Plan) -> list[str]:
    return [item.file.path for item in made.chosen]


def found(path: str, size: int, *, group: str, mtime: float = 0) -> Found:
    return Found(path, size, mtime, 0o644, 0, 0, BY_NAME[group])


def test_a_healthy_tree(tmp_path: pathlib.Path) -> None:
    wanted = [
        "/etc/fstab",
        "/etc/os-release",
        "/etc/netplan/50.yaml",
        "/etc/systemd/system/mine.service",
        "/boot/grub/grub.cfg",
        "/boot/loader/entries/a.conf",
        "/var/lib/dpkg/status",
        "/var/log/journal/0123/system.journal",
        "/var/log/syslog",
        "/var/log/apt/history.log",
    ]
    for path in (*wanted, "/boot/vmlinuz-6.1", "/boot/initrd.img-6.1", "/home/joe/letter", "/var/log/journal/0123/odd"):
        put(tmp_path, path)
    made = planned(tmp_path)
    assert sorted(paths(made)) == sorted(wanted)
    assert (made.links, made.left_out, made.size) == ({}, {}, len(wanted))


def test_secrets_are_left_out_and_named(tmp_path: pathlib.Path) -> None:
    for path in ("/etc/ssh/sshd_config", "/etc/NetworkManager/certs/a.key", "/var/log/btmp", "/etc/shadow"):
        put(tmp_path, path)
    made = planned(tmp_path)
    assert paths(made) == ["/etc/ssh/sshd_config"]
    assert made.left_out == {
        "/etc/NetworkManager/certs/a.key": "it holds a secret: a key",
        "/etc/shadow": "it holds a secret: password hashes",
        "/var/log/btmp": "it holds a secret: what was typed where a name belongs, passwords among it",
    }
    with_secrets = planned(tmp_path, include_secrets=True)
    assert "/etc/shadow" in paths(with_secrets)
    assert with_secrets.left_out == {}


def test_a_link_to_settings_is_followed_and_told(tmp_path: pathlib.Path) -> None:
    put(tmp_path, "/usr/lib/os-release")
    put(tmp_path, "/etc/x")
    (tmp_path / "etc/os-release").symlink_to("../usr/lib/os-release")
    made = planned(tmp_path)
    assert paths(made) == ["/usr/lib/os-release"], "and it is there once"
    assert made.links == {"/etc/os-release": "../usr/lib/os-release"}


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("/etc/fstab", "/root/letter"),
        ("/etc/fstab", "/etc/shadow"),
        ("/etc/fstab", "{outside}/secret"),
        ("/etc/fstab", "../../../../secret"),
        ("/etc/fstab", "fstab"),
        ("/etc/fstab", "/etc"),
        ("/var/log/syslog", "/etc/hostname"),
        ("/var/log/syslog", "/etc/shadow"),
        ("/etc/netplan", "/root"),
        ("/var/log", "/root"),
        ("/var/log/journal", "/etc"),
    ],
)
def test_links_lead_nowhere(tmp_path: pathlib.Path, link: str, target: str) -> None:
    (tmp_path / "secret").write_text("outside")
    root = tmp_path / "root"
    for path in ("/etc/shadow", "/etc/a.journal", "/root/letter", "/root/letter.journal"):
        put(root, path)
    place = root / link.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target.format(outside=tmp_path))
    assert paths(planned(root)) == []


def test_what_is_no_file_is_left_out(tmp_path: pathlib.Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "var/log").mkdir(parents=True)
    os.mkfifo(tmp_path / "etc/fstab")
    os.mkfifo(tmp_path / "var/log/syslog")
    made = planned(tmp_path)
    assert paths(made) == []
    assert made.left_out == {
        "/etc/fstab": "it is not a regular file",
        "/var/log/syslog": "it is not a regular file",
    }


def test_odd_names_are_taken(tmp_path: pathlib.Path) -> None:
    put(tmp_path, "/var/log/a\nb\x1b[31m")
    (tmp_path / os.fsdecode(b"var/log/\xff\xfe")).write_text("x")
    assert sorted(paths(planned(tmp_path))) == ["/var/log/a\nb\x1b[31m", "/var/log/\udcff\udcfe"]


def test_a_folder_with_too_many_entries(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_module, "MANY", 10)
    for number in range(20):
        put(tmp_path, f"/var/log/{number}.log")
    made = planned(tmp_path)
    assert len(made.chosen) == 10
    assert "/var/log" in made.left_out


def test_the_end_of_a_log_is_taken_and_no_part_of_other_files() -> None:
    files = [
        found("/var/log/syslog", 5000, group="logs"),
        found("/var/log/syslog.1.gz", 5000, group="logs"),
        found("/var/log/journal/1/system.journal", 5000, group="journal"),
        found("/etc/fstab", 5000, group="settings"),
        found("/var/lib/dpkg/status", 5000, group="packages"),
        found("/var/log/small", 1000, group="logs"),
    ]
    chosen, left_out = choose(files, bounds=Bounds(100_000, 1000, 100))
    assert [(item.file.path, item.take, item.is_cut) for item in chosen] == [
        ("/var/log/journal/1/system.journal", 5000, False),
        ("/var/log/syslog", 1000, True),
        ("/var/log/small", 1000, False),
    ]
    assert set(left_out) == {"/etc/fstab", "/var/lib/dpkg/status", "/var/log/syslog.1.gz"}
    assert "larger than 1000 bytes" in left_out["/etc/fstab"]


def test_the_newest_are_taken_where_not_all_fit() -> None:
    journal = [found(f"/var/log/journal/1/{n}.journal", 100, group="journal", mtime=n) for n in (3, 1, 2)]
    logs = [found(f"/var/log/{n}.log", 100, group="logs", mtime=n) for n in (1, 2, 3)]
    chosen, left_out = choose([*logs, *journal], bounds=Bounds(400, 1000, 100))
    assert [item.file.path for item in chosen] == [
        "/var/log/journal/1/3.journal",
        "/var/log/journal/1/2.journal",
        "/var/log/3.log",
        "/var/log/2.log",
    ]
    assert left_out == {
        "/var/log/journal/1/1.journal": "max_bytes is reached",
        "/var/log/1.log": "max_bytes is reached",
    }


def test_no_more_than_so_many_files() -> None:
    files = [found(f"/etc/{n}", 1, group="settings") for n in range(5)]
    chosen, left_out = choose(files, bounds=Bounds(1000, 1000, 3))
    assert len(chosen) == 3
    assert set(left_out.values()) == {"there are more files than max_files"}


def test_a_huge_sparse_file_costs_nothing(tmp_path: pathlib.Path) -> None:
    with put(tmp_path, "/var/log/huge").open("wb") as file:
        file.truncate(1 << 40)
    with put(tmp_path, "/etc/fstab").open("wb") as file:
        file.truncate(1 << 40)
    made = planned(tmp_path)
    assert [(item.file.path, item.take) for item in made.chosen] == [("/var/log/huge", LARGE.max_file_bytes)]
    assert "/etc/fstab" in made.left_out
