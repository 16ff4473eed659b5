# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from _formats.initramfs_samples import MAIN, zstd
from ansible_collections.openrescue.server.plugins.module_utils._patient.tools import Completed

from ..fakes import FakePatient, FakeTools
from .patients import (
    INITRAMFS_FAULTS,
    findings,
    with_initramfs,
)


def test_a_stream_may_end_with_a_zero(patient: FakePatient) -> None:
    class Zstd(FakeTools):
        """Knows the one whole stream."""

        def has(self, name: str) -> bool:
            return name == "zstd"

        def run(
            self,
            argv: t.Sequence[str],
            *,
            timeout: float,
            ok: t.Container[int] = (0,),
            stdin: bytes | None = None,
        ) -> Completed:
            return Completed(tuple(argv), 0 if stdin == whole else 1, "", "", 0.0)

    whole = zstd(MAIN)[:-1] + b"\0"
    patient.tools = Zstd()
    with_initramfs(patient, whole + b"\0" * 100)
    assert findings(patient, INITRAMFS_FAULTS) == []
    with_initramfs(patient, whole[:-5] + b"\1" + whole[-4:])
    assert [finding.fault for finding in findings(patient, INITRAMFS_FAULTS)] == ["initramfs-truncated"]
