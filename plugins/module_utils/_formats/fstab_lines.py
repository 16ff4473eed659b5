# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lines of an fstab: read as getmntent reads them, edited without touching what is right.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import typing as t

__all__ = (
    "KNOWN_TYPES",
    "MOUNTABLE_TYPES",
    "Entry",
    "apply_edit",
    "is_judged",
    "misspelled_option",
    "parse",
    "same_type",
    "with_nofail",
)

_DISK_TYPES = frozenset(
    "ext2 ext3 ext4 xfs btrfs vfat msdos fat exfat ntfs ntfs3 ntfs-3g iso9660 udf swap auto f2fs jfs reiserfs nilfs2 "
    "squashfs erofs hfs hfsplus ufs minix bcachefs".split()
)
_NETWORK_TYPES = frozenset(
    "nfs nfs4 cifs smb3 smbfs ceph glusterfs lustre sshfs davfs afs gfs gfs2 ncp ncpfs ocfs2 orangefs pvfs2 9p "
    "virtiofs curlftpfs s3fs".split()
)
_PSEUDO_TYPES = frozenset(
    "none proc sysfs tmpfs ramfs devtmpfs devpts mqueue hugetlbfs cgroup cgroup2 debugfs tracefs securityfs configfs "
    "efivarfs binfmt_misc overlay aufs bind autofs zfs fuse rpc_pipefs nfsd selinuxfs pstore".split()
)
KNOWN_TYPES = _DISK_TYPES | _NETWORK_TYPES | _PSEUDO_TYPES

#: what a block device can hold and be mounted as
MOUNTABLE_TYPES = _DISK_TYPES - {"swap"}

# Types that one driver mounts under each other's name. A new type under an older name fails, see same_type.
_ALIASES = ({"vfat", "msdos", "fat"}, {"ntfs", "ntfs3", "ntfs-3g", "fuseblk"}, {"iso9660", "udf"}, {"hfs", "hfsplus"})

# Options that are often mistyped, and real ones that look like them.
_OFTEN_MEANT = ("defaults", "nofail", "noauto", "noatime", "relatime", "errors=remount-ro", "x-systemd.automount")
_REAL_LOOKALIKES = frozenset(
    "auto fail atime norelatime strictatime nostrictatime lazytime nolazytime diratime nodiratime errors=panic "
    "errors=continue noload noauto_da_alloc auto_da_alloc".split()
)


@dataclasses.dataclass(frozen=True)
class Entry:
    """A line that is neither empty nor a comment.

    :param number: from 1.
    :param line: as it stands in the file, without the end of line.
    :param fields: as they stand in the line, escapes not resolved.
    """

    number: int
    line: str
    fields: tuple[str, ...]

    def _field(self, index: int, default: str) -> str:
        return self.fields[index] if len(self.fields) > index else default

    @property
    def spec(self) -> str:
        return _unescape(self.fields[0])

    @property
    def target(self) -> str:
        return _unescape(self._field(1, ""))

    @property
    def fstype(self) -> str:
        return self._field(2, "")

    @property
    def options(self) -> tuple[str, ...]:
        return tuple(self._field(3, "defaults").split(","))

    @property
    def is_swap(self) -> bool:
        return self.fstype == "swap"

    @property
    def noauto(self) -> bool:
        return _last_of(self.options, "noauto", "auto") and self.target != "/"

    @property
    def nofail(self) -> bool:
        return _last_of(self.options, "nofail", "fail") and self.target != "/"

    @property
    def stops_boot(self) -> bool:
        """Whether local-fs.target fails with this mount, and the boot ends in emergency mode."""
        lazy = any(
            option in ("x-systemd.automount", "comment=systemd.automount", "_netdev")
            or option.startswith(("x-systemd.wanted-by=", "x-systemd.required-by="))
            for option in self.options
        )
        return not (self.noauto or self.nofail or self.is_swap or (lazy and self.target != "/"))

    def with_field(self, index: int, value: str) -> str:
        """The line with one field replaced, or added behind the last, and nothing else changed."""
        spans = [found.span() for found in re.finditer(r"[^ \t\r]+", self.line)]
        if index < len(spans):
            start, end = spans[index]
            return self.line[:start] + value + self.line[end:]
        end = spans[-1][1]
        return f"{self.line[:end]} {value}{self.line[end:]}"

    def joined(self, first: int, last: int, glue: str) -> str:
        """The line with the fields from ``first`` to ``last`` made one."""
        spans = [found.span() for found in re.finditer(r"[^ \t\r]+", self.line)]
        value = glue.join(self.fields[first : last + 1])
        return self.line[: spans[first][0]] + value + self.line[spans[last][1] :]

    def with_type(self, fstype: str) -> str:
        """The line with another type, and without options that only the ext family knows if it is none."""
        typed = dataclasses.replace(self, line=self.with_field(2, fstype))
        if fstype.startswith("ext") or len(self.fields) < 4:
            return typed.line
        fitting = [option for option in self.options if not option.startswith(("errors=", "data=", "commit="))]
        return typed.line if len(fitting) == len(self.options) else typed.with_field(3, ",".join(fitting) or "defaults")


def parse(text: str) -> list[Entry]:
    """The entries of an fstab. An end of line by CR LF is as good as any, as it is for mount."""
    entries = []
    for number, raw in enumerate(text.split("\n"), 1):
        fields = tuple(re.findall(r"[^ \t\r]+", raw))
        if fields and not fields[0].startswith("#"):
            entries.append(Entry(number, raw[:-1] if raw.endswith("\r") else raw, fields))
    return entries


def apply_edit(text: str, number: int, new_line: str | None, *, reason: str) -> str:
    """The file with one line replaced (None: commented out), the old line kept above as a comment."""
    lines = text.split("\n")
    old = lines[number - 1]
    end = "\r" if old.endswith("\r") else ""
    kept = f"# openrescue {reason}, was: {old[:-1] if end else old}{end}"
    lines[number - 1 : number] = [kept] if new_line is None else [kept, new_line + end]
    return "\n".join(lines)


def with_nofail(entry: Entry) -> str:
    """The line with ``nofail``, in place of a bare ``defaults`` left as it is beside it."""
    if len(entry.fields) < 4:
        return entry.with_field(3, "defaults,nofail")
    return entry.with_field(3, ",".join([option for option in entry.options if option != "fail"] + ["nofail"]))


def is_judged(entry: Entry) -> bool:
    """Whether the first field names a device that can be looked for on the patient.

    Not the network, not what the kernel makes up, and not names that depend on the bus (by-path) or on
    removable media.
    """
    if entry.fstype in _PSEUDO_TYPES or entry.fstype in _NETWORK_TYPES or entry.fstype.startswith("fuse"):
        return False
    if any(option in ("_netdev", "bind", "rbind", "loop") or option.startswith("loop=") for option in entry.options):
        return False
    if re.match(r"^(?:UUID|LABEL|PARTUUID|PARTLABEL)=.", entry.spec):
        return True
    unknowable = r"^/dev/(?:disk/by-(?:path|id|dname|diskseq)/|loop|sr\d|cdrom|dvd|fd\d|floppy|zram|ram|nbd|rbd|shm)"
    return entry.spec.startswith("/dev/") and not re.match(unknowable, entry.spec)


def same_type(declared: str, probed: str) -> bool:
    """Whether a mount with the declared type succeeds on what was probed."""
    if not probed or declared in ("auto", ""):
        return True
    for one in declared.split(","):
        if one == probed or any(one in group and probed in group for group in _ALIASES):
            return True
        # A newer ext mounts an older one; and ext2 leaves the journal of a clean ext3 alone.
        if (one, probed) in (("ext4", "ext2"), ("ext4", "ext3"), ("ext2", "ext3")):
            return True
    return False


def misspelled_option(option: str) -> str | None:
    """What a mount option was meant to be, if it plainly is a slip of the pen."""
    if option in _OFTEN_MEANT or option in _REAL_LOOKALIKES:
        return None
    if option.startswith("x-") and not option.startswith("x-systemd.auto"):
        return None
    near = difflib.get_close_matches(option, _OFTEN_MEANT, n=1, cutoff=0.82)
    return near[0] if near else None


def _last_of(options: t.Sequence[str], yes: str, no: str) -> bool:
    said = [option for option in options if option in (yes, no)]
    return bool(said) and said[-1] == yes


def _unescape(field: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found.group(1), 8)), field)
