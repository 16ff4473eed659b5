# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all faults of /etc/fstab judge by: its lines, what their devices are on this patient, and one edit.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import re
import typing as t

from ...._formats.crypttab import CrypttabEntry, parse_crypttab
from ...._formats.filesystem_types import is_local
from ...._formats.fstab import FstabEntry, edit_lines
from ...._patient.devices.lost import lost_filesystems, read_superblock
from ...._patient.patient import Found
from ...._patient.tree.fstab import FSTAB, fstab_lines
from ...._text import printable
from ...model import Evidence, Finding, Severity
from .mentions import is_mentioned

if t.TYPE_CHECKING:
    from ...._patient.patient import Filesystem, Patient
    from ...._patient.write.change import Change

__all__ = ("Problem", "Table", "detector", "name_of", "names_device", "read_table", "repairer", "weight")

MAX_EVIDENCE = 10
_LONGEST_KEY = 200

_TAG = re.compile(r"^(?:UUID|LABEL|PARTUUID|PARTLABEL)=.")
_BY_TAG = re.compile(r"^/dev/disk/by-(?:uuid|label|partuuid|partlabel)/.")
_KERNEL_NAME = re.compile(r"^/dev/(?:(?:sd|vd|xvd|hd)[a-z]{1,2}\d{0,3}|nvme\d+n\d+(?:p\d+)?)$")
# A volume of a group; what crypttab, multipath or a fake RAID maps has names of many other shapes.
_MAPPED = re.compile(
    r"^/dev/mapper/(?!luks-|mpath|[0-9a-f]{16}|(?:ddf1|isw|nvidia|pdc|sil|via|asr|hpt\w*)_)[^/]*[^/-]-[^/-][^/]*$"
)
# Two names are a group and a volume, except where a driver keeps its devices in a directory.
_VOLUME = re.compile(
    r"^/dev/(?!(?:disk|mapper|md|drbd|rbd|zvol|cciss|ida|bcache|etherd|block|char|fd|shm|loop)/)[^/]+/[^/]+$"
)
#: mounts of media that come and go
_REMOVABLE = re.compile(r"^/(?:media(?:/.*)?|cdrom\d?|mnt/(?:cdrom|dvd|floppy|usb)[^/]*|floppy)$")
_TRANSIENT_KEY = re.compile(r"^/dev/u?random$")


@dataclasses.dataclass(frozen=True)
class Problem:
    """What is wrong with a line, and with its identical twins.

    :param lines: where they stand.
    :param new_line: what would be right; None comments it out.
    :param remedy: empty if nobody can know what would be right.
    :param safe: whether the remedy may be applied without being asked for, where it is certain.
    :param optional_place: the remedy leaves this mount point empty: safe only where nothing lives there.
    """

    entry: FstabEntry
    lines: tuple[int, ...]
    severity: Severity
    summary: str
    new_line: str | None = None
    remedy: str = ""
    safe: bool = True
    certain: bool = True
    optional_place: str = ""


@dataclasses.dataclass
class Table:
    """One fstab with what judging a line has to know of the patient's devices.

    :param find: the device that a first field names, certainly none, or "cannot tell".
    :param all: every file system that is the patient's alone.
    :param root: the one that is mounted as /.
    :param mounted: by mount point, as found by content where fstab is of no use.
    :param last_mounted: where a file system says that it was mounted last; empty if it does not say.
    :param crypttab: what the server opens at boot.
    """

    entries: t.Sequence[FstabEntry]
    find: t.Callable[[str], Found]
    all: tuple[Filesystem, ...] = ()
    root: Filesystem | None = None
    mounted: t.Mapping[str, Filesystem] = dataclasses.field(default_factory=dict)
    last_mounted: t.Callable[[Filesystem], str] = lambda _item: ""
    crypttab: tuple[CrypttabEntry, ...] = ()
    _found: dict[str, Found] = dataclasses.field(default_factory=dict)
    _judged: dict[object, list[Problem]] = dataclasses.field(default_factory=dict)

    @functools.cached_property
    def root_line(self) -> FstabEntry | None:
        """The first line that can be read and mounts the root file system."""
        usable = (entry for entry in self.entries if len(entry.fields) > 2 and entry.is_mount)
        return next((entry for entry in usable if entry.place == "/"), None)

    def look(self, entry: FstabEntry) -> Found:
        """What the first field of a line means on this patient."""
        return self.look_up(entry.spec)

    def look_up(self, spec: str) -> Found:
        if spec not in self._found:
            found = self.find(spec)
            self._found[spec] = Found(None, self._unopened(spec)) if found.is_absent else found
        return self._found[spec]

    def is_absent(self, entry: FstabEntry) -> bool:
        """Whether a line names a device that the server certainly does not have."""
        return names_device(entry) and self.look(entry).is_absent

    def once(self, judge: t.Callable[[Table], list[Problem]]) -> list[Problem]:
        """What one fault finds in this table, judged at its first need: the faults build on each other."""
        if judge not in self._judged:
            self._judged[judge] = judge(self)
        return self._judged[judge]

    def _unopened(self, spec: str) -> str:
        """Why an absent device may be there after all, once the server has opened what its crypttab names."""
        for item in self.crypttab:
            mapping = f"/dev/mapper/{item.name}"
            transient = bool(_TRANSIENT_KEY.match(item.key)) or "swap" in item.options
            if spec == mapping or (not transient and self.find(mapping).filesystem is None):
                return f"/etc/crypttab opens {printable(mapping, limit=80)} at boot, and it is not open here"
        return ""


def names_device(entry: FstabEntry) -> bool:
    """Whether the first field names a device of which can be told that the server does not have it.

    Not the network, not what the kernel makes up, and not names that depend on the bus (by-path, by-id), on removable
    media, or on a driver that gives names as it likes (multipath, DRBD, md).
    """
    options = entry.options
    if not is_local(entry.fstype) or any(item in ("_netdev", "bind", "rbind", "loop") for item in options):
        return False
    if any(item.startswith("loop=") for item in options):
        return False
    return any(pattern.match(entry.spec) for pattern in (_TAG, _BY_TAG, _KERNEL_NAME, _MAPPED, _VOLUME))


def is_kernel_name(spec: str) -> bool:
    """Whether it is a name such as /dev/sdb1, which the next boot may give to another disk."""
    return bool(_KERNEL_NAME.match(spec))


def weight(entry: FstabEntry, otherwise: Severity = "critical") -> Severity:
    """A line that the boot does not wait for is worth a warning at most."""
    return otherwise if entry.stops_boot else "warning"


def name_of(text: str) -> str:
    """A field of the patient's, for a sentence."""
    return printable(text, limit=80)


def read_table(patient: Patient) -> Table:
    """The patient's fstab, for all faults of this family."""
    return patient.once("fstab-table", lambda: _read_table(patient))


def _read_table(patient: Patient) -> Table:
    # A file system without its superblock is there all the same: its own fault says what is wrong with it.
    lost = {name: item.filesystem for item in lost_filesystems(patient) for name in item.names}

    def find(spec: str) -> Found:
        return Found(lost[spec]) if spec in lost else patient.lookup(spec)

    def last_mounted(item: Filesystem) -> str:
        if not item.fstype.startswith("ext") or not patient.tools.has("dumpe2fs"):
            return ""
        superblock = patient.once(f"superblock {item.device}", lambda: read_superblock(patient, item))
        return superblock.last_mounted if superblock else ""

    return Table(
        entries=fstab_lines(patient),
        find=find,
        all=tuple(item for item in patient.filesystems if not _is_foreign(item)),
        root=patient.root,
        mounted={item.mount_point: item for item in patient.filesystems if item.mount_point},
        last_mounted=last_mounted,
        crypttab=tuple(parse_crypttab(patient.tree.read_text("/etc/crypttab") or "")),
    )


def _is_foreign(item: Filesystem) -> bool:
    """Whether other servers use it too, or it is a copy of another: nothing that a line could mean."""
    return item.shared or item.snapshot


def detector(fault: str, judge: t.Callable[[Table], list[Problem]]) -> t.Callable[[Patient], t.Iterator[Finding]]:
    """The detection of one fault of this family: its part of the one judgement."""

    def detect(patient: Patient) -> t.Iterator[Finding]:
        for problem in read_table(patient).once(judge):
            yield _finding(patient, fault, problem)

    return detect


def repairer(fault: str, judge: t.Callable[[Table], list[Problem]]) -> t.Callable[[Patient, Finding, Change], None]:
    """The remedy of one fault of this family: the lines of one problem edited, nothing else touched."""

    def repair(patient: Patient, finding: Finding, change: Change) -> None:
        for problem in read_table(patient).once(judge):
            if problem.remedy and _key(fault, problem) == finding.key:
                text = patient.tree.read_text(FSTAB) or ""
                fixed = edit_lines(text, problem.lines, problem.new_line, reason=fault)
                change.write(FSTAB, fixed.encode("utf-8", "surrogateescape"))
                return

    return repair


def _finding(patient: Patient, fault: str, problem: Problem) -> Finding:
    text = printable(problem.entry.text)
    more = len(problem.lines) - 1
    again = f" (and the same in {more} other line{'s' if more > 1 else ''})" if more else ""
    place = problem.optional_place
    return Finding(
        fault=fault,
        severity=problem.severity,
        summary=f"{FSTAB}: line {problem.lines[0]} {problem.summary}{again}",
        evidence=tuple(Evidence(path=FSTAB, line=line, text=text) for line in problem.lines[:MAX_EVIDENCE]),
        remedy=problem.remedy or None,
        remedy_safe=bool(problem.remedy) and problem.safe and (not place or _is_optional(patient, place)),
        confidence="high" if problem.certain else "medium",
        key=_key(fault, problem),
    )


def _key(fault: str, problem: Problem) -> str:
    """The line itself, without its number, since other repairs move lines."""
    text = printable(problem.entry.text, limit=_LONGEST_KEY)
    if len(text) == _LONGEST_KEY:
        text += hashlib.sha256(problem.entry.text.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return f"{fault}|{FSTAB}|{text}"


def _is_optional(patient: Patient, place: str) -> bool:
    """Whether the server may well start without this mount: no service finds an empty directory for its data.

    That is so for media that come and go, and beneath /mnt where nothing of the server's configuration names it.
    """
    if _REMOVABLE.match(place):
        return True
    return place.startswith("/mnt/") and not is_mentioned(patient, place)
