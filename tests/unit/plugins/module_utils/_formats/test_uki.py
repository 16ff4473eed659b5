# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Unified kernel images."""

from __future__ import annotations

import io

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._formats.uki import read_uki

from .boot_samples import SAMPLES, UKI, efi_program, spoiled


def test_a_unified_kernel_image() -> None:
    uki = read_uki(io.BytesIO(UKI))
    assert uki is not None
    assert (uki.cmdline, uki.release, uki.initrd.size if uki.initrd else 0) == ("root=UUID=1 ro", "6.1.0-1-amd64", 99)
    assert read_uki(io.BytesIO(UKI[:-100])) is None
    assert read_uki(io.BytesIO(efi_program({".text": b"x"}))) is None


@pytest.mark.parametrize("sample", SAMPLES)
def test_nothing_of_a_hostile_head_is_believed(sample: str) -> None:
    for data in spoiled(SAMPLES[sample]):
        read_uki(io.BytesIO(data))
