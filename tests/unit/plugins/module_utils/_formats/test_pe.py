# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sections of an EFI program."""

from __future__ import annotations

import io

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._formats.pe import read_pe_sections

from .boot_samples import SAMPLES, UKI, spoiled


def test_sections_by_their_names() -> None:
    sections = read_pe_sections(io.BytesIO(UKI))
    assert sections is not None
    assert [*sections] == [".linux", ".initrd", ".cmdline", ".uname"]
    assert read_pe_sections(io.BytesIO(UKI[:-100])) is None


@pytest.mark.parametrize("sample", SAMPLES)
def test_nothing_of_a_hostile_head_is_believed(sample: str) -> None:
    for data in spoiled(SAMPLES[sample]):
        read_pe_sections(io.BytesIO(data))
