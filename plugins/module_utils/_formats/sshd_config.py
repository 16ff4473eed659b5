# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of sshd_config stands in the way of a login.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

__all__ = ("obstacles",)

_LINE = re.compile(r"^[ \t]*([A-Za-z]+)(?:[ \t]*=[ \t]*|[ \t]+)(.*?)[ \t\r]*$")
_MOST = 20


def obstacles(text: str, *, by_key: bool, by_password: bool, as_root: bool) -> list[str]:
    """The lines that may keep somebody out who logs in so; what overrules them is not looked for."""
    found: list[str] = []
    for line in text.split("\n"):
        match = _LINE.match(line)
        if match and _is_obstacle(match[1].lower(), match[2], by_key, by_password, as_root):
            found.append(f"{match[1]} {match[2]}")
    return found[:_MOST]


def _is_obstacle(name: str, value: str, by_key: bool, by_password: bool, as_root: bool) -> bool:
    word = value.strip('"').lower()
    rules: dict[str, t.Callable[[], bool]] = {
        "allowusers": lambda: True,
        "allowgroups": lambda: True,
        "denyusers": lambda: True,
        "denygroups": lambda: True,
        "pubkeyauthentication": lambda: by_key and word == "no",
        "authorizedkeysfile": lambda: (
            by_key and not re.search(r"(?:^|[\s\"/])\.ssh/authorized_keys(?:[\s\"]|$)", value)
        ),
        "passwordauthentication": lambda: by_password and word == "no",
        "permitrootlogin": lambda: (
            as_root
            and (
                word in ("no", "forced-commands-only")
                or (by_password and word in ("prohibit-password", "without-password"))
            )
        ),
    }
    return name in rules and rules[name]()
