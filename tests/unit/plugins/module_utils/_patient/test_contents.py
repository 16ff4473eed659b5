# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How what is on a disk is named, parsed, compared and shown."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import struct

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._patient.patient import Filesystem, Patient
from ansible_collections.openrescue.server.plugins.module_utils._patient.tools import Tools
from ansible_collections.openrescue.server.plugins.module_utils._patient.tree.contents import (
    read_kernels,
    read_os_release,
)
from ansible_collections.openrescue.server.plugins.module_utils._patient.tree.tree import Tree
from ansible_collections.openrescue.server.plugins.module_utils._patient.write import blocks
from ansible_collections.openrescue.server.plugins.module_utils._patient.write.change import unified
from ansible_collections.openrescue.server.plugins.module_utils._patient.write.undo import (
    Bundle,
    check_id,
    parse_manifest,
)
from ansible_collections.openrescue.server.plugins.module_utils._text import printable

ROOT = Filesystem(
    "/dev/vdb3", "/dev/dm-1", "ext4", uuid="AB-12", label="my root", partuuid="aa-03", partlabel="r", number=(0, 3)
)
DATA = Filesystem("/dev/mapper/vg-data", "/dev/dm-2", "xfs", uuid="xx", aliases=("/dev/vg/data",), number=(1, 0))


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ("UUID=ab-12", ROOT),
        ('UUID="AB-12"', ROOT),
        ("UUID=", None),
        ("UUID=none", None),
        ("LABEL=my root", ROOT),
        ("PARTUUID=AA-03", ROOT),
        ("PARTLABEL=r", ROOT),
        ("/dev/disk/by-uuid/AB-12", ROOT),
        ("/dev/disk/by-label/my\\x20root", ROOT),
        ("/dev/sda3", ROOT),
        ("/dev/xvda3", ROOT),
        ("/dev/nvme0n1p3", ROOT),
        ("/dev/sdb3", None),
        ("/dev/sdb", DATA),
        ("/dev/vg/data", DATA),
        ("/dev/mapper/vg-data", DATA),
        ("/dev/mapper/other", None),
        ("/dev/null", None),
        ("tmpfs", None),
        ("server:/export", None),
    ],
)
def test_a_name_is_looked_up_on_the_patient_only(spec: str, found: Filesystem | None) -> None:
    patient = Patient(tools=Tools())
    patient.filesystems = (ROOT, DATA)
    assert patient.find(spec) == found


@pytest.mark.parametrize(
    ("path", "device"),
    [
        ("/boot/there", "/dev/vdb2"),
        ("/boot/absent", "/dev/vdb2"),
        ("/linked/absent", "/dev/vdb2"),
        ("/boot", "/dev/vdb2"),
        ("/bootless", "/dev/vdb3"),
        ("/etc/none/absent", "/dev/vdb3"),
        ("/", "/dev/vdb3"),
    ],
)
def test_what_a_path_lies_on(tmp_path: pathlib.Path, path: str, device: str) -> None:
    (tmp_path / "boot").mkdir()
    (tmp_path / "boot/there").touch()
    (tmp_path / "linked").symlink_to("/boot")
    patient = Patient(tools=Tools())
    patient.opened_tree = Tree(str(tmp_path))
    patient.filesystems = (
        dataclasses.replace(ROOT, mount_point="/"),
        dataclasses.replace(ROOT, device="/dev/vdb2", mount_point="/boot"),
        DATA,
    )
    found = patient.covering(path)
    assert found is not None
    assert found.device == device


def test_release_is_parsed_and_never_run(tmp_path: pathlib.Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text('ID=debian\nPRETTY_NAME="A $(reboot) \\"x\\" \x1b[2J"\nVERSION_ID=12\n')
    release = read_os_release(Tree(str(tmp_path)))
    assert release is not None
    assert (release.id, release.version_id) == ("debian", "12")
    assert release.pretty_name == 'A $(reboot) "x" \\x1b[2J'


def test_kernels_are_newest_first_with_their_initramfs(tmp_path: pathlib.Path) -> None:
    (tmp_path / "boot").mkdir()
    for name in ("vmlinuz-6.9.1-2", "vmlinuz-6.10.0-1", "vmlinuz-0-rescue-abc", "initrd.img-6.9.1-2"):
        (tmp_path / "boot" / name).write_text("x")
    kernels = read_kernels(Tree(str(tmp_path)), None)
    assert [kernel.version for kernel in kernels] == ["6.10.0-1", "6.9.1-2", "0-rescue-abc"]
    assert [kernel.initramfs for kernel in kernels] == [None, "/boot/initrd.img-6.9.1-2", None]
    assert kernels[0].expected_initramfs == "/boot/initramfs-6.10.0-1.img"


def test_a_diff_shows_no_control_characters() -> None:
    diff = unified("/etc/\x1b[1mfstab", b"one\ntwo\n", b"one\n\x1b[31mtwo\ttab\n")
    assert "\x1b" not in diff
    assert "+\\x1b[31mtwo\ttab\n" in diff
    assert unified("/a", None, b"new\n") == "--- /dev/null\n+++ /a\n@@ -0,0 +1 @@\n+new\n"
    assert unified("/a", b"x", b"x\n") == "--- /a\n+++ /a\n@@ -1 +1 @@\n-x\n\\ No newline at end of file\n+x\n"
    assert unified("/a", b"\0", b"\0\0") == "/a: 1 bytes before, 2 bytes after\n"
    assert printable("a\nb\udce9", limit=10) == "a\\nb\\xe9"


def test_changed_chunks_of_a_snapshot_store(tmp_path: pathlib.Path) -> None:
    store = bytearray(blocks.CHUNK * 300)
    struct.pack_into("<4I", store, 0, 0x70416E53, 1, 1, 8)
    for index in range(256):
        struct.pack_into("<2Q", store, blocks.CHUNK + index * 16, 1000 - index, index + 2)
    struct.pack_into("<2Q", store, blocks.CHUNK * 258, 7, 259)
    (tmp_path / "cow").write_bytes(store)
    assert blocks.changed_chunks(str(tmp_path / "cow")) == [7, *range(745, 1001)]


def test_blocks_go_out_and_come_back(tmp_path: pathlib.Path) -> None:
    device, layer, kept = (str(tmp_path / name) for name in ("device", "layer", "kept"))
    old = bytes(range(256)) * 200
    new = bytearray(old)
    new[4096:4100] = b"abcd"
    new[8192:8193] = b"Y"
    new[-1:] = b"Z"
    pathlib.Path(device).write_bytes(old)
    pathlib.Path(layer).write_bytes(new)
    extents = blocks.differing(device, layer, range(13))
    assert extents == [(4096, 8192), (49152, 2048)]
    with open(kept, "wb") as file:
        blocks.take_blocks(device, extents, file)
    with open(f"{kept}.new", "wb") as file:
        blocks.take_blocks(layer, extents, file)
    blocks.put_blocks(f"{kept}.new", device, extents)
    assert pathlib.Path(device).read_bytes() == new
    assert blocks.matches(device, extents, kept, f"{kept}.new")
    assert not blocks.matches(device, extents, kept)
    blocks.put_blocks(kept, device, extents)
    assert pathlib.Path(device).read_bytes() == old


@pytest.mark.parametrize("name", ["../x", "", "20260101T000000Z-0badcafe/..", "x"])
def test_an_undo_id_is_no_path(name: str) -> None:
    with pytest.raises(OpenRescueError):
        check_id(name)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"version": 2, "entries": []}', '{"version": 1, "entries": [{"kind": "file"}]}']
)
def test_a_strange_manifest_is_refused(text: str) -> None:
    with pytest.raises(OpenRescueError) as caught:
        parse_manifest(text)
    assert caught.value.code == "undo_broken"


def test_a_strangers_manifest_names_no_file_elsewhere(tmp_path: pathlib.Path) -> None:
    bundle = Bundle(str(tmp_path), "20260101T000000Z-0badcafe")
    for name in ("../../etc/passwd", "data/../x", "/etc/passwd", "data/1\n"):
        with pytest.raises(OpenRescueError):
            bundle.path(name)
    bundle.save()
    assert json.loads((tmp_path / bundle.id / "manifest.json").read_text())["entries"] == []
    loaded = Bundle.load(bundle.id, base=str(tmp_path))
    assert loaded is not None
    assert loaded.entries == []
