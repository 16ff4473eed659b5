# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a mount was asked for, so that a second call can tell whether it asks for the same. Pure, and without secrets.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import hashlib
import os
import typing as t

__all__ = ("asked_of", "is_as_asked")

#: what of the provider's list of disks a mount depends on
_TOLD = ("target", "source", "serial", "device", "hidden", "shared")
_ROUNDS = 50_000


def asked_of(params: t.Mapping[str, t.Any], *, before: t.Mapping[str, t.Any] | None) -> dict[str, t.Any]:
    """What a module's options ask for, fit to be kept and compared.

    :param before: what the mount that is there was asked for. Its list of disks counts on where none is given now:
        nobody has said that a shared disk is no longer shared.
    """
    known = before or {}
    disks = [{key: disk[key] for key in _TOLD if key in disk} for disk in params["server_disks"]]
    return {
        "read_only": params["read_only"],
        "devices": params["devices"],
        "root": params["root"],
        "server_disks": disks or known.get("server_disks", []),
        "passphrases": _fingerprint(params["luks_passphrases"], known.get("passphrases")),
    }


def is_as_asked(before: t.Mapping[str, t.Any], asked: t.Mapping[str, t.Any]) -> bool:
    """Whether the mount that is there is what is asked for; without passphrases, those that were given do."""
    return all(before.get(key) == value for key, value in asked.items() if key != "passphrases" or value is not None)


def _fingerprint(passphrases: t.Sequence[str], before: t.Mapping[str, str] | None) -> dict[str, str] | None:
    """By which the same passphrases are known again, and which tells nobody what they are."""
    if not passphrases:
        return None
    salt = before["salt"] if before else os.urandom(16).hex()
    text = "\0".join(passphrases).encode("utf-8", "surrogateescape")
    return {"salt": salt, "digest": hashlib.pbkdf2_hmac("sha256", text, bytes.fromhex(salt), _ROUNDS).hex()}
