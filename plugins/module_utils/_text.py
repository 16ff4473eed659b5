# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Foreign text, made safe to show.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

__all__ = ("printable", "printable_result")


def printable(text: str, *, limit: int = 300) -> str:
    """One line of foreign text, safe to show: what does not print is escaped, what is long is cut."""
    shown = _escaped(text, keep="")
    return shown if len(shown) <= limit else shown[: limit - 3] + "..."


def printable_result(value: t.Any) -> t.Any:
    """What a module returns, made safe at its one exit: every text in it prints and is valid UTF-8.

    Ends of lines and tabs stay, since diffs have them. What is safe already stays as it is.
    """
    if isinstance(value, str):
        return _escaped(value, keep="\n\t")
    if isinstance(value, dict):
        return {printable_result(key): printable_result(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [printable_result(item) for item in value]
    return value


def _escaped(text: str, *, keep: str) -> str:
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in keep else _escape(char) for char in text)


def _escape(char: str) -> str:
    """A byte that was no UTF-8, which Python holds as half a surrogate, is shown as that byte."""
    if "\udc80" <= char <= "\udcff":
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")
