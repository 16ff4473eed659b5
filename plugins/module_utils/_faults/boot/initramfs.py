# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The initramfs of the kernel that boots by default: missing, empty, or cut off.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import bz2
import dataclasses
import lzma
import re
import typing as t
import zlib

from ..._errors import OpenRescueError
from ..._text import printable
from ..model import Evidence, Fault, Finding, Signature
from .menu import MenuEntry, default_kernel, in_tree, read_menu, require_boot

if t.TYPE_CHECKING:
    from ..._patient.patient import Kernel, Patient
    from ..._patient.write.change import Change

__all__ = ("INITRAMFS_EMPTY", "INITRAMFS_MISSING", "INITRAMFS_TRUNCATED", "examine", "is_empty")

Condition = t.Literal["sound", "empty", "truncated", "unknown"]

CHUNK = 1024 * 1024
SEEK_END = 2
#: larger ones are not looked through; a bomb is not unpacked to its end
MAX_UNPACKED = 4 * 1024 * CHUNK
MAX_FOR_TOOL = 512 * CHUNK
BUILD_TIMEOUT = 1800.0

_CPIO = (b"070701", b"070702")
_GZIP, _BZIP2, _XZ, _LZMA = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"]\x00\x00"
_ZSTD, _LZ4_LEGACY = b"\x28\xb5\x2f\xfd", b"\x02\x21\x4c\x18"


def examine(file: t.BinaryIO) -> Condition:
    """Read an initramfs to its end: cpio archives and compressed streams, one after the other, padded by zeros."""
    if is_empty(file):
        return "empty"
    size = file.seek(0, SEEK_END)
    main = False
    offset = 0
    while True:
        offset = _skip_zeros(file, offset)
        file.seek(offset)
        magic = file.read(6)
        if not magic:
            # An early archive alone holds microcode, but no system.
            return "sound" if main else "truncated"
        if magic in _CPIO:
            end, early = _walk_cpio(file, offset, size)
            main = main or not early
        else:
            found = _end_of_stream(file, offset, size, magic)
            if found is None:
                return "unknown" if not main and offset == 0 else "sound"
            end, main = found, True
        if end < 0:
            return "truncated"
        offset = end


def is_empty(file: t.BinaryIO) -> bool:
    """Whether it has no content, or begins with zeros where data were never written."""
    file.seek(0)
    return not file.read(4096).strip(b"\0")


def _skip_zeros(file: t.BinaryIO, offset: int) -> int:
    file.seek(offset)
    while True:
        chunk = file.read(CHUNK)
        kept = chunk.lstrip(b"\0")
        offset += len(chunk) - len(kept)
        if kept or not chunk:
            return offset


def _walk_cpio(file: t.BinaryIO, offset: int, size: int) -> tuple[int, bool]:
    """Where an archive ends (-1: nowhere), and whether it is the early one with microcode only."""
    early = True
    while True:
        file.seek(offset)
        header = file.read(110)
        if len(header) < 110 or header[:6] not in _CPIO:
            return -1, early
        try:
            data_size, name_size = int(header[54:62], 16), int(header[94:102], 16)
        except ValueError:
            return -1, early
        name = file.read(min(name_size, 4096)).rstrip(b"\0")
        offset = _aligned(_aligned(offset + 110 + name_size) + data_size)
        if offset > size + 3:
            return -1, early
        if name == b"TRAILER!!!":
            return min(offset, size), early
        if not re.match(rb"^(?:\.|\./)?(?:early_cpio|kernel(?:/.*)?)?$", name):
            early = False


def _aligned(offset: int) -> int:
    return (offset + 3) & ~3


def _end_of_stream(file: t.BinaryIO, offset: int, size: int, magic: bytes) -> int | None:
    """Where a compressed stream ends: -1 if it is cut off or damaged, None if it is of no known kind."""
    if magic.startswith(_ZSTD):
        return _walk_zstd(file, offset, size)
    if magic.startswith(_LZ4_LEGACY):
        return _walk_lz4(file, offset, size)
    if magic.startswith(_GZIP):
        return _inflate(file, offset)
    if magic.startswith(_BZIP2):
        return _decompress(file, offset, bz2.BZ2Decompressor())
    if magic.startswith((_XZ, _LZMA)):
        return _decompress(file, offset, lzma.LZMADecompressor())
    return None


def _inflate(file: t.BinaryIO, offset: int) -> int:
    stream = zlib.decompressobj(wbits=31)
    file.seek(offset)
    read, unpacked = offset, 0
    try:
        while not stream.eof and unpacked < MAX_UNPACKED:
            chunk = stream.unconsumed_tail
            if not chunk:
                chunk = file.read(CHUNK)
                read += len(chunk)
            if not chunk:
                return -1
            unpacked += len(stream.decompress(chunk, CHUNK))
    except zlib.error:
        return -1
    return read - len(stream.unused_data) if stream.eof else file.seek(0, SEEK_END)


def _decompress(file: t.BinaryIO, offset: int, stream: bz2.BZ2Decompressor | lzma.LZMADecompressor) -> int:
    file.seek(offset)
    read, unpacked = offset, 0
    try:
        while not stream.eof and unpacked < MAX_UNPACKED:
            chunk = file.read(CHUNK) if stream.needs_input else b""
            read += len(chunk)
            if stream.needs_input and not chunk:
                return -1
            unpacked += len(stream.decompress(chunk, CHUNK))
    except (OSError, lzma.LZMAError, EOFError):
        return -1
    return read - len(stream.unused_data) if stream.eof else file.seek(0, SEEK_END)


def _walk_zstd(file: t.BinaryIO, offset: int, size: int) -> int:
    """The end of a Zstandard frame, from the sizes of its blocks (RFC 8878); nothing is unpacked."""
    file.seek(offset + 4)
    descriptor = file.read(1)
    if not descriptor:
        return -1
    flags = descriptor[0]
    single = bool(flags & 0x20)
    content = (1 if single else 0, 2, 4, 8)[flags >> 6]
    offset += 5 + (0 if single else 1) + (0, 1, 2, 4)[flags & 3] + content
    while True:
        file.seek(offset)
        header = int.from_bytes(file.read(3), "little")
        kind, length = (header >> 1) & 3, header >> 3
        offset += 3 + (1 if kind == 1 else length)
        if offset > size or kind == 3:
            return -1
        if header & 1:
            offset += 4 if flags & 4 else 0
            return offset if offset <= size else -1


def _walk_lz4(file: t.BinaryIO, offset: int, size: int) -> int:
    """The end of a legacy LZ4 stream, which ends with the file or at what is no block."""
    offset += 4
    while offset < size:
        file.seek(offset)
        header = file.read(4)
        length = int.from_bytes(header, "little")
        # A block holds 8 MiB at most; more is the next thing in the file, such as padding.
        if len(header) == 4 and (length == 0 or length > 9 * CHUNK):
            return offset
        if len(header) < 4:
            return offset if not header.strip(b"\0") else -1
        offset += 4 + length
        if offset > size:
            return -1
    return offset


@dataclasses.dataclass(frozen=True)
class Subject:
    """The initramfs to judge."""

    path: str
    kernel: Kernel | None
    version: str


def needs_initramfs(entry: MenuEntry | None) -> bool:
    """Whether a kernel can only find this root file system with the help of an initramfs."""
    if entry is None or entry.initrds:
        return True
    root = next((option[5:] for option in entry.options if option.startswith("root=")), "")
    return not re.match(r"^(?:PARTUUID=|/dev/(?:[vsh]d|xvd|nvme|mmcblk)|/dev/nfs|/dev/ram)", root)


def subject(patient: Patient) -> Subject | None:
    """The initramfs of the default kernel; None where the patient has no kernel or needs no initramfs."""
    require_boot(patient)
    kernel, entry = default_kernel(patient, read_menu(patient))
    if not needs_initramfs(entry):
        return None
    named = [path for path in (entry.initrds if entry else ()) if not re.search(r"ucode|microcode", path)]
    if named:
        path = in_tree(patient, named[-1])
    elif kernel is not None:
        path = kernel.expected_initramfs
    else:
        return None
    linux = kernel.version if kernel else (entry.linux.rsplit("/", 1)[-1] if entry else "")
    return Subject(path, kernel, linux)


def condition(patient: Patient, path: str, *, whole: bool = True) -> Condition | None:
    """How an initramfs is; None if it is not there. Only where the ``whole`` is read is "sound" more than a guess."""
    file = patient.tree.open(path) if patient.tree.is_file(path) else None
    if file is None:
        return None
    with file:
        if not whole:
            return "empty" if is_empty(file) else "sound"
        found = examine(file)
        if found == "sound" and not _tool_agrees(patient, file):
            return "truncated"
        return found


def _tool_agrees(patient: Patient, file: t.BinaryIO) -> bool:
    """Let zstd check its sums, where the whole file is one stream of it and the tool is there."""
    size = file.seek(0, SEEK_END)
    file.seek(0)
    if size > MAX_FOR_TOOL or file.read(4) != _ZSTD or not patient.tools.has("zstd"):
        return True
    # Without the padding behind it; the stream itself may end with a zero, too.
    end = _walk_zstd(file, 0, size)
    file.seek(0)
    data = file.read(end)
    return patient.tools.run(["zstd", "-q", "-t"], timeout=600, ok=range(256), stdin=data).rc == 0


def builder(patient: Patient, kernel: Kernel, path: str) -> list[str] | None:
    """The patient's own command that builds an initramfs for exactly this kernel, at this path."""
    commands = (
        # Straight, and not through update-initramfs, which refuses by what it noted about the old file.
        ("/usr/sbin/mkinitramfs", ["mkinitramfs", "-o", path, kernel.version]),
        # Host-only would look at the rescue system's devices.
        ("/usr/bin/dracut", ["dracut", "--force", "--no-hostonly", "--kver", kernel.version, path]),
        ("/usr/sbin/dracut", ["dracut", "--force", "--no-hostonly", "--kver", kernel.version, path]),
        ("/usr/bin/mkinitcpio", ["mkinitcpio", "-k", kernel.version, "-g", path]),
    )
    return next((argv for program, argv in commands if patient.tree.is_file(program)), None)


def _detector(fault: str, wanted: Condition | None, words: str) -> t.Callable[[Patient], t.Iterator[Finding]]:
    """One judgement of one file; the faults differ in what it says."""

    def detect(patient: Patient) -> t.Iterator[Finding]:
        about = subject(patient)
        if about is None or condition(patient, about.path, whole=wanted == "truncated") != wanted:
            return
        kernel = about.kernel
        able = kernel is not None and kernel.has_modules and patient.tree.is_file(kernel.vmlinuz)
        command = builder(patient, kernel, about.path) if kernel is not None and able else None
        found = patient.tree.stat(about.path)
        yield Finding(
            fault=fault,
            severity="critical",
            summary=f"the initramfs of the default kernel {printable(about.version, limit=80)} {words}",
            evidence=(Evidence(path=printable(about.path), text=f"{found.st_size} bytes" if found else "absent"),),
            remedy=f"build it anew with {command[0]}" if command else None,
            remedy_safe=command is not None,
        )

    return detect


def _repair(patient: Patient, finding: Finding, change: Change) -> None:
    about = subject(patient)
    command = builder(patient, about.kernel, about.path) if about and about.kernel else None
    if about is None or command is None or printable(about.path) != finding.evidence[0].path:
        return
    change.run_in_patient(command, outputs=[about.path], timeout=BUILD_TIMEOUT)
    result = condition(patient, about.path)
    if result not in ("sound", "unknown"):
        raise OpenRescueError(
            f"the patient's '{command[0]}' ended well, but the initramfs is {result or 'missing'}",
            code="initramfs_not_built",
            hint="Look for free space on /boot",
        )


INITRAMFS_MISSING = Fault(
    id="initramfs-missing",
    title="The default kernel has no initramfs",
    signatures=(
        Signature(
            re.compile(r"error: (?:\S{1,80}:\d{1,5}: ?)?file [`']([^`']{0,200}initr[^`']{1,100})' not found"),
            "the boot loader does not find the initramfs {0}",
        ),
        Signature(
            re.compile(
                r"VFS: (?:Cannot open root device \"?([^\"]{0,100}?)\"? or|Unable to mount root fs on) unknown-block"
            ),
            "the kernel found no root file system: it was started without an initramfs that it could use",
            confidence="medium",
        ),
    ),
    detect=_detector("initramfs-missing", None, "is missing"),
    repair=_repair,
    safe=True,
)

INITRAMFS_EMPTY = Fault(
    id="initramfs-empty",
    title="The initramfs of the default kernel is empty",
    detect=_detector("initramfs-empty", "empty", "is empty"),
    repair=_repair,
    safe=True,
)

INITRAMFS_TRUNCATED = Fault(
    id="initramfs-truncated",
    title="The initramfs of the default kernel is cut off or damaged",
    signatures=(
        Signature(
            re.compile(r"Initramfs unpacking failed: (.{1,80})"),
            "the kernel could not unpack its initramfs: {0}",
        ),
        Signature(
            re.compile(r"RAMDISK: (?:\S{1,10} )?(?:ran out of compressed data|incomplete write|invalid magic)"),
            "the kernel could not unpack its initramfs",
        ),
        Signature(
            re.compile(r"error: (?:\S{1,80}:\d{1,5}: ?)?premature end of file ([^ ]{0,200}initr[^ ]{1,100}?)\.?$"),
            "the boot loader could not read the initramfs {0} to its end",
        ),
    ),
    detect=_detector("initramfs-truncated", "truncated", "is cut off or damaged"),
    repair=_repair,
    safe=True,
)
