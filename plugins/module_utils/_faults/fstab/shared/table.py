# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all faults of /etc/fstab judge by: its lines, and what their devices are on this patient.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import typing as t

from ...._formats.crypttab import CrypttabEntry, parse_crypttab
from ...._formats.fstab import FstabEntry
from ...._patient.devices.lost import lost_filesystems, read_superblock
from ...._patient.patient import Found
from ...._patient.tree.fstab import fstab_lines
from ...._text import printable
from ...model import Severity
from .devices import names_device

if t.TYPE_CHECKING:
    from ...._patient.patient import Filesystem, Patient

__all__ = ("Problem", "Table", "read_table", "severity_at_boot", "shown")

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
    :param filesystems: every file system that is the patient's alone.
    :param root: the one that is mounted as /.
    :param mounted: by mount point, as found by content where fstab is of no use.
    :param last_mounted: where a file system says that it was mounted last; empty if it does not say.
    :param crypttab: what the server opens at boot.
    """

    entries: t.Sequence[FstabEntry]
    find: t.Callable[[str], Found]
    filesystems: tuple[Filesystem, ...] = ()
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

    def device_of(self, entry: FstabEntry) -> Found:
        """What the first field of a line means on this patient."""
        return self.device_named(entry.spec)

    def device_named(self, spec: str) -> Found:
        if spec not in self._found:
            found = self.find(spec)
            self._found[spec] = Found(None, self._unopened(spec)) if found.is_absent else found
        return self._found[spec]

    def lacks_device(self, entry: FstabEntry) -> bool:
        """Whether a line names a device that the server certainly does not have."""
        return names_device(entry) and self.device_of(entry).is_absent

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


def severity_at_boot(entry: FstabEntry, otherwise: Severity = "critical") -> Severity:
    """A line that the boot does not wait for is worth a warning at most."""
    return otherwise if entry.stops_boot else "warning"


def shown(text: str) -> str:
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
        filesystems=tuple(item for item in patient.filesystems if not _is_foreign(item)),
        root=patient.root,
        mounted={item.mount_point: item for item in patient.filesystems if item.mount_point},
        last_mounted=last_mounted,
        crypttab=tuple(parse_crypttab(patient.tree.read_text("/etc/crypttab") or "")),
    )


def _is_foreign(item: Filesystem) -> bool:
    """Whether other servers use it too, or it is a copy of another: nothing that a line could mean."""
    return item.shared or item.snapshot
