# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""GRUB's environment block: the entry that was saved, and other variables that outlive a boot.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re

__all__ = ("parse_grubenv",)

#: GRUB itself reads 1024 characters
MAX_TEXT = 64 * 1024


def parse_grubenv(text: str) -> dict[str, str]:
    r"""The variables: ``name=value`` lines, a backslash before what would end a value, filled up with ``#``."""
    found: dict[str, str] = {}
    for name, value in re.findall(r"^([A-Za-z_]\w*)=((?:[^\n\\]|\\.)*)", text[:MAX_TEXT], re.MULTILINE):
        found[name] = re.sub(r"\\(.)", r"\1", value)
    return found
