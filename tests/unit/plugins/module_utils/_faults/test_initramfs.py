# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import subprocess
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.initramfs import (
    INITRAMFS_EMPTY,
    INITRAMFS_MISSING,
    INITRAMFS_TRUNCATED,
    examine,
)
from ansible_collections.openrescue.server.plugins.module_utils._faults.model import Fault, Finding
from ansible_collections.openrescue.server.plugins.module_utils._patient.tools import Completed

from .fakes import ROOT, FakeChange, FakePatient, FakeTools


def cpio(*names: str, size: int = 50000) -> bytes:
    """An archive in the format that the kernel unpacks."""
    out = b""
    for name in (*names, "TRAILER!!!"):
        data = b"" if name == "TRAILER!!!" else random.Random(name).randbytes(size)
        numbers = [1, 0o100644, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
        out += b"070701" + b"".join(f"{number:08X}".encode() for number in numbers) + name.encode() + b"\0"
        out += b"\0" * (-len(out) % 4) + data
        out += b"\0" * (-len(out) % 4)
    return out


def lz4_legacy(data: bytes) -> bytes:
    """One block of literals only, which is a valid block."""
    length, rest = b"", len(data) - 15
    while rest >= 255:
        length, rest = length + b"\xff", rest - 255
    block = b"\xf0" + length + bytes([rest]) + data
    return b"\x02\x21\x4c\x18" + len(block).to_bytes(4, "little") + block


def zstd(data: bytes) -> bytes:
    """A frame of raw blocks, with a sum."""
    blocks = [data[start : start + 65536] for start in range(0, len(data), 65536)]
    out = b"\x28\xb5\x2f\xfd" + b"\x84\x58" + len(data).to_bytes(4, "little")
    for number, block in enumerate(blocks):
        last = number == len(blocks) - 1
        out += ((len(block) << 3) | last).to_bytes(3, "little") + block
    return out + b"\x01\x02\x03\x04"


MAIN = cpio("init", "bin/sh", "lib/modules/x.ko")
EARLY = cpio("early_cpio", "kernel", "kernel/x86", "kernel/x86/microcode", "kernel/x86/microcode/AuthenticAMD.bin")
SOUND = {
    "plain": MAIN,
    "gzip": gzip.compress(MAIN),
    "xz": lzma.compress(MAIN, check=lzma.CHECK_CRC32),
    "lzma": lzma.compress(MAIN, format=lzma.FORMAT_ALONE),
    "bzip2": bz2.compress(MAIN),
    "lz4": lz4_legacy(MAIN),
    "zstd": zstd(MAIN),
}


@pytest.mark.parametrize("early", [b"", EARLY, EARLY + b"\0" * 300], ids=["alone", "microcode", "microcode, padded"])
@pytest.mark.parametrize("kind", SOUND)
def test_sound_and_cut(kind: str, early: bytes) -> None:
    whole = early + SOUND[kind]
    assert examine(io.BytesIO(whole)) == "sound"
    assert examine(io.BytesIO(whole + b"\0" * 1000)) == "sound"
    for part in (0.9, 0.5, 0.1):
        cut = whole[: len(early) + int(len(SOUND[kind]) * part)]
        assert examine(io.BytesIO(cut)) == "truncated", part
    assert examine(io.BytesIO(whole[:-1])) == "truncated" or kind == "plain"


@pytest.mark.parametrize("kind", ["gzip", "xz", "bzip2"])
def test_damage_inside_is_seen(kind: str) -> None:
    data = bytearray(SOUND[kind])
    data[len(data) // 2 : len(data) // 2 + 64] = b"\x55" * 64
    assert examine(io.BytesIO(bytes(data))) == "truncated"


@pytest.mark.parametrize(
    ("data", "condition"),
    [
        (b"", "empty"),
        (b"\0" * 100000, "empty"),
        (EARLY, "truncated"),
        (EARLY[:1000], "truncated"),
        (b"\x1f", "unknown"),
        (b"UEFI something else", "unknown"),
        (gzip.compress(MAIN) + gzip.compress(MAIN), "sound"),
    ],
)
def test_other_contents(data: bytes, condition: str) -> None:
    assert examine(io.BytesIO(data)) == condition


@pytest.mark.parametrize(("tool", "arguments"), [("zstd", ["-q", "-19"]), ("lz4", ["-l", "-9"]), ("xz", ["-9"])])
def test_what_the_real_tools_write(tool: str, arguments: list[str]) -> None:
    many = MAIN * 40
    packed = subprocess.run([tool, *arguments, "-c"], input=many, stdout=subprocess.PIPE, check=True).stdout
    assert examine(io.BytesIO(packed)) == "sound"
    assert examine(io.BytesIO(packed[: len(packed) * 2 // 3])) == "truncated"


FAULTS = (INITRAMFS_MISSING, INITRAMFS_EMPTY, INITRAMFS_TRUNCATED)
GRUB = """
menuentry 'Debian' --class debian $menuentry_id_option 'gnulinux-simple' {
        search --no-floppy --fs-uuid --set=root x
        linux   /vmlinuz-6.1.0-1-amd64 root=UUID=00700070-0000-4000-8000-000000000002 ro
        initrd  /initrd.img-6.1.0-1-amd64
}
"""


def findings(patient: FakePatient) -> list[Finding]:
    return [finding for fault in FAULTS for finding in fault.detect(patient)]


def ready(patient: FakePatient, data: bytes | None, *, config: str = GRUB) -> None:
    kernel = patient.install_kernel()
    patient.put("/boot/grub/grub.cfg", config)
    patient.put("/usr/sbin/mkinitramfs", "#!/bin/sh\n")
    if data is not None:
        patient.put(kernel.expected_initramfs, data)


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (None, INITRAMFS_MISSING),
        (b"", INITRAMFS_EMPTY),
        (SOUND["gzip"][:9000], INITRAMFS_TRUNCATED),
        (SOUND["gzip"], None),
        (b"of no known kind", None),
    ],
)
def test_the_default_kernel_is_judged(patient: FakePatient, data: bytes | None, fault: Fault | None) -> None:
    ready(patient, data)
    assert [finding.fault for finding in findings(patient)] == ([fault.id] if fault else [])


@pytest.mark.parametrize("data", [None, b"", SOUND["xz"][:3000]])
def test_it_is_built_by_the_patient_for_exactly_its_kernel(patient: FakePatient, data: bytes | None) -> None:
    ready(patient, data)
    (finding,) = findings(patient)
    assert finding.remedy_safe
    change = FakeChange(patient, builds=SOUND["gzip"])
    fault = next(fault for fault in FAULTS if fault.id == finding.fault)
    fault.repair(patient, finding, change)
    assert change.done == [("mkinitramfs", "-o", "/boot/initrd.img-6.1.0-1-amd64", "6.1.0-1-amd64")]
    assert findings(patient) == []


def test_a_build_that_leaves_no_sound_file_is_a_failure(patient: FakePatient) -> None:
    ready(patient, None)
    (finding,) = findings(patient)
    with pytest.raises(OpenRescueError) as caught:
        INITRAMFS_MISSING.repair(patient, finding, FakeChange(patient, builds=SOUND["gzip"][:5000]))
    assert caught.value.code == "initramfs_not_built"


def test_without_the_patients_tool_or_modules_there_is_no_remedy(patient: FakePatient) -> None:
    ready(patient, None)
    (patient.directory / "usr/sbin/mkinitramfs").unlink()
    (finding,) = findings(patient)
    assert (finding.remedy, finding.remedy_safe) == (None, False)


def test_another_kernel_than_the_default_may_lack_its_initramfs(patient: FakePatient) -> None:
    patient.install_kernel("5.10.0-1-amd64")
    ready(patient, SOUND["gzip"])
    assert findings(patient) == []


def test_a_kernel_that_needs_none_may_lack_it(patient: FakePatient) -> None:
    direct = "menuentry 'x' {\n linux /vmlinuz-6.1.0-1-amd64 root=PARTUUID=1-2 ro\n}\n"
    ready(patient, None, config=direct)
    assert findings(patient) == []
    patient.put("/boot/grub/grub.cfg", direct.replace("PARTUUID=", "UUID="))
    assert [finding.fault for finding in findings(patient)] == ["initramfs-missing"]


def test_a_boot_that_is_not_mounted_is_not_judged(patient: FakePatient) -> None:
    patient.filesystems, patient.boot = (ROOT,), None
    patient.put("/etc/fstab", "UUID=x /boot ext4 defaults 0 2\n")
    with pytest.raises(OpenRescueError) as caught:
        findings(patient)
    assert caught.value.code == "boot_not_mounted"


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
    ready(patient, whole + b"\0" * 100)
    assert findings(patient) == []
    ready(patient, whole[:-5] + b"\1" + whole[-4:])
    assert [finding.fault for finding in findings(patient)] == ["initramfs-truncated"]
