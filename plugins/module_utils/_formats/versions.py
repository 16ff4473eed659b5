# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one order of versions: of kernels, of boot entries, of releases. Near to RPM's, so that 6.10 is newer than 6.9.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re

__all__ = ("version_key",)

_TILDE, _END, _WORD, _NUMBER = range(4)
_CANDIDATE = re.compile(r"[-.]rc(?=\d)")
_PART = re.compile(r"\d+|[A-Za-z]+|~")


def version_key(version: str) -> tuple[tuple[int, int, str], ...]:
    """A key to sort by, the oldest first; a release candidate is older than its release."""
    parts: list[tuple[int, int, str]] = []
    for part in _PART.findall(_CANDIDATE.sub("~rc", version[:256])):
        if part == "~":
            parts.append((_TILDE, 0, ""))
        elif part.isdecimal():
            parts.append((_NUMBER, int(part), ""))
        else:
            parts.append((_WORD, 0, part))
    return (*parts, (_END, 0, ""))
