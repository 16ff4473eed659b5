# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines of an authorized_keys file: public keys, and what each may do.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import re
import typing as t

__all__ = ("PublicKey", "parse_key", "parse_keys", "with_keys")

_KINDS = re.compile(
    r"(?:ssh-(?:ed25519|rsa)|ecdsa-sha2-nistp(?:256|384|521)|sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com"
    r"|(?:sk-)?(?:ssh-(?:ed25519|rsa)|ecdsa-sha2-nistp(?:256|384|521))-cert-v01@openssh\.com)"
)
#: words before the key, in which a quoted text may hold blanks
_WORD = re.compile(r'(?:"(?:\\.|[^"\\])*"|[^\s"])+')


@dataclasses.dataclass(frozen=True)
class PublicKey:
    """One key.

    :param options: what stands before it, such as ``no-pty,command="…"``.
    """

    text: str
    options: str
    kind: str
    blob: str


def parse_key(line: str) -> PublicKey | None:
    """A line that holds a whole public key; None for any other, private keys and comments among them."""
    line = line.strip(" \t\r")
    if line.startswith("#") or not line.isprintable():
        return None
    words = [match[0] for match in _WORD.finditer(line)][:3]
    for options, found in (("", words), (words[0] if words else "", words[1:])):
        if len(found) > 1 and _KINDS.fullmatch(found[0]) and _is_blob(found[1], found[0]):
            return PublicKey(line, options, found[0], found[1])
    return None


def _is_blob(text: str, kind: str) -> bool:
    """Whether it is base64 of a key of that kind: its name is the first that stands in it."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    length = int.from_bytes(data[:4], "big")
    return data[4 : 4 + length] == kind.encode("ascii") and len(data) > 4 + length + 4


def parse_keys(text: str) -> list[PublicKey]:
    """All keys of a file."""
    return [key for line in text.split("\n") if (key := parse_key(line)) is not None]


def with_keys(text: str, keys: t.Sequence[PublicKey]) -> str:
    """The same file in which each of these keys counts, with its own options.

    A key is added at the end. One that is there with other options is added at the beginning, for sshd takes the first
    line with a key.
    """
    for key in keys:
        same = [item for item in parse_keys(text) if item.blob == key.blob]
        if not same:
            text = f"{text}{'' if not text or text.endswith(chr(10)) else chr(10)}{key.text}\n"
        elif same[0].options != key.options:
            text = f"{key.text}\n{text}"
    return text
