# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines of /etc/passwd: who has an account, and where its home is.

A line that is none is kept byte for byte, as are the ends of lines and all fields that nobody sets.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

__all__ = ("HOME", "PASSWORD", "SHELL", "Account", "parse_passwd", "with_fields")

#: numbers of fields
PASSWORD, HOME, SHELL = 1, 5, 6
_FIELDS = 7
_NUMBER = re.compile(r"[0-9]{1,10}", re.ASCII)
#: of a directory service, with what it may not say
_SERVICE = ("+", "-", "#")


@dataclasses.dataclass(frozen=True)
class Account:
    """One line that is whole.

    :param line: its number, from 0.
    """

    line: int
    name: str
    password: str
    uid: int
    gid: int
    home: str
    shell: str


def parse_passwd(text: str) -> list[Account]:
    """The accounts in their order; of several with one name the system takes the first."""
    found = []
    for number, line in enumerate(text.split("\n")):
        fields = line.split(":")
        if len(fields) != _FIELDS or not fields[0] or line.startswith(_SERVICE):
            continue
        if _NUMBER.fullmatch(fields[2]) and _NUMBER.fullmatch(fields[3]):
            found.append(
                Account(
                    number, fields[0], fields[PASSWORD], int(fields[2]), int(fields[3]), fields[HOME], fields[SHELL]
                )
            )
    return found


def with_fields(text: str, line: int, values: t.Mapping[int, str]) -> str:
    """The same text with these fields of one line set; for every file whose fields are parted by colons."""
    lines = text.split("\n")
    fields = lines[line].split(":")
    for number, value in values.items():
        fields[number] = value
    lines[line] = ":".join(fields)
    return "\n".join(lines)
