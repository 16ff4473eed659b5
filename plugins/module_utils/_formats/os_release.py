# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""/etc/os-release: which system this is. Parsed and never sourced.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re

__all__ = ("parse_os_release",)

MAX_TEXT = 64 * 1024


def parse_os_release(text: str) -> dict[str, str]:
    """The variables, without quotes and escapes; values are untrusted text."""
    values: dict[str, str] = {}
    for line in text[:MAX_TEXT].splitlines():
        match = re.match(r"\s*([A-Z][A-Z0-9_]*)=(.*?)\s*$", line)
        if match:
            value = match[2]
            if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
                value = re.sub(r"\\(.)", r"\1", value[1:-1])
            values[match[1]] = value
    return values
