# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""File systems that are damaged, or whose superblock is gone.

What a boot would heal by itself (a journal to replay, orphans to clear) is no fault, so that is done first,
in the throw-away layer; what is left after it is the damage.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ..._patient.write.change import DEVICE
from ..._text import printable
from ..model import Confidence, Evidence, Fault, Finding, Severity, Signature

if t.TYPE_CHECKING:
    from ..._patient.patient import Filesystem, Patient
    from ..._patient.write.change import Change

__all__ = (
    "FILESYSTEM_CORRUPT",
    "FILESYSTEM_SUPERBLOCK",
    "Backup",
    "is_benign",
    "judge_ext",
    "lost_filesystems",
    "parse_backup",
    "problems",
)

#: a full check reads all metadata: minutes on a large and slow disk
TIMEOUT = 3600.0
ANY_CODE = range(256)
UNCORRECTED, OPERATIONAL = 4, 8
MAX_EVIDENCE = 5

# Where mke2fs puts the first copies of the superblock: (block size, block).
BACKUPS = (
    (4096, 32768),
    (4096, 98304),
    (4096, 163840),
    (1024, 8193),
    (1024, 24577),
    (1024, 40961),
    (2048, 16384),
    (2048, 49152),
)

_NO_PROBLEM = re.compile(
    r"^(?:e2fsck \d|Pass \d|IGNORED\.$|Fix\? |\S+: \*{5,} |\S+: \d+/\d+ files|Warning! |.* was not cleanly unmounted)"
    r"|^\s*$|^ext2fs_open2: |Superblock invalid, trying backup|check forced\.$|recovering journal$"
)


@dataclasses.dataclass(frozen=True)
class Judgement:
    severity: Severity
    confidence: Confidence
    summary: str
    repairable: bool = True


@dataclasses.dataclass(frozen=True)
class Backup:
    """A copy of a lost superblock."""

    block_size: int
    block: int
    uuid: str
    label: str
    size: int


def problems(output: str) -> list[str]:
    """The lines of e2fsck's output that name a problem."""
    return [line.strip() for line in output.splitlines() if not _NO_PROBLEM.search(line)]


def is_benign(output: str) -> bool:
    """Whether e2fsck found fault with summary counts only, all of which it can compute anew."""
    before_summaries, found, _rest = output.partition("\nPass 5:")
    _before, started, passes = before_summaries.partition("Pass 1:")
    return bool(found and started) and all(line.startswith("Pass ") for line in passes.splitlines()[1:] if line.strip())


def judge_ext(*, boot: int | None, full: int, output: str) -> Judgement | None:
    """What two runs of e2fsck say.

    :param boot: exit code of ``e2fsck -p``, the check of every boot, in the throw-away layer; None without one.
    :param full: exit code of ``e2fsck -fn`` after it.
    :param output: of the one that found the damage.
    """
    if boot is not None and boot & UNCORRECTED:
        repairable = "physical size of the device" not in output
        return Judgement("critical", "high", "is damaged, and the check at boot stops for it", repairable)
    if full & UNCORRECTED:
        if boot is None and "skipping journal recovery" in output:
            return Judgement("info", "low", "cannot be judged: its journal was not replayed", repairable=False)
        return Judgement("error", "high", "is damaged, though nothing at boot notices")
    if full & OPERATIONAL:
        return Judgement("info", "low", "cannot be checked by this rescue system", repairable=False)
    return None


def parse_backup(text: str, *, block_size: int, block: int) -> Backup | None:
    """A superblock as ``dumpe2fs -h`` shows it."""
    uuid = re.search(r"^Filesystem UUID: +([0-9a-f-]{36})$", text, re.MULTILINE)
    count = re.search(r"^Block count: +(\d+)$", text, re.MULTILINE)
    label = re.search(r"^Filesystem volume name: +(.*)$", text, re.MULTILINE)
    if not uuid or not count:
        return None
    name = label.group(1) if label and label.group(1) != "<none>" else ""
    return Backup(block_size, block, uuid.group(1), name, int(count.group(1)) * block_size)


def find_backup(patient: Patient, item: Filesystem) -> Backup | None:
    """The first copy of a superblock on a device on which nothing is recognised."""
    for block_size, block in BACKUPS:
        if block_size * (block + 1) > item.size:
            continue
        where = ["-o", f"superblock={block}", "-o", f"blocksize={block_size}"]
        done = patient.tools.run(["dumpe2fs", "-h", *where, item.reading_device], timeout=60, ok=ANY_CODE)
        backup = parse_backup(done.stdout, block_size=block_size, block=block) if done.rc == 0 else None
        if backup and backup.size <= item.size:
            return backup
    return None


def lost_filesystems(patient: Patient) -> dict[str, Filesystem]:
    """The devices whose file system has lost its superblock, by the names that fstab may use for them."""
    names: dict[str, Filesystem] = {}
    for item in patient.blank if patient.tools.has("dumpe2fs") else ():
        backup = find_backup(patient, item)
        if backup:
            names[f"UUID={backup.uuid}"] = names[f"/dev/disk/by-uuid/{backup.uuid}"] = item
            if backup.label:
                names[f"LABEL={backup.label}"] = names[f"/dev/disk/by-label/{backup.label}"] = item
    return names


def _evidence(item: Filesystem, lines: t.Sequence[str]) -> tuple[Evidence, ...]:
    """The device first, which makes it the same finding however its damage changes."""
    shown = (Evidence(device=item.device, text=printable(line)) for line in lines[:MAX_EVIDENCE])
    return (Evidence(device=item.device), *shown)


def _devices(patient: Patient, finding: Finding) -> t.Iterator[Filesystem]:
    wanted = finding.evidence[0].device
    return (item for item in (*patient.filesystems, *patient.blank) if item.device == wanted)


def _detect_superblock(patient: Patient) -> t.Iterator[Finding]:
    for item in patient.blank:
        backup = find_backup(patient, item)
        if backup is None:
            continue
        argv = ["e2fsck", "-f", "-n", "-b", str(backup.block), "-B", str(backup.block_size), item.reading_device]
        done = patient.tools.run(argv, timeout=TIMEOUT, ok=ANY_CODE)
        whole = done.rc == 0 or is_benign(done.stdout)
        yield Finding(
            fault="filesystem-superblock",
            severity="critical" if whole else "warning",
            summary=f"{item.device} has lost the superblock of its ext file system {backup.uuid}",
            evidence=_evidence(item, [f"a copy is at block {backup.block} of {backup.block_size} bytes"]),
            remedy=f"write the superblock anew from its copy at block {backup.block}",
            # A copy can outlive its file system: where the rest does not fit to it, a person decides.
            remedy_safe=whole,
            confidence="high" if whole else "low",
        )


def _repair_superblock(patient: Patient, finding: Finding, change: Change) -> None:
    for item in _devices(patient, finding):
        backup = find_backup(patient, item)
        if backup:
            _check_and_write(item, change, "-b", str(backup.block), "-B", str(backup.block_size))


FILESYSTEM_SUPERBLOCK = Fault(
    id="filesystem-superblock",
    title="An ext file system has lost its superblock, but still has a copy of it",
    stage="device",
    tools=("dumpe2fs", "e2fsck"),
    signatures=(
        Signature(
            re.compile(r"Bad magic number in super-block while trying to open (/dev/\S{1,100})"),
            "{0} has no valid superblock",
        ),
        Signature(
            re.compile(r"EXT4-fs \((\S{1,40})\): (?:VFS: Can't find ext4 filesystem|unable to read superblock)"),
            "{0} has no valid superblock",
        ),
        Signature(
            re.compile(r"ALERT!\s{1,4}(\S{1,200}) does not exist\.\s{1,4}Dropping to a shell"),
            "the root file system {0} was not found",
            confidence="low",
        ),
        Signature(
            re.compile(r"Warning: (/dev/(?:disk/by-|mapper/)\S{1,200}) does not exist"),
            "the root file system {0} was not found",
            confidence="low",
        ),
        Signature(
            re.compile(r"error: (?:\S{1,80}:\d{1,5}: ?)?no such device: ([0-9a-fA-F-]{1,40})"),
            "the boot loader does not find the file system {0} that it needs",
            confidence="medium",
        ),
        Signature(
            re.compile(r"error: (?:\S{1,80}:\d{1,5}: ?)?unknown filesystem"),
            "the boot loader does not recognise the file system that it needs",
            confidence="medium",
        ),
    ),
    detect=_detect_superblock,
    repair=_repair_superblock,
    safe=True,
)


def _detect_corrupt(patient: Patient) -> t.Iterator[Finding]:
    for item in patient.filesystems:
        if item.fstype in ("ext2", "ext3", "ext4"):
            yield from _ext_corrupt(patient, item)
        elif item.fstype == "xfs" and patient.tools.has("xfs_repair"):
            yield from _reported_corrupt(patient, item, ["xfs_repair", "-n", item.reading_device], unless="ALERT: ")
        elif item.fstype == "btrfs" and patient.tools.has("btrfs"):
            yield from _reported_corrupt(patient, item, ["btrfs", "check", "--readonly", item.reading_device])


def _ext_corrupt(patient: Patient, item: Filesystem) -> t.Iterator[Finding]:
    boot = None
    if item.writable:
        first = patient.tools.run(["e2fsck", "-p", item.reading_device], timeout=TIMEOUT, ok=ANY_CODE)
        boot, output = first.rc, first.stdout + first.stderr
    full = patient.tools.run(["e2fsck", "-f", "-n", item.reading_device], timeout=TIMEOUT, ok=ANY_CODE)
    if boot is None or not boot & UNCORRECTED:
        output = full.stdout + full.stderr
    judgement = judge_ext(boot=boot, full=full.rc, output=output)
    if judgement is None:
        return
    safe = judgement.repairable and _preen_suffices_corrupt(patient, item, boot)
    yield Finding(
        fault="filesystem-corrupt",
        severity=judgement.severity,
        summary=f"{item.fstype} on {item.device} {judgement.summary}",
        evidence=_evidence(item, problems(full.stdout) or problems(output)),
        remedy=("let e2fsck repair it" if safe else "let e2fsck repair it, answering yes to all it asks")
        if judgement.repairable
        else None,
        remedy_safe=safe,
        confidence=judgement.confidence,
    )


def _preen_suffices_corrupt(patient: Patient, item: Filesystem, boot: int | None) -> bool:
    """Whether e2fsck repairs it without asking, tried where nothing reaches the disk."""
    if boot is None or boot & UNCORRECTED:
        return False
    tried = patient.tools.run(["e2fsck", "-f", "-p", item.reading_device], timeout=TIMEOUT, ok=ANY_CODE)
    return tried.rc < UNCORRECTED


def _reported_corrupt(
    patient: Patient, item: Filesystem, argv: t.Sequence[str], *, unless: str | None = None
) -> t.Iterator[Finding]:
    """File systems whose repair is left to a person. ``unless``: what says that the result is not reliable."""
    done = patient.tools.run(argv, timeout=TIMEOUT, ok=ANY_CODE)
    output = done.stdout + done.stderr
    if done.rc != 1 or (unless and unless in output):
        return
    lines = [line for line in output.splitlines() if re.search(r"(?i)\b(?:bad|error|corrupt|mismatch)", line)]
    yield Finding(
        fault="filesystem-corrupt",
        severity="error",
        summary=f"{item.fstype} on {item.device} is damaged",
        evidence=_evidence(item, lines),
        confidence="medium",
    )


def _repair_corrupt(patient: Patient, finding: Finding, change: Change) -> None:
    for item in _devices(patient, finding):
        _check_and_write(item, change)


FILESYSTEM_CORRUPT = Fault(
    id="filesystem-corrupt",
    title="A file system is damaged",
    stage="device",
    tools=("e2fsck",),
    signatures=(
        Signature(
            re.compile(r"(/dev/\S{1,100}|\S{1,60}): UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY"),
            "{0} is damaged, and the check at boot stopped for it",
        ),
        Signature(
            re.compile(r"The (?:root )?file ?system on (/dev/\S{1,100}) requires a manual fsck"),
            "{0} is damaged, and the check at boot stopped for it",
        ),
        Signature(
            re.compile(r"EXT4-fs error \(device (\S{1,40})\)"),
            "{0} is damaged",
            severity="error",
            survives_boot=True,
        ),
        Signature(
            re.compile(
                r"EXT4-fs \((\S{1,40})\): (?:group descriptors corrupted|bad geometry|ext4_check_descriptors: "
                r"|no journal found|error loading journal|get root inode failed|corrupt root inode)"
            ),
            "{0} is damaged so that it cannot be mounted",
        ),
        Signature(
            re.compile(r"XFS \((\S{1,40})\): (?:Metadata (?:CRC error|corruption) detected|Corruption )"),
            "{0} is damaged",
            severity="error",
            survives_boot=True,
        ),
        Signature(
            re.compile(r"BTRFS (?:critical|error) \(device (\S{1,40}?)(?: state \S{1,10})?\)"),
            "{0} is damaged",
            severity="error",
            survives_boot=True,
        ),
        Signature(
            # systemd cuts the name of the service in its middle.
            re.compile(r"Failed to start (?:systemd-fsck\S{0,200} - )?(?:File System Check on|systemd-fs\S{0,40}…)"),
            "the check of a file system failed",
            confidence="medium",
        ),
    ),
    detect=_detect_corrupt,
    repair=_repair_corrupt,
    safe=True,
)


def _check_and_write(item: Filesystem, change: Change, *options: str) -> None:
    """Repair without questions; only where that is not enough, with yes to all of them."""
    done = change.run_on_device(item, ["e2fsck", "-f", "-p", *options, DEVICE], timeout=TIMEOUT, ok=ANY_CODE)
    if done.rc & (UNCORRECTED | OPERATIONAL):
        # The first run may have written the superblock already, and then its copy is not needed.
        done = change.run_on_device(item, ["e2fsck", "-f", "-y", *options, DEVICE], timeout=TIMEOUT, ok=range(4))
    for line in problems(done.stdout)[:MAX_EVIDENCE]:
        change.note(f"{item.device}: {printable(line)}")
