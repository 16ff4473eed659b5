# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A unified kernel image: one EFI program that holds kernel, initramfs and command line as its sections.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .pe import PeSection, read_pe_sections

__all__ = ("Uki", "read_uki")

MAX_TEXT = 64 * 1024


@dataclasses.dataclass(frozen=True)
class Uki:
    """What a unified kernel image holds; None where it has no such section.

    :param release: of the kernel, as ``uname -r`` says it; empty if the image does not say.
    """

    linux: PeSection
    initrd: PeSection | None
    cmdline: str | None
    release: str


def read_uki(file: t.BinaryIO) -> Uki | None:
    """None if it is no unified kernel image, or is cut off."""
    sections = read_pe_sections(file)
    if sections is None or ".linux" not in sections:
        return None
    return Uki(
        linux=sections[".linux"],
        initrd=sections.get(".initrd"),
        cmdline=_text(file, sections[".cmdline"]) if ".cmdline" in sections else None,
        release=_text(file, sections[".uname"]) if ".uname" in sections else "",
    )


def _text(file: t.BinaryIO, section: PeSection) -> str:
    file.seek(section.offset)
    return file.read(min(section.size, MAX_TEXT)).decode("utf-8", "replace").strip("\0 \t\r\n")
