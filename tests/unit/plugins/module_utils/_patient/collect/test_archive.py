# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The archive: in place whole or not at all, and with members that lead nowhere."""

from __future__ import annotations

import hashlib
import io
import os
import pathlib
import tarfile
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._patient.collect import archive as archive_module
from ansible_collections.openrescue.server.plugins.module_utils._patient.collect.archive import (
    Archive,
    DestRefused,
    Padded,
    default_dest,
)
from ansible_collections.openrescue.server.plugins.module_utils._patient.limit import Stopped


def go_on() -> None:
    """Nobody has asked to stop."""


def test_finished(tmp_path: pathlib.Path) -> None:
    dest = tmp_path / "a.tar.gz"
    archive = Archive(str(dest), check=go_on)
    archive.add("manifest.json", b"{}\n", mtime=-5)
    assert not dest.exists()
    size, digest = archive.finish()
    archive.discard()
    data = dest.read_bytes()
    assert (size, digest) == (len(data), hashlib.sha256(data).hexdigest())
    assert dest.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["a.tar.gz"]
    with tarfile.open(dest) as made:
        (member,) = made.getmembers()
        assert (member.name, member.mode, member.mtime) == ("openrescue-collect/manifest.json", 0o600, 0)


def test_discarded(tmp_path: pathlib.Path) -> None:
    dest = tmp_path / "a.tar.gz"
    dest.write_text("an older one")
    archive = Archive(str(dest), check=go_on)
    archive.add("a", b"a")
    archive.discard()
    assert (os.listdir(tmp_path), dest.read_text()) == (["a.tar.gz"], "an older one")


def test_stopped_in_the_middle(tmp_path: pathlib.Path) -> None:
    def stop() -> None:
        raise Stopped("it was asked to stop")

    archive = Archive(str(tmp_path / "a.tar.gz"), check=stop)
    with pytest.raises(Stopped):
        archive.add("a", b"a")
    archive.discard()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/etc/fstab", "patient/etc/fstab"),
        ("/var/log/a b-c_d@1:2", "patient/var/log/a b-c_d@1:2"),
        ("/var/log/a\nb", "odd-names/1"),
        ("/var/log/\x1b[31m", "odd-names/1"),
        ("/var/log/\udcff", "odd-names/1"),
        ("/var/log/caf\xe9", "odd-names/1"),
        ("/var/log/a\\b", "odd-names/1"),
        ("/var/log/" + "a" * 300, "odd-names/1"),
    ],
)
def test_names_of_members(tmp_path: pathlib.Path, path: str, name: str) -> None:
    archive = Archive(str(tmp_path / "a.tar.gz"), check=go_on)
    assert archive.name_for(path) == name
    archive.discard()


class Failing(io.BytesIO):
    """A disk with a bad block after the first bytes."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() >= 4:
            raise OSError(5, "Input/output error")
        return super().read(min(4, size or 0))


def test_what_cannot_be_read_is_zeros() -> None:
    source = Padded(Failing(b"abcdefgh"), 8, check=go_on)
    assert source.read(4) + source.read(4) == b"abcd\0\0\0\0"
    assert "Input/output error" in source.reason
    short = Padded(io.BytesIO(b"ab"), 4, check=go_on)
    assert short.read(100) == b"ab\0\0"
    assert "shorter" in short.reason
    whole = Padded(io.BytesIO(b"abcd"), 4, check=go_on)
    assert (whole.read(), whole.read(), whole.reason) == (b"abcd", b"", "")
    assert whole.digest.hexdigest() == hashlib.sha256(b"abcd").hexdigest()


@pytest.mark.parametrize(("dest", "message"), [("{0}/none/a.tar.gz", "no directory"), ("{0}", "is a directory")])
def test_where_no_archive_can_be(tmp_path: pathlib.Path, dest: str, message: str) -> None:
    with pytest.raises(DestRefused, match=message):
        Archive(dest.format(tmp_path), check=go_on)


def test_the_default_place(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = [str(tmp_path / name) for name in ("run", "tmp")]
    for place in places:
        os.mkdir(place)
    monkeypatch.setattr(archive_module, "PLACES", tuple(places))
    free = {places[0]: 400 << 20, places[1]: 1000 << 20}

    def statvfs(path: str) -> t.Any:
        return type("Room", (), {"f_bavail": free[path], "f_frsize": 1})

    monkeypatch.setattr(os, "statvfs", statvfs)
    assert default_dest(50 << 20).startswith(f"{places[0]}/openrescue-collect/2")
    assert default_dest(200 << 20).startswith(f"{places[1]}/openrescue-collect/2")
    with pytest.raises(DestRefused, match="no room"):
        default_dest(2000 << 20)
    dest = default_dest(1)
    archive = Archive(dest, check=go_on)
    archive.finish()
    assert os.stat(os.path.dirname(dest)).st_mode & 0o777 == 0o700
    os.chmod(os.path.dirname(dest), 0o755)
    with pytest.raises(DestRefused, match="somebody else"):
        Archive(dest, check=go_on)
