# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a tree holds: its release, its kernels."""

from __future__ import annotations

import pathlib

from ansible_collections.openrescue.server.plugins.module_utils._patient.tree.contents import (
    read_kernels,
    read_os_release,
)
from ansible_collections.openrescue.server.plugins.module_utils._patient.tree.tree import Tree


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


def test_a_kernel_whose_name_is_no_text_is_none(tmp_path: pathlib.Path) -> None:
    """It would be in a result that no controller can read."""
    (tmp_path / "boot").mkdir()
    for name in (b"vmlinuz-6.1.0", b"vmlinuz-\xe9", b"vmlinuz-6\x1b[2J", b"vmlinuz-6\n1"):
        (tmp_path / "boot" / name.decode("utf-8", "surrogateescape")).write_text("x")
    assert [kernel.version for kernel in read_kernels(Tree(str(tmp_path)), None)] == ["6.1.0"]
