# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a program needs in order to run."""

from __future__ import annotations

import io
import pathlib

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._formats.elf import ElfProgram, read_elf

from .boot_samples import SAMPLES, elf, spoiled


def test_what_a_program_needs() -> None:
    wanted = ElfProgram("/lib64/ld-linux-x86-64.so.2", ("libc.so.6", "libx.so.1"), ("/usr/lib/systemd", "/opt"))
    assert read_elf(io.BytesIO(elf(wanted.interpreter, wanted.needed, "/usr/lib/systemd:/opt"))) == wanted
    assert read_elf(io.BytesIO(elf())) == ElfProgram()
    assert read_elf(io.BytesIO(b"#!/bin/sh\n")) is None


def test_a_real_program() -> None:
    with pathlib.Path("/bin/sh").open("rb") as file:
        program = read_elf(file)
    assert program is not None
    assert any(name.startswith(("libc.", "ld-")) for name in program.needed) or not program.interpreter


@pytest.mark.parametrize("sample", SAMPLES)
def test_nothing_of_a_hostile_head_is_believed(sample: str) -> None:
    for data in spoiled(SAMPLES[sample]):
        read_elf(io.BytesIO(data))
