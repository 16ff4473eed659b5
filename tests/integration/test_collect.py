# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook collect: there and back for an archive, and beside a person who has the server rescued."""

from __future__ import annotations

import json
import pathlib
import shlex
import tarfile
import typing as t

from openrescue_lab.disk import sha256
from openrescue_lab.domain import Domain

from playbooks import Play


def members(path: pathlib.Path) -> set[str]:
    assert path.stat().st_mode & 0o777 == 0o600
    with tarfile.open(path) as archive:
        return {member.name for member in archive.getmembers()}


def test_collected_from_a_server_that_is_off_and_from_one_that_is_rescued(
    patient: Domain, play: Play, guest_disk: t.Callable[[], pathlib.Path], tmp_path: pathlib.Path
) -> None:
    disk = guest_disk()
    patient.define(disk)
    definition = patient.virsh("dumpxml", "--inactive", "--security-info")
    before = sha256(disk)

    outcome = play("collect", patient.name, collect_dest=f"{tmp_path}/out/").must_end_well()

    assert patient.state() == "shut off", "a guest that was off is off after"
    assert (sha256(disk), patient.virsh("dumpxml", "--inactive", "--security-info")) == (before, definition)
    assert outcome.record(patient.name)["outcome"] == "collected"
    (archive,) = (tmp_path / "out").iterdir()
    assert archive.name.startswith(f"{patient.name}-2")
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o700
    assert {"openrescue-collect/manifest.json", "openrescue-collect/patient/etc/fstab"} <= members(archive)
    assert str(archive) in outcome.text

    kept = play("rescue", patient.name).must_end_well().record(patient.name)
    assert "UUID=" in play.command(*shlex.split(kept["next"][0])), "the first command that it names shows the fstab"
    dest = tmp_path / "mine.tar.gz"
    play("collect", patient.name, collect_dest=str(dest), collect_max_bytes=100_000).must_end_well()

    assert "openrescue" in patient.execute("/bin/cat", "/etc/openrescue-release"), "it is left to who has it"
    assert "openrescue-collect/manifest.json" in members(dest)
    with tarfile.open(dest) as collected:
        manifest = collected.extractfile("openrescue-collect/manifest.json")
        assert manifest is not None
        assert sum(item["taken"] for item in json.load(manifest)["files"]) <= 100_000
    assert patient.execute("/bin/sh", "-c", "ls /run/openrescue-collect").strip() == ""
    assert "root" in patient.execute("/usr/sbin/openrescue-shell", "-c", "head -n 1 /etc/passwd", timeout=300)

    play("unrescue", patient.name).must_end_well()
    assert (patient.state(), sha256(disk)) == ("shut off", before)
