# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configuration of systemd-boot: which of its entries it starts by itself.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import fnmatch
import typing as t

__all__ = ("default_entry_name", "parse_loader_conf")

MAX_TEXT = 64 * 1024


def parse_loader_conf(text: str) -> dict[str, str]:
    """The settings of ``loader.conf``; the last of each counts."""
    lines = (line.split(None, 1) for line in text[:MAX_TEXT].splitlines())
    return {words[0]: words[1].strip() for words in lines if len(words) == 2 and not words[0].startswith("#")}


def default_entry_name(names: t.Sequence[str], settings: t.Mapping[str, str]) -> str | None:
    """The entry that starts by itself.

    :param names: of the entries' files, with ``.conf`` or ``.efi``, in the order of the menu.
    :returns: None where the firmware's variables say, or nothing is there.
    """
    wanted = settings.get("default", "")
    if wanted.startswith("@"):
        return None
    pattern = wanted if wanted.endswith((".conf", ".efi")) or "*" in wanted else f"{wanted}.conf"
    matching = [name for name in names if wanted and fnmatch.fnmatchcase(name.lower(), pattern.lower())]
    return next(iter(matching or names), None)
