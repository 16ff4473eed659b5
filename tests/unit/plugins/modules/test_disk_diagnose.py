# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._faults.catalog import FAULTS
from ansible_collections.openrescue.server.plugins.modules.disk_diagnose import run


def test_the_known_faults_are_listed_on_any_machine() -> None:
    listed = run({"list_faults": True, "faults": None})["faults"]
    assert [item["fault"] for item in listed] == [fault.id for fault in FAULTS]
    assert all(item["title"] and item["words"]["meaning"] for item in listed)
    assert all(item["remedy"] or not item["remedy_safe"] for item in listed)
    [one] = run({"list_faults": True, "faults": ["space-inodes"]})["faults"]
    assert (one["fault"], one["remedy"]) == ("space-inodes", False)


def test_a_fault_that_nobody_knows_is_named() -> None:
    with pytest.raises(OpenRescueError, match="fstab-mising"):
        run({"list_faults": True, "faults": ["fstab-mising"]})
