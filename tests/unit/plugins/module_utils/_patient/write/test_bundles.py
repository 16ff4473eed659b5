# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which bundles there are, and of which disks they are."""

from __future__ import annotations

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._patient.patient import Filesystem
from ansible_collections.openrescue.server.plugins.module_utils._patient.write.bundles import (
    find_device,
    listing,
    unfinished,
)
from ansible_collections.openrescue.server.plugins.module_utils._patient.write.errors import UndoRefused
from ansible_collections.openrescue.server.plugins.module_utils._patient.write.undo import DeviceEntry

from .fakes import PlainView, as_view, killed


def test_bundles_are_listed(view: PlainView) -> None:
    undo = killed(view)
    view.mount()
    (listed,) = listing(as_view(view))
    assert (listed.id, listed.state, listed.faults) == (undo, "unfinished", ["fstab-syntax"])
    assert listed.entries == [{"path": "/etc/fstab", "state": "intended"}]
    assert listed.where == ["rescue_system", "patient"]
    assert unfinished(as_view(view)) == [undo]


def test_a_device_is_known_by_what_it_is(view: PlainView) -> None:
    entry = DeviceEntry("/dev/vdb1", None, "u", 8192, ["e2fsck"], [], "1", "2", after="", before="")
    view.devices = [Filesystem("/dev/vdc1", "/dev/vdc1", "ext4", uuid="u", size=8192)]
    assert find_device(as_view(view), entry).device == "/dev/vdc1"
    entry.uuid = None
    with pytest.raises(UndoRefused):
        find_device(as_view(view), entry)
