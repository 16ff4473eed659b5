# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kernels, EFI programs, unified kernel images and ELF programs: what their heads say, whole, cut and hostile."""

from __future__ import annotations

import io
import pathlib
import struct

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._formats.elf import ElfProgram, read_elf
from ansible_collections.openrescue.server.plugins.module_utils._formats.kernel_image import read_kernel_image
from ansible_collections.openrescue.server.plugins.module_utils._formats.pe import read_pe_sections
from ansible_collections.openrescue.server.plugins.module_utils._formats.uki import read_uki

from .boot_samples import bzimage, efi_program, elf

UKI = efi_program(
    {".linux": bzimage(), ".initrd": b"x" * 99, ".cmdline": b"root=UUID=1 ro\n\0", ".uname": b"6.1.0-1-amd64"}
)


@pytest.mark.parametrize(
    ("data", "kind", "problem"),
    [
        (bzimage(), "bzImage", ""),
        (bzimage() + b"signature", "bzImage", ""),
        (bzimage()[:-100], "bzImage", ""),
        (bzimage()[:-5000], "bzImage", "it ends after"),
        (b"", "", "it is empty"),
        (b"\0" * 70000, "", "zeros"),
        (b"\x1f\x8b" + b"x" * 300000, "gzip", ""),
        (b"\x1f\x8b" + b"x" * 3000, "gzip", "only 3002 bytes"),
        (b"MZ" + b"x" * 300000, "EFI program", ""),
        (b"text", "", ""),
    ],
)
def test_a_kernel(data: bytes, kind: str, problem: str) -> None:
    image = read_kernel_image(io.BytesIO(data))
    assert image.kind == kind
    assert problem in image.problem
    assert bool(problem) == bool(image.problem)


def test_the_release_of_a_kernel() -> None:
    assert read_kernel_image(io.BytesIO(bzimage("6.6.32-0-virt"))).release == "6.6.32-0-virt"


def test_a_unified_kernel_image() -> None:
    uki = read_uki(io.BytesIO(UKI))
    assert uki is not None
    assert (uki.cmdline, uki.release, uki.initrd.size if uki.initrd else 0) == ("root=UUID=1 ro", "6.1.0-1-amd64", 99)
    assert read_uki(io.BytesIO(UKI[:-100])) is None
    assert read_uki(io.BytesIO(efi_program({".text": b"x"}))) is None


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


@pytest.mark.parametrize("reader", [read_elf, read_pe_sections, read_kernel_image, read_uki])
@pytest.mark.parametrize("sample", [elf("/lib/ld.so", ("libc.so.6",)), UKI, bzimage()], ids=["elf", "uki", "kernel"])
def test_nothing_of_a_hostile_head_is_believed(reader: object, sample: bytes) -> None:
    assert callable(reader)
    for at in range(0, min(len(sample), 400), 7):
        for value in (b"\xff" * 8, struct.pack("<Q", 1 << 40)):
            reader(io.BytesIO(sample[:at] + value + sample[at + 8 :]))
        reader(io.BytesIO(sample[:at]))
