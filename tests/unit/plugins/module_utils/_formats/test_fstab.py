# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The reader of fstab, beside libmount's own."""

from __future__ import annotations

import json
import pathlib
import subprocess

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._formats.fstab import (
    edit_lines,
    parse_fstab,
    read_lines,
    unescape,
)

ODD = """\
# a comment
  # another
UUID=1 / ext4 rw,subvol=@ 0 1
\tLABEL=tabs\t/tabs\text4,ext3\tsw\t0\t2
broken
LABEL=a\\040b /my\\040data xfs
LABEL="a\\040b" /quoted xfs defaults 0 0
UUID="ABCD-1234" /upper vfat umask=0077 0 2
PARTUUID=x-01 /slash/ ext4 defaults 0 2 # behind all six fields
/dev/vdb1 /caf\\303\\251 ext4 defaults 0 2
/dev/vdb2 /données ext4 x-note=\\342\\202\\254 0 2
none /tmp tmpfs size=1G,mode=1777
//nas/share /nas cifs credentials=/root/c,uid=1 0 0
fs.example.org:/srv /srv nfs4 defaults,_netdev 0 0
/swap.img none swap sw 0 0
/srv/a /export none bind 0 0
overlay /merged overlay lowerdir=/l,upperdir=/u,workdir=/w 0 0
/dev/vdb3 /crlf ext4 defaults 0 0\r
/dev/vdb4 /signs ext4 defaults +1 -0
"""


def test_what_is_read() -> None:
    first, second = parse_fstab(
        "# a comment\n\nUUID=1 / ext4 rw,subvol=@ 0 1\nbroken\nLABEL=a\\040b /my\\040data xfs\n"
    )
    assert (first.line, first.mount_point, first.option("subvol"), first.option("rw")) == (3, "/", "@", None)
    assert (second.line, second.spec, second.mount_point, second.options) == (5, "LABEL=a b", "/my data", ("defaults",))
    assert (first.passno, second.passno) == (1, 0)


def test_it_is_read_as_libmount_reads_it(tmp_path: pathlib.Path) -> None:
    table = tmp_path / "fstab"
    table.write_text(ODD, encoding="utf-8")
    argv = ["findmnt", "--json", "--list", "--fstab", "--tab-file", table, "-o", "SOURCE,TARGET,FSTYPE,OPTIONS,PASSNO"]
    done = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60)
    told = {
        (row["source"].replace('"', ""), row["target"], row["fstype"], row["options"] or "defaults", int(row["passno"]))
        for row in json.loads(done.stdout)["filesystems"]
    }
    ours = {
        (item.spec.replace('"', ""), item.mount_point, item.fstype, ",".join(item.options), item.passno)
        for item in parse_fstab(ODD)
    }
    # findmnt shows mount points without the slash at their end, and decodes no options.
    assert {(*row[:1], row[1].rstrip("/") or "/", *row[2:]) for row in ours if "x-note" not in row[3]} == {
        (*row[:1], row[1].rstrip("/") or "/", *row[2:]) for row in told if "x-note" not in row[3]
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("plain", "plain"),
        ("a\\040b", "a b"),
        ("caf\\303\\251", "café"),
        ("\\303x\\251", "\udcc3x\udca9"),
        ("back\\134slash", "back\\slash"),
        ("\\04", "\\04"),
        ("\\999", "\\999"),
        ("\\400", "\0"),
    ],
)
def test_octal_escapes_are_bytes(field: str, value: str) -> None:
    assert unescape(field) == value


@pytest.mark.parametrize(
    ("line", "stops"),
    [
        ("UUID=1 /a ext4 defaults 0 2", True),
        ("UUID=1 /a ext4", True),
        ("UUID=1 /a ext4 nofail 0 2", False),
        ("UUID=1 /a ext4 nofail,fail 0 2", True),
        ("UUID=1 /a ext4 noauto 0 2", False),
        ("UUID=1 /a ext4 noauto,auto 0 2", True),
        ("UUID=1 / ext4 nofail,noauto 0 1", True),
        ("UUID=1 /a ext4 x-systemd.automount 0 0", False),
        ("UUID=1 /a ext4 comment=systemd.automount 0 0", False),
        ("UUID=1 /a ext4 _netdev 0 0", False),
        ("UUID=1 /a ext4 x-systemd.wanted-by=b.service 0 0", False),
        ("UUID=1 /a ext4 x-initrd.mount 0 0", True),
        ("UUID=1 none swap sw 0 0", False),
    ],
)
def test_what_the_boot_waits_for(line: str, stops: bool) -> None:
    (entry,) = parse_fstab(line)
    assert entry.stops_boot == stops


def test_the_same_line_twice_is_one_entry() -> None:
    one, other = read_lines("a /b c\nd /e f\na /b c\r\na  /b c\n")[:2]
    assert (one.lines, other.lines) == ((1, 3), (2,))


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda entry: entry.with_field(2, "xfs"), "  UUID=1\t/a  xfs\terrors=remount-ro,fail  0 2 # c"),
        (lambda entry: entry.with_nofail(), "  UUID=1\t/a  ext4\terrors=remount-ro,nofail  0 2 # c"),
        (lambda entry: entry.with_options(()), "  UUID=1\t/a  ext4\tdefaults  0 2 # c"),
        (lambda entry: entry.joined(1, 2), "  UUID=1\t/a\\040ext4\terrors=remount-ro,fail  0 2 # c"),
        (lambda entry: entry.split(4), "  UUID =1\t/a  ext4\terrors=remount-ro,fail  0 2 # c"),
    ],
)
def test_an_edit_leaves_the_rest_of_the_line(change: object, line: str) -> None:
    (entry,) = read_lines("  UUID=1\t/a  ext4\terrors=remount-ro,fail  0 2 # c")
    assert callable(change)
    assert change(entry) == line


def test_an_edit_leaves_the_other_lines() -> None:
    text = "a /b c\r\n#x\r\nd /e f\na /b c"
    assert edit_lines(text, (1, 4), "new", reason="why") == (
        "# openrescue why, was: a /b c\r\nnew\r\n#x\r\nd /e f\n# openrescue why, was: a /b c\nnew"
    )
    assert edit_lines(text, (3,), None, reason="why").split("\n")[2] == "# openrescue why, was: d /e f"
