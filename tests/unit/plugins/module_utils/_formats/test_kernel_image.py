# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kernels: what their heads say, whole, cut and hostile."""

from __future__ import annotations

import io

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._formats.kernel_image import read_kernel_image

from .boot_samples import SAMPLES, bzimage, spoiled


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


@pytest.mark.parametrize("sample", SAMPLES)
def test_nothing_of_a_hostile_head_is_believed(sample: str) -> None:
    for data in spoiled(SAMPLES[sample]):
        read_kernel_image(io.BytesIO(data))
