# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


from __future__ import annotations

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.shared.root import root
from ansible_collections.openrescue.server.plugins.module_utils._formats.kernel_cmdline import (
    CommandLine,
    split_cmdline,
)

from ...fakes import BOOT, ROOT, FakePatient


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (f"ro root=UUID={ROOT.uuid}", "ok"),
        (f"root=UUID={BOOT.uuid} root=UUID={ROOT.uuid}", "ok"),
        ("root=/dev/vdb3", "ok"),
        (f"root=UUID={BOOT.uuid}", "unknown"),
        ("root=UUID=nothing", "broken"),
        ("root=/dev/disk/by-label/nothing", "broken"),
        ("root=/dev/mapper/other-root", "unknown"),
        ("root=/dev/nfs", "unknown"),
        ("quiet", "unknown"),
    ],
)
def test_where_a_command_line_leads(patient: FakePatient, text: str, status: str) -> None:
    assert root(patient, CommandLine(split_cmdline(text))).status == status


def test_without_an_entry_nobody_can_tell(patient: FakePatient) -> None:
    assert root(patient, None).status == "unknown"
