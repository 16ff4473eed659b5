# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._patient import syscalls
from ansible_collections.openrescue.server.plugins.module_utils._patient.patient import Filesystem
from ansible_collections.openrescue.server.plugins.module_utils._patient.tree.replay import replay_journal

LAYER = Filesystem("/dev/vdb5", "/dev/dm-7", "xfs", writable=True)


def test_it_is_never_done_where_it_reaches_the_disk() -> None:
    with pytest.raises(AssertionError):
        replay_journal(Filesystem("/dev/vdb5", "/dev/vdb5", "xfs"))


@pytest.mark.parametrize("fstype", ["ext2", "ext3", "ext4"])
def test_no_superblock_may_ask_for_a_panic(monkeypatch: pytest.MonkeyPatch, fstype: str) -> None:
    """Errors=panic in a patient's superblock would be the rescue system's panic."""
    given: list[str] = []
    monkeypatch.setattr(syscalls, "mount", lambda *_what, flags, data: given.append(data))
    monkeypatch.setattr(syscalls, "unmount", lambda _place: None)
    assert replay_journal(dataclasses.replace(LAYER, fstype=fstype)) == ""
    assert given == ["errors=remount-ro"]


@pytest.mark.parametrize("fails", [False, True])
def test_the_layer_is_mounted_once_and_nothing_is_left(monkeypatch: pytest.MonkeyPatch, fails: bool) -> None:
    mounted: list[str] = []

    def mount(source: str, target: str, fstype: str, *, flags: int, data: str = "") -> None:
        assert (source, fstype, data) == (LAYER.reading_device, "xfs", "nouuid")
        assert not flags & syscalls.MS_RDONLY
        if fails:
            raise OSError(117, "Structure needs cleaning")
        mounted.append(target)

    monkeypatch.setattr(syscalls, "mount", mount)
    monkeypatch.setattr(syscalls, "unmount", mounted.remove)
    assert replay_journal(LAYER) == ("Structure needs cleaning" if fails else "")
    assert mounted == []
