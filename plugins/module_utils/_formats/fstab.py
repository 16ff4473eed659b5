# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lines of /etc/fstab: read as libmount reads them, edited without touching what is right. Pure.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import re
import typing as t

__all__ = ("FstabEntry", "edit_lines", "parse_fstab", "read_lines", "unescape")

#: distinct lines that are read; a file with more is no fstab
MAX_ENTRIES = 20_000
#: the six fields, and what stands behind them
_MAX_FIELDS = 8
_FIELD = re.compile(r"[^ \t]+")
_OCTAL = re.compile(r"(?:\\[0-7]{3})+")
#: what systemd mounts later than at boot, or without the boot waiting for it
_LATER = ("x-systemd.automount", "comment=systemd.automount", "_netdev")
_FOR_OTHERS = ("x-systemd.wanted-by=", "x-systemd.required-by=")


@dataclasses.dataclass(frozen=True)
class FstabEntry:
    """A line that is neither empty nor a comment, with all its identical twins.

    :param lines: where it stands, counted from 1.
    :param text: as it stands there, without the end of line.
    :param fields: as they stand in the text, escapes not resolved; the last is all that follows the seventh.
    """

    lines: tuple[int, ...]
    text: str
    fields: tuple[str, ...]

    @property
    def line(self) -> int:
        return self.lines[0]

    @functools.cached_property
    def spec(self) -> str:
        return unescape(self.fields[0])

    @functools.cached_property
    def mount_point(self) -> str:
        return unescape(self._field(1, ""))

    @functools.cached_property
    def place(self) -> str:
        """The mount point as two lines would share it: without a slash at its end."""
        return self.mount_point.rstrip("/") or "/"

    @property
    def fstype(self) -> str:
        return self._field(2, "")

    @functools.cached_property
    def options(self) -> tuple[str, ...]:
        return tuple(unescape(self._field(3, "defaults")).split(","))

    @property
    def raw_options(self) -> tuple[str, ...]:
        return tuple(self._field(3, "defaults").split(","))

    @property
    def passno(self) -> int:
        """The pass of fsck: 0 is never."""
        value = self._field(5, "0")
        return int(value) if re.fullmatch(r"[+-]?\d{1,9}", value) else 0

    @property
    def is_swap(self) -> bool:
        return self.fstype == "swap"

    @property
    def is_mount(self) -> bool:
        return self.mount_point.startswith("/") and not self.is_swap

    @functools.cached_property
    def noauto(self) -> bool:
        return self._last_said("noauto", "auto") == "noauto" and self.place != "/"

    @functools.cached_property
    def nofail(self) -> bool:
        return self._last_said("nofail", "fail") == "nofail" and self.place != "/"

    @functools.cached_property
    def stops_boot(self) -> bool:
        """Whether local-fs.target fails with this mount, and the boot ends in emergency mode."""
        later = any(option in _LATER or option.startswith(_FOR_OTHERS) for option in self.options)
        return not (self.noauto or self.nofail or self.is_swap or (later and self.place != "/"))

    def option(self, name: str) -> str | None:
        """The value of ``name=value``; the last one counts."""
        found = [item.split("=", 1)[1] for item in self.options if item.startswith(f"{name}=")]
        return found[-1] if found else None

    def with_field(self, index: int, value: str) -> str:
        """The text with one field replaced, or added behind the last, and nothing else changed."""
        spans = self._spans()
        if index < len(spans):
            start, end = spans[index]
            return self.text[:start] + value + self.text[end:]
        end = spans[-1][1]
        return f"{self.text[:end]} {value}{self.text[end:]}"

    def with_options(self, options: t.Sequence[str]) -> str:
        """The text with these options, escaped as :attr:`raw_options` are."""
        return self.with_field(3, ",".join(options) or "defaults")

    def with_nofail(self) -> str:
        return self.with_options([option for option in self.raw_options if option != "fail"] + ["nofail"])

    def joined(self, first: int, last: int) -> str:
        """The text with the fields from ``first`` to ``last`` made one, the spaces between them escaped."""
        spans = self._spans()
        # Some write a backslash before the space, which means nothing.
        value = "\\040".join([*(field.rstrip("\\") for field in self.fields[first:last]), self.fields[last]])
        return self.text[: spans[first][0]] + value + self.text[spans[last][1] :]

    def split(self, length: int) -> str:
        """The text with a space after so many characters of its first field."""
        cut = self._spans()[0][0] + length
        return f"{self.text[:cut]} {self.text[cut:]}"

    def _field(self, index: int, default: str) -> str:
        return self.fields[index] if len(self.fields) > index else default

    def _last_said(self, *names: str) -> str:
        said = [option for option in self.options if option in names]
        return said[-1] if said else ""

    def _spans(self) -> list[tuple[int, int]]:
        return [found.span() for found in itertools.islice(_FIELD.finditer(self.text), _MAX_FIELDS)]


def read_lines(text: str) -> list[FstabEntry]:
    """All lines that are neither empty nor comments, whether or not anybody can use them.

    The same line twice is one entry. An end of line by CR LF is as good as any, as it is for libmount.
    """
    where: dict[str, list[int]] = {}
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw[:-1] if raw.endswith("\r") else raw
        if line in where:
            where[line].append(number)
        elif line.strip(" \t") and not line.lstrip(" \t").startswith("#") and len(where) < MAX_ENTRIES:
            where[line] = [number]
    return [
        FstabEntry(tuple(numbers), line, tuple(re.split(r"[ \t]+", line.strip(" \t"), maxsplit=_MAX_FIELDS - 1)))
        for line, numbers in where.items()
    ]


def parse_fstab(text: str) -> list[FstabEntry]:
    """The entries that name a device, a place and a type; to judge the others is a fault's affair."""
    return [entry for entry in read_lines(text) if len(entry.fields) > 2]


def edit_lines(text: str, numbers: t.Collection[int], new_line: str | None, *, reason: str) -> str:
    """The file with these lines replaced (None: commented out), each old one kept above as a comment."""
    wanted = set(numbers)
    lines: list[str] = []
    for number, old in enumerate(text.split("\n"), 1):
        if number not in wanted:
            lines.append(old)
            continue
        end = "\r" if old.endswith("\r") else ""
        lines.append(f"# openrescue {reason}, was: {old}")
        if new_line is not None:
            lines.append(new_line + end)
    return "\n".join(lines)


def unescape(field: str) -> str:
    """Octal escapes are bytes: ``\\303\\251`` is one letter of UTF-8."""

    def decode(found: re.Match[str]) -> str:
        codes = bytes(int(code, 8) & 0xFF for code in found[0].split("\\")[1:])
        return codes.decode("utf-8", "surrogateescape")

    return _OCTAL.sub(decode, field)
