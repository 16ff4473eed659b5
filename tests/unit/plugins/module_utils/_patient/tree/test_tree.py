# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A stranger's tree leads nowhere outside it, and nothing in it blocks or floods the reader."""

from __future__ import annotations

import os
import pathlib

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._patient.tree.tree import Tree


@pytest.fixture
def root(tmp_path: pathlib.Path) -> pathlib.Path:
    """A tree with a secret beside it."""
    (tmp_path / "secret").write_text("outside")
    inside = tmp_path / "root"
    (inside / "etc").mkdir(parents=True)
    (inside / "etc/hostname").write_text("inside\n")
    (inside / "secret").write_text("the patient's own")
    return inside


@pytest.mark.parametrize(
    ("target", "content"),
    [
        ("../../../../secret", "the patient's own"),
        ("/secret", "the patient's own"),
        ("../../root/secret", None),
        ("{outside}/secret", None),
        ("/proc/self/root/etc/hostname", None),
        ("hostname", "inside\n"),
        ("./../etc/./hostname", "inside\n"),
        ("nothing", None),
    ],
)
def test_links_end_inside(root: pathlib.Path, target: str, content: str | None) -> None:
    (root / "etc/link").symlink_to(target.format(outside=root.parent))
    assert Tree(str(root)).read_text("/etc/link") == content


def test_a_linked_directory_ends_inside(root: pathlib.Path) -> None:
    (root / "var").symlink_to("../../..")
    tree = Tree(str(root))
    assert tree.read_text("/var/secret") == "the patient's own"
    assert tree.resolve("/var/etc/hostname") == "/etc/hostname"
    assert tree.read_text("/../../secret") == "the patient's own"


@pytest.mark.parametrize("links", [("a", "a"), ("a", "b/x")])
def test_loops_of_links_are_refused(root: pathlib.Path, links: tuple[str, str]) -> None:
    name, target = links
    (root / name).symlink_to(target)
    (root / "b").symlink_to("a")
    with pytest.raises(OpenRescueError) as caught:
        Tree(str(root)).read_bytes("/a")
    assert caught.value.code == "patient_path_refused"


def test_what_is_no_file_is_refused_without_being_opened(root: pathlib.Path) -> None:
    os.mkfifo(root / "fifo")
    (root / "folder").mkdir()
    names = ["/fifo", "/folder"]
    if os.geteuid() == 0:
        os.mknod(root / "device", 0o600 | 0o020000, os.makedev(1, 5))  # zero: reading it would never end
        names.append("/device")
    for name in names:
        with pytest.raises(OpenRescueError) as caught:
            Tree(str(root)).read_bytes(name)
        assert caught.value.code == "patient_path_refused"
        assert not Tree(str(root)).is_file(name)


def test_a_huge_file_is_refused(root: pathlib.Path) -> None:
    with (root / "huge").open("wb") as file:
        file.truncate(5 << 30)
    with pytest.raises(OpenRescueError, match="larger than"):
        Tree(str(root)).read_bytes("/huge")


def test_a_huge_directory_is_refused_or_cut(root: pathlib.Path) -> None:
    for number in range(50):
        (root / "etc" / str(number)).touch()
    tree = Tree(str(root))
    with pytest.raises(OpenRescueError, match="more than 20"):
        tree.listdir("/etc", limit=20)
    assert len(list(tree.walk("/", limit=20))) == 20


def test_names_and_contents_need_not_be_utf8(root: pathlib.Path) -> None:
    (pathlib.Path(os.fsdecode(os.fsencode(root) + b"/etc/caf\xe9"))).write_bytes(b"\xff\xfe")
    tree = Tree(str(root))
    name = next(name for name in tree.listdir("/etc") if name.startswith("caf"))
    text = tree.read_text(f"/etc/{name}")
    assert text is not None
    assert text.encode("utf-8", "surrogateescape") == b"\xff\xfe"


def test_absence_is_a_value(root: pathlib.Path) -> None:
    tree = Tree(str(root))
    for path in ("/nothing", "/nothing/below", "/etc/hostname/below", "/a\0b"):
        assert tree.read_bytes(path) is None
        assert tree.open(path) is None
        assert tree.lstat(path) is None
        assert tree.readlink(path) is None
        assert tree.resolve(path) is None
        assert tree.listdir(path) == []
        assert not tree.exists(path)


def test_glob(root: pathlib.Path) -> None:
    for name in ("vmlinuz-1", "vmlinuz-2", ".vmlinuz-3", "initrd"):
        (root / "etc" / name).touch()
    assert Tree(str(root)).glob("/etc/vmlinuz-*") == ["/etc/vmlinuz-1", "/etc/vmlinuz-2"]
    assert Tree(str(root)).glob("/*/hostname") == ["/etc/hostname"]
    assert Tree(str(root)).glob("/nothing/*") == []
