# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from _formats.initramfs_samples import SOUND
from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.initramfs_empty import INITRAMFS_EMPTY

from ..fakes import FakePatient
from .patients import (
    with_initramfs,
)


@pytest.mark.parametrize("data", [b"", bytes(4096), bytes(4096) + SOUND["gzip"]])
def test_data_that_were_never_written(patient: FakePatient, data: bytes) -> None:
    with_initramfs(patient, data)
    (finding,) = INITRAMFS_EMPTY.detect(patient)
    assert (finding.severity, finding.evidence[0].text) == ("critical", f"{len(data)} bytes")
    with_initramfs(patient, SOUND["gzip"])
    assert list(INITRAMFS_EMPTY.detect(patient)) == []
