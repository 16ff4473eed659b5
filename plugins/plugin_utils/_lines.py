# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines for people: what foreign text becomes before it is shown, and how long a line is.

Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import textwrap
import typing as t

from ansible_collections.openrescue.server.plugins.module_utils._text import printable

__all__ = ("WIDTH", "Line", "clock", "command_lines", "one_line", "titled")

#: columns of a line at most
WIDTH = 118
#: what a step says at most
LIMIT = 600
INDENT = "    "


@dataclasses.dataclass(frozen=True)
class Line:
    """One line; how it looks is ``good``, ``bad``, ``added``, ``removed``, ``quiet``, or nothing in particular."""

    text: str
    look: str = ""


def one_line(text: t.Any, *, limit: int = LIMIT) -> str:
    """Foreign text as one line that prints."""
    return printable(" ".join(str(text).split()), limit=limit)


def clock(seconds: float) -> str:
    """Minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def titled(title: str, text: str, *, look: str = "") -> list[Line]:
    """A text with a title before it, wrapped."""
    wrapped = textwrap.wrap(one_line(text, limit=2000), WIDTH, initial_indent=title, subsequent_indent=INDENT)
    return [Line(line, look) for line in wrapped]


def command_lines(title: str, command: str) -> list[Line]:
    """A command with a title before it, wrapped so that it can be copied as it stands."""
    command = one_line(command, limit=2000)
    if len(title) + len(command) <= WIDTH:
        return [Line(f"{title}{command}")]
    wrapped = textwrap.wrap(command, WIDTH - 2, initial_indent=INDENT, subsequent_indent=INDENT, break_on_hyphens=False)
    return [Line(title.rstrip()), *(Line(f"{line} \\") for line in wrapped[:-1]), Line(wrapped[-1])]
