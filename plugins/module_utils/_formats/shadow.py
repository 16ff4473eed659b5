# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines of /etc/shadow: password hashes, what locks an account, and how long it is good for.

A line that is none is kept byte for byte. Days are counted from 1 January 1970, as the file counts them.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from .passwd import with_fields

__all__ = (
    "NO_WAY_IN",
    "Secret",
    "find_secret",
    "hide",
    "is_crypt_hash",
    "unlocked_hash",
    "with_hash",
    "with_unlocked",
)

#: lets nobody in by a password, and is no lock
NO_WAY_IN = "*"
_HASH, _CHANGED, _MAX, _INACTIVE, _EXPIRES = 1, 2, 4, 6, 7
_FIELDS = 9
_NUMBER = re.compile(r"(?:-1|[0-9]{0,9})", re.ASCII)
_LETTERS = "[./0-9A-Za-z]"
_CRYPT = re.compile(
    rf"\$6\$(?:rounds=[0-9]{{1,9}}\$)?{_LETTERS}{{1,16}}\${_LETTERS}{{86}}"
    rf"|\$5\$(?:rounds=[0-9]{{1,9}}\$)?{_LETTERS}{{1,16}}\${_LETTERS}{{43}}"
    rf"|\$g?y\${_LETTERS}{{1,16}}\${_LETTERS}{{1,86}}\${_LETTERS}{{43}}"
    rf"|\$7\${_LETTERS}{{11,97}}\${_LETTERS}{{43}}"
    rf"|\$2[abxy]\$[0-9]{{2}}\${_LETTERS}{{53}}"
    rf"|\$1\${_LETTERS}{{1,8}}\${_LETTERS}{{22}}",
    re.ASCII,
)
_LOOKS_LIKE_HASH = re.compile(r"\$[0-9a-z]{1,4}\$[^\s:]+")
#: as usermod, passwd and Solaris mark an account that is locked
_LOCK = re.compile(r"^(?:!|\*LK\*)+")


@dataclasses.dataclass(frozen=True)
class Secret:
    """One line that is whole.

    :param line: its number, from 0.
    """

    line: int
    name: str
    hash: str
    changed: int | None
    maximum: int | None
    inactive: int | None
    expires: int | None


def is_crypt_hash(text: str) -> bool:
    """Whether it is a whole hash of crypt(5), of a method that cannot be taken for a plain password."""
    return _CRYPT.fullmatch(text) is not None


def find_secret(text: str, name: str) -> Secret | None:
    """The line of an account, the first that is whole, as the system takes it."""
    for number, line in enumerate(text.split("\n")):
        fields = line.split(":")
        if len(fields) == _FIELDS and fields[0] == name and all(map(_NUMBER.fullmatch, fields[2:8])):
            days = [int(fields[index] or -1) for index in (_CHANGED, _MAX, _INACTIVE, _EXPIRES)]
            return Secret(number, name, fields[_HASH], *(None if day < 0 else day for day in days))
    return None


def with_hash(text: str, name: str, new: str, *, today: int) -> str:
    """The same text with this hash, on a line of its own if the account has none that is whole."""
    found = find_secret(text, name)
    if found is None:
        begin = text if not text or text.endswith("\n") else f"{text}\n"
        return f"{begin}{name}:{new}:{max(today, 1)}:0:99999:7:::\n"
    if found.hash == new:
        return text
    # Day 0 would ask for another password at the first login.
    return with_fields(text, found.line, {_HASH: new, _CHANGED: str(max(today, 1))})


def unlocked_hash(hash_: str) -> str:
    """What is left without the lock. Never nothing: that would let everybody in without a password."""
    if not _LOCK.match(hash_):
        return hash_
    return _LOCK.sub("", hash_) or NO_WAY_IN


def with_unlocked(text: str, name: str, *, today: int) -> tuple[str, list[str]]:
    """The same text with the account unlocked, and what was done to it."""
    found = find_secret(text, name)
    if found is None:
        return text, []
    fields: dict[int, str] = {}
    told: list[str] = []
    if (free := unlocked_hash(found.hash)) != found.hash:
        fields[_HASH] = free
        told.append("was locked" + (", and has no password: a key lets in" if free == NO_WAY_IN else ""))
    if found.expires is not None and found.expires <= today:
        fields[_EXPIRES] = ""
        told.append("had expired")
    if _is_over(found, today):
        fields[_INACTIVE] = ""
        told.append("was closed, for its password had expired long ago")
    return (with_fields(text, found.line, fields) if fields else text), told


def _is_over(found: Secret, today: int) -> bool:
    """Whether nobody has set a new password in the time that there was for it after the old one had expired."""
    if found.changed is None or found.maximum is None or found.inactive is None:
        return False
    return found.changed + found.maximum + found.inactive < today


def hide(*texts: str) -> list[str]:
    """The texts without any hash in them, fit for a diff: the same hash has the same number in all of them."""
    numbers: dict[str, int] = {}

    def shown(match: t.Match[str]) -> str:
        return f"(hidden {numbers.setdefault(match[0], len(numbers) + 1)})"

    def line_of(line: str) -> str:
        fields = line.split(":")
        if len(fields) > 2:
            lock = _LOCK.match(fields[1])
            rest = fields[1][lock.end() if lock else 0 :]
            if rest not in ("", "x", NO_WAY_IN):
                fields[1] = (lock[0] if lock else "") + re.sub(r"(?s).+", shown, rest)
        return _LOOKS_LIKE_HASH.sub(shown, ":".join(fields))

    return ["\n".join(map(line_of, text.split("\n"))) for text in texts]
