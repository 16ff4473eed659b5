# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import gzip
import io
import lzma
import pathlib
import subprocess
import time
import tracemalloc

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._formats import initramfs
from ansible_collections.openrescue.server.plugins.module_utils._formats.initramfs import Source, examine

from .initramfs_samples import EARLY, MAIN, SOUND, zstd


def source(data: bytes) -> Source:
    return Source(io.BytesIO(data))


@pytest.mark.parametrize("early", [b"", EARLY, EARLY + b"\0" * 300], ids=["alone", "microcode", "microcode, padded"])
@pytest.mark.parametrize("kind", SOUND)
def test_sound_and_cut(kind: str, early: bytes) -> None:
    whole = early + SOUND[kind]
    assert examine(source(whole)) == "sound"
    assert examine(source(whole + b"\0" * 1000)) == "sound"
    for part in (0.9, 0.5, 0.1):
        cut = whole[: len(early) + int(len(SOUND[kind]) * part)]
        assert examine(source(cut)) == "truncated", part
    assert examine(source(whole[:-1])) == "truncated" or kind == "plain"


@pytest.mark.parametrize("kind", ["gzip", "xz", "bzip2"])
def test_damage_inside_is_seen(kind: str) -> None:
    data = bytearray(SOUND[kind])
    data[len(data) // 2 : len(data) // 2 + 64] = b"\x55" * 64
    assert examine(source(bytes(data))) == "truncated"


@pytest.mark.parametrize(
    ("data", "condition"),
    [
        (b"", "empty"),
        (b"\0" * 100000, "empty"),
        (EARLY, "truncated"),
        (EARLY[:1000], "truncated"),
        (b"\x1f", "unknown"),
        (b"UEFI something else", "unknown"),
        (gzip.compress(MAIN, mtime=0) + gzip.compress(MAIN, mtime=0), "sound"),
    ],
)
def test_other_contents(data: bytes, condition: str) -> None:
    assert examine(source(data)) == condition


@pytest.mark.parametrize(("tool", "arguments"), [("zstd", ["-q", "-19"]), ("lz4", ["-l", "-9"]), ("xz", ["-9"])])
def test_what_the_real_tools_write(tool: str, arguments: list[str]) -> None:
    many = MAIN * 40
    packed = subprocess.run([tool, *arguments, "-c"], input=many, stdout=subprocess.PIPE, check=True).stdout
    assert examine(source(packed)) == "sound"
    assert examine(source(packed[: len(packed) * 2 // 3])) == "truncated"


def test_a_stream_that_asks_for_much_memory_gets_none() -> None:
    """90 KB of xz with a dictionary of half a gigabyte."""
    argv = ["xz", "--check=crc32", "--lzma2=preset=0,dict=512MiB", "-c"]
    big = subprocess.run(argv, input=MAIN, stdout=subprocess.PIPE, check=True)
    assert examine(source(big.stdout)) == "unknown"


def test_holes_take_no_time(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.write(SOUND["gzip"])
        file.truncate(initramfs.MAX_SIZE)
    began = time.monotonic()
    with path.open("rb") as file:
        assert examine(Source(file)) == "sound"
    assert time.monotonic() - began < 2
    with path.open("r+b") as file:
        file.truncate(8 << 30)
        assert examine(Source(file)) == "unknown"


def test_no_time_left_is_no_verdict() -> None:
    for data in SOUND.values():
        assert examine(Source(io.BytesIO(data), lambda: True)) == "unknown"


def test_a_bomb_is_not_unpacked_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(initramfs, "MAX_UNPACKED", 8 << 20)
    for packed in (gzip.compress(b"\0" * (64 << 20)), lzma.compress(b"\0" * (64 << 20), preset=0)):
        tracemalloc.start()
        assert examine(source(packed)) == "unknown"
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
        tracemalloc.stop()


def test_the_end_of_a_zstd_frame() -> None:
    whole = zstd(MAIN)
    assert initramfs.end_of_zstd(source(whole + b"\0" * 99)) == len(whole)
    assert initramfs.end_of_zstd(source(whole[:99])) == 0
