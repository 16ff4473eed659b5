# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kernel's command line, in words, as the kernel and the programs of an initramfs read it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

__all__ = ("CommandLine", "split_cmdline")


def split_cmdline(text: str) -> tuple[str, ...]:
    """The words of a command line; double quotes hold blanks together."""
    return tuple(re.findall(r'(?:[^\s"]|"[^"]*"?)+', text[: 64 * 1024]))


@dataclasses.dataclass(frozen=True)
class CommandLine:
    """The words up to ``--``: what follows is for init."""

    words: tuple[str, ...]

    def last(self, name: str) -> str | None:
        """The value of a parameter; the last one counts."""
        return next(iter(self.all(name)[::-1]), None)

    def all(self, name: str) -> list[str]:
        """Every value of a parameter that may be given many times; dashes and underscores are the same."""
        wanted = _plain(name)
        pairs = (word.replace('"', "").partition("=") for word in self._own())
        return [value for key, sign, value in pairs if sign and _plain(key) == wanted]

    def has(self, word: str) -> bool:
        return word in self._own()

    def _own(self) -> t.Sequence[str]:
        return self.words[: self.words.index("--")] if "--" in self.words else self.words


def _plain(name: str) -> str:
    return name.replace("-", "_")
