# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of a system's settings nobody else should read: which files, and which words in the others.

It knows how settings are written, not what they mean: where in doubt, a value is taken for a secret.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import re

__all__ = ("HIDDEN", "Masked", "masked", "why_secret")

HIDDEN = "(left out)"

#: paths (``*`` takes slashes too) -> what is there
_FILES = (
    ("/etc/shadow*", "password hashes"),
    ("/etc/gshadow*", "password hashes"),
    ("/etc/security/opasswd*", "password hashes"),
    ("/etc/ssh/ssh_host_*_key", "a private key"),
    ("*/ssl/private/*", "private keys"),
    ("*/pki/*/private/*", "private keys"),
    ("*.key", "a key"),
    ("*/id_rsa", "a private key"),
    ("*/id_ecdsa", "a private key"),
    ("*/id_ed25519", "a private key"),
    ("/etc/cryptsetup-keys.d/*", "keys of encrypted disks"),
    ("/etc/keys/*", "keys of encrypted disks"),
    ("/etc/luks-keys/*", "keys of encrypted disks"),
    ("/etc/credstore*", "credentials"),
    ("*.cred", "credentials"),
    ("*/network-scripts/keys-*", "the password of a network"),
    ("/etc/ppp/*-secrets*", "passwords"),
    ("/var/log/btmp*", "what was typed where a name belongs, passwords among it"),
    ("/var/log/installer/cdebconf*", "answers to the installer, passwords among them"),
    ("/var/log/anaconda/ks-script*", "scripts of the installer"),
)
_PRIVATE_KEY = re.compile(r"^-{4,5} ?BEGIN [A-Z0-9 ]*PRIVATE KEY", re.MULTILINE)
#: a name that says so, and where its value begins
_NAMED = re.compile(
    r"(?:pass(?:word|wd|phrase)|\bpass\b|psk|secret|token|credential|(?:wep|wireless|private|preshared|api|access)[-_]?key"
    r"|\bpin\b)[\w.-]{0,64}[\"']?[ \t]*[=:][ \t]*",
    re.IGNORECASE,
)
#: the same in formats whose names and values have but a space between them
_SPACED = re.compile(r"^[ \t]*(?:wpa-psk|wpa-pass\w*|wireless-key\w*)[ \t]+", re.IGNORECASE)
_LOADER = re.compile(r"^[ \t]*password(?:_pbkdf2)?[ \t]+")
_TUNNEL = re.compile(r"^[ \t]*(?:-[ \t]+)?(?:private|shared|key)[ \t]*:[ \t]*", re.IGNORECASE)
_SECRETS = re.compile(r"^\[[^\]]*secrets\]")
_ENTRY = re.compile(r"^[^=\n]*=[ \t]*")
#: what is a secret wherever it stands: a hash of crypt(3) or of GRUB, and a password in an address
_ANYWHERE = re.compile(
    r"\$(?:y|gy|7|6|5|1|2[abxy]|sha1|md5)\$[^\s:\"',]+|grub\.pbkdf2\.\S+|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"
)
#: values that go on in the lines that follow
_GOES_ON = re.compile(r"^(?:[|>][-+\d]*)?(?:[ \t]+#.*)?$|\\$")
_ACCOUNTS = ("/etc/passwd", "/etc/passwd-", "/etc/group", "/etc/group-")
#: it says where accounts come from, in words like ``passwd: files``
_WITHOUT = ("/etc/nsswitch.conf",)


@dataclasses.dataclass(frozen=True)
class Masked:
    """A text without its secrets.

    :param text: None if they cannot be told from the rest.
    :param reason: why that is so.
    :param lines: numbers of the lines in which something is left out.
    """

    text: str | None
    reason: str = ""
    lines: tuple[int, ...] = ()


def why_secret(path: str) -> str:
    """What a file holds that is a secret as a whole; empty if its name says nothing of the kind."""
    return next((what for pattern, what in _FILES if fnmatch.fnmatchcase(path, pattern)), "")


def masked(path: str, text: str) -> Masked:
    """The text of settings with :data:`HIDDEN` where a secret stands."""
    if _PRIVATE_KEY.search(text):
        return Masked(None, "a private key")
    if path in _WITHOUT:
        return Masked(text)
    lines = text.split("\n")
    changed: list[int] = []
    in_secrets = False
    for number, line in enumerate(lines):
        if line.startswith("["):
            in_secrets = _SECRETS.match(line) is not None
        start = _start(path, line, in_secrets=in_secrets)
        if start is not None and _GOES_ON.search(line[start:].rstrip()):
            return Masked(None, f"what may be a password over several lines (line {number + 1})")
        shown = _shown(path, line, start)
        if shown != line:
            lines[number] = shown
            changed.append(number + 1)
    return Masked("\n".join(lines), lines=tuple(changed))


def _start(path: str, line: str, *, in_secrets: bool) -> int | None:
    """Where in this line the value begins whose name says that it is a secret."""
    if path in _ACCOUNTS or line.lstrip().startswith(("#", ";")):
        return None
    patterns = [_NAMED, _SPACED]
    patterns += [_ENTRY] if in_secrets else []
    patterns += [_LOADER] if path.startswith(("/boot/", "/efi/", "/etc/grub.d/")) else []
    patterns += [_TUNNEL] if "/netplan/" in path else []
    found = [match.end() for pattern in patterns if (match := pattern.search(line))]
    return min(found, default=None)


def _shown(path: str, line: str, start: int | None) -> str:
    if path in _ACCOUNTS:
        fields = line.split(":")
        hidden = len(fields) > 2 and fields[1].strip("*!x") != ""
        return ":".join([fields[0], HIDDEN, *fields[2:]]) if hidden else line
    if start is not None and line[start:].strip():
        if path == "/etc/fstab":  # a value ends where the next option begins
            return line[:start] + re.sub(r"^[^,\s]+", HIDDEN, line[start:])
        line = line[:start] + HIDDEN
    return _ANYWHERE.sub(HIDDEN, line)
