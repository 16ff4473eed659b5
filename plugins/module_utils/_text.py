# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Foreign text, made safe to show.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

__all__ = ("printable",)


def printable(text: str, *, limit: int = 300) -> str:
    """One line of foreign text, safe to show: what does not print is escaped, what is long is cut."""
    shown = "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode("ascii") for char in text
    )
    return shown if len(shown) <= limit else shown[: limit - 3] + "..."
