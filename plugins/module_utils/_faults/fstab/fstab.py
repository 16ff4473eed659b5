# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines of /etc/fstab that stop or spoil a boot, judged as systemd-fstab-generator and mount judge them.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ..._formats.fstab_lines import (
    KNOWN_TYPES,
    MOUNTABLE_TYPES,
    Entry,
    apply_edit,
    is_judged,
    misspelled_option,
    parse,
    same_type,
    with_nofail,
)
from ..._text import printable
from ..model import Evidence, Fault, Finding, Severity, Signature
from ..storage.filesystem import lost_filesystems

if t.TYPE_CHECKING:
    from ..._patient.patient import Filesystem, Patient
    from ..._patient.write.change import Change

__all__ = (
    "FSTAB_DUPLICATE_MOUNT_POINT",
    "FSTAB_MISSING_DEVICE",
    "FSTAB_SYNTAX",
    "FSTAB_WRONG_TYPE",
    "Volumes",
    "judge",
)

PATH = "/etc/fstab"
Kind = t.Literal["fstab-missing-device", "fstab-syntax", "fstab-wrong-type", "fstab-duplicate-mount-point"]


@dataclasses.dataclass(frozen=True)
class Problem:
    """What is wrong with one line, and the line that would be right: None comments it out."""

    kind: Kind
    entry: Entry
    severity: Severity
    summary: str
    new_line: str | None
    remedy: str
    certain: bool = True


@dataclasses.dataclass(frozen=True)
class Volumes:
    """What judging a line has to know of the patient's devices.

    :param find: the device that a first field names, None if the patient has no such device.
    :param all: every file system of the patient.
    :param root: the one that is mounted as /.
    :param mounted: by mount point, as found by content where fstab is of no use.
    :param last_mounted: where a file system says that it was mounted last; empty if it does not say.
    """

    find: t.Callable[[str], Filesystem | None]
    all: tuple[Filesystem, ...]
    root: Filesystem | None
    mounted: t.Mapping[str, Filesystem]
    last_mounted: t.Callable[[Filesystem], str]


def judge(text: str, volumes: Volumes) -> list[Problem]:
    """Everything that is wrong with an fstab, at most one problem for a line."""
    entries = parse(text)
    problems = {entry.number: problem for entry in entries for problem in _syntax(entry, volumes)}
    sound = [entry for entry in entries if entry.number not in problems]
    for problem in _duplicates(sound, volumes):
        problems[problem.entry.number] = problem
    used = {found.device for entry in sound for found in [volumes.find(entry.spec)] if found}
    for entry in sound:
        if entry.number not in problems:
            for problem in (*_missing(entry, volumes, used), *_wrong_type(entry, volumes)):
                problems[entry.number] = problem
    return [problems[number] for number in sorted(problems)]


def _weight(entry: Entry, otherwise: Severity = "critical") -> Severity:
    """A line that the boot does not wait for is worth a warning at most."""
    if entry.is_swap:
        return "warning"
    return otherwise if entry.stops_boot else "warning"


def _syntax(entry: Entry, volumes: Volumes) -> t.Iterator[Problem]:
    fields = entry.fields
    device = _glued_device(entry, volumes)
    if device:
        start = len(entry.line) - len(entry.line.lstrip()) + len(device)
        fixed = f"{entry.line[:start]} {entry.line[start:]}"
        what = "device and mount point are written together"
        yield _broken(entry, what, "critical", fixed, "put a space between them")
        return
    if len(fields) > 4 and fields[3] in KNOWN_TYPES and fields[2] not in KNOWN_TYPES and entry.target.startswith("/"):
        fixed = entry.joined(1, 2, "\\040")
        yield _broken(entry, "the mount point holds a bare space", _weight(entry), fixed, "write the space as \\040")
        return
    if len(fields) < 3 or not (entry.is_swap or entry.target.startswith("/") or entry.target in ("none", "swap")):
        yield _unusable(entry, volumes)
        return
    yield from _bad_numbers(entry)
    yield from _bad_option(entry)


def _glued_device(entry: Entry, volumes: Volumes) -> str:
    """The device with which a first field begins, where a mount point follows without a space.

    ``/dev/mapper/rhel-swap none swap`` looks like that too: so what comes before the slash has to be a device of
    the patient, and what comes after the field a type that can be mounted.
    """
    field = entry.fields[0]
    if len(entry.fields) < 2 or entry.fields[1] not in MOUNTABLE_TYPES or volumes.find(entry.spec) is not None:
        return ""
    cuts = [found.start() for found in re.finditer("/", field) if found.start() > 0]
    return next((field[:cut] for cut in cuts if volumes.find(field[:cut]) is not None), "")


def _broken(entry: Entry, what: str, severity: Severity, fixed: str, remedy: str) -> Problem:
    return Problem("fstab-syntax", entry, severity, f"line {entry.number}: {what}", fixed, remedy)


def _unusable(entry: Entry, volumes: Volumes) -> Problem:
    what = f"line {entry.number} cannot be read: it needs a device, an absolute mount point and a type"
    found = volumes.find(entry.spec) if is_judged(entry) else None
    if volumes.root is not None and found is not None and found.device == volumes.root.device:
        fixed = f"{entry.spec} / {found.fstype} defaults 0 1"
        return Problem("fstab-syntax", entry, "critical", what, fixed, "write the line of the root file system anew")
    # systemd leaves the line out, so that whatever it mounted is missing, but the boot goes on.
    return Problem("fstab-syntax", entry, "error", what, None, "comment the line out")


def _bad_numbers(entry: Entry) -> t.Iterator[Problem]:
    """libmount leaves out a line whose fifth or sixth field is no number; systemd takes it for 0."""
    for index, name in ((4, "dump frequency"), (5, "fsck pass number")):
        if len(entry.fields) <= index or re.fullmatch(r"[+-]?\d{1,9}", entry.fields[index]):
            continue
        if entry.fields[index].startswith("#"):
            fixed = entry.with_field(index, ("0 0 " if index == 4 else "0 ") + entry.fields[index])
        else:
            fixed = entry.with_field(index, "0")
        what = f"the {name} is no number, so that mount leaves the line out"
        yield _broken(entry, what, _weight(entry, "error"), fixed, f"set the {name} to 0")
        return


def _bad_option(entry: Entry) -> t.Iterator[Problem]:
    for option in entry.options if is_judged(entry) else ():
        meant = misspelled_option(option)
        if meant:
            options = ",".join(meant if one == option else one for one in entry.options)
            what = f"'{printable(option, limit=40)}' is no mount option, so that the mount fails"
            yield _broken(entry, what, _weight(entry), entry.with_field(3, options), f"write '{meant}'")
            return


def _duplicates(entries: t.Sequence[Entry], volumes: Volumes) -> t.Iterator[Problem]:
    """systemd uses the first line of a mount point and complains about the others."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.target.startswith("/") and not entry.is_swap and not entry.noauto:
            groups.setdefault(entry.target.rstrip("/") or "/", []).append(entry)
    for group in groups.values():
        if len(group) < 2:
            continue
        kept = next((entry for entry in group if _present(entry, volumes)), group[0])
        for entry in group:
            if entry is not kept:
                severity: Severity = "critical" if entry is group[0] else "error"
                what = f"line {entry.number} mounts at {printable(entry.target, limit=80)} as does line {kept.number}"
                yield Problem("fstab-duplicate-mount-point", entry, severity, what, None, "comment the line out")


def _present(entry: Entry, volumes: Volumes) -> bool:
    return not is_judged(entry) or volumes.find(entry.spec) is not None


def _missing(entry: Entry, volumes: Volumes, used: t.Collection[str]) -> t.Iterator[Problem]:
    """A line that the boot does not wait for may name what is not there; swap only costs the wait."""
    needed = entry.stops_boot or (entry.is_swap and not (entry.nofail or entry.noauto))
    if not needed or _present(entry, volumes):
        return
    where = printable(entry.target, limit=80)
    what = f"line {entry.number} names {printable(entry.spec, limit=80)} for {where}, and the server has no such device"
    right = _belongs(entry, volumes, used)
    if right is not None and (right.uuid or right.partuuid):
        spec = f"UUID={right.uuid}" if right.uuid else f"PARTUUID={right.partuuid}"
        new, remedy = entry.with_field(0, spec), f"name {right.device} instead, which belongs there: {spec}"
    else:
        new, remedy = with_nofail(entry), "add nofail, so that the boot goes on without it"
    certain = not re.match(r"^/dev/(?!disk/|mapper/)", entry.spec)
    yield Problem("fstab-missing-device", entry, _weight(entry), what, new, remedy, certain)


def _belongs(entry: Entry, volumes: Volumes, used: t.Collection[str]) -> Filesystem | None:
    """The one device that plainly belongs where a line mounts a device that is not there."""
    if entry.target == "/":
        return volumes.root
    mounted = volumes.mounted.get(entry.target)
    if mounted is not None:
        return mounted if mounted.device not in used else None
    root = volumes.root.device if volumes.root else None
    free = [
        item
        for item in volumes.all
        if item.device not in used and item.device != root and same_type(entry.fstype, item.fstype)
    ]
    if entry.is_swap:
        return free[0] if len(free) == 1 else None
    free = [item for item in free if item.fstype != "swap" and item.mount_point is None]
    told = [item for item in free if volumes.last_mounted(item) == entry.target]
    return told[0] if len(told) == 1 else None


def _wrong_type(entry: Entry, volumes: Volumes) -> t.Iterator[Problem]:
    found = volumes.find(entry.spec) if is_judged(entry) else None
    if found is None or not found.fstype or same_type(entry.fstype, found.fstype):
        return
    what = f"line {entry.number} says {printable(entry.fstype, limit=40)}, but {found.device} holds {found.fstype}"
    new = entry.with_type(found.fstype)
    # The root file system is mounted before anybody reads its line.
    severity: Severity = "error" if entry.target == "/" else _weight(entry)
    yield Problem("fstab-wrong-type", entry, severity, what, new, f"write {found.fstype}")


def _volumes(patient: Patient) -> Volumes:
    # A file system without its superblock is there all the same: its own fault says what is wrong with it.
    lost = lost_filesystems(patient)
    return Volumes(
        find=lambda spec: patient.find(spec) or lost.get(spec),
        all=patient.filesystems,
        root=patient.root,
        mounted={item.mount_point: item for item in patient.filesystems if item.mount_point},
        last_mounted=lambda item: _last_mounted(patient, item),
    )


def _last_mounted(patient: Patient, item: Filesystem) -> str:
    if not item.fstype.startswith("ext") or not patient.tools.has("dumpe2fs"):
        return ""
    told = patient.tools.run(["dumpe2fs", "-h", item.reading_device], timeout=60, ok=range(256)).stdout
    found = re.search(r"^Last mounted on: +(/\S*)", told, re.MULTILINE)
    return found.group(1) if found else ""


def _problems(patient: Patient) -> list[Problem]:
    text = patient.tree.read_text(PATH)
    return judge(text, _volumes(patient)) if text else []


def _detector(kind: Kind) -> t.Callable[[Patient], t.Iterator[Finding]]:
    """Detection and remedy are the same for all: one judgement of the file, one line edited."""

    def detect(patient: Patient) -> t.Iterator[Finding]:
        for problem in _problems(patient):
            if problem.kind == kind:
                yield Finding(
                    fault=kind,
                    severity=problem.severity,
                    summary=f"{PATH}: {problem.summary}",
                    evidence=(Evidence(path=PATH, line=problem.entry.number, text=printable(problem.entry.line)),),
                    remedy=problem.remedy,
                    remedy_safe=True,
                    confidence="high" if problem.certain else "medium",
                )

    return detect


def _repair(patient: Patient, finding: Finding, change: Change) -> None:
    seen = finding.evidence[0]
    for problem in _problems(patient):
        entry = problem.entry
        if problem.kind == finding.fault and entry.number == seen.line and printable(entry.line) == seen.text:
            text = patient.tree.read_text(PATH) or ""
            fixed = apply_edit(text, entry.number, problem.new_line, reason=finding.fault)
            change.write(PATH, fixed.encode("utf-8", "surrogateescape"))
            return


FSTAB_SYNTAX = Fault(
    id="fstab-syntax",
    title="A line of /etc/fstab cannot be read, or asks for what mount does not know",
    signatures=(
        Signature(
            re.compile(r"/etc/fstab: parse error at line (\d{1,6})"),
            "line {0} of /etc/fstab cannot be parsed",
            severity="error",
            survives_boot=True,
        ),
        Signature(
            re.compile(r"systemd-fstab-generator\[\d{1,8}\]: Mount point (\S{1,200}) is not a valid path, ignoring"),
            "/etc/fstab names {0} as a mount point, which is no absolute path",
            severity="error",
            survives_boot=True,
        ),
        Signature(
            re.compile(
                r"(?:EXT4-fs|ext4|XFS|xfs|BTRFS|btrfs|vfat|FAT-fs)[^:]{0,40}: "
                r"(?:Unknown parameter|Unrecognized mount option|unrecognized mount option) ['\"]?([\w=-]{1,60})"
            ),
            "a file system is mounted with the option {0}, which it does not know",
        ),
    ),
    detect=_detector("fstab-syntax"),
    repair=_repair,
    safe=True,
)

FSTAB_DUPLICATE_MOUNT_POINT = Fault(
    id="fstab-duplicate-mount-point",
    title="Two lines of /etc/fstab mount at the same place",
    signatures=(
        Signature(
            re.compile(
                r"Failed to create (?:mount )?unit file (\S{1,200}), as it already exists\. "
                r"Duplicate entry in /etc/fstab"
            ),
            "/etc/fstab mounts twice at the same place: {0}",
            severity="error",
            survives_boot=True,
        ),
    ),
    detect=_detector("fstab-duplicate-mount-point"),
    repair=_repair,
    safe=True,
)

FSTAB_MISSING_DEVICE = Fault(
    id="fstab-missing-device",
    title="A line of /etc/fstab names a device that the server does not have",
    signatures=(
        Signature(
            re.compile(r"Timed out waiting for device (?!.{0,200}tty)(?:\S{1,200} - )?(\S{1,200}?)\.?$"),
            "{0} did not appear in time",
        ),
    ),
    detect=_detector("fstab-missing-device"),
    repair=_repair,
    safe=True,
)

FSTAB_WRONG_TYPE = Fault(
    id="fstab-wrong-type",
    title="A line of /etc/fstab says another type than the device holds",
    signatures=(
        Signature(
            re.compile(r"mount: (/\S{0,200}): wrong fs type, bad option, bad superblock on (/dev/\S{1,100}),"),
            "{1} could not be mounted at {0} with the type and options of its line",
            confidence="medium",
        ),
        Signature(
            re.compile(r"mount: (/\S{0,200}): unknown filesystem type '(\S{1,40})'"),
            "{0} is to be mounted as {1}, which the kernel does not know",
        ),
    ),
    detect=_detector("fstab-wrong-type"),
    repair=_repair,
    safe=True,
)
