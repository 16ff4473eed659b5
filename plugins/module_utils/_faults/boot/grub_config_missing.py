# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""GRUB has no configuration, so that it stops at its prompt.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ..model import Fault, Finding, Signature
from .shared.grub_config import broken_configs, finding_of, repair, words

if t.TYPE_CHECKING:
    from ..._patient.patient import Patient

__all__ = ("GRUB_CONFIG_MISSING",)

ID = "grub-config-missing"


def detect(patient: Patient) -> t.Iterator[Finding]:
    for broken in broken_configs(patient):
        if broken.text is None:
            yield finding_of(patient, ID, broken)


GRUB_CONFIG_MISSING = Fault(
    id=ID,
    title="GRUB has no configuration",
    signatures=(
        Signature(
            r"Minimal BASH-like line editing is supported|^grub> ?$",
            "the boot loader stopped at its prompt: it found no configuration, or none with an entry",
            confidence="medium",
        ),
        Signature(
            r"error: (?:\S{1,80}:\d{1,5}: ?)?file [`']([^`']{0,200}/grub\.cfg)' not found",
            "the boot loader does not find its configuration {0}",
        ),
    ),
    detect=detect,
    repair=repair,
    safe=True,
    words=words(
        meaning="``grub.cfg`` is gone: it was removed with a package, or never came back from an update that was cut "
        "off.",
        effect="GRUB stops at its prompt, ``grub>``, and waits for a person. No kernel is started.",
        detection="The file is looked for where this server's GRUB reads it: in ``/boot/grub`` or ``/boot/grub2``, or "
        "where the file on the EFI partition leads. Where that cannot be followed, nobody can tell. It is no finding "
        "where another boot loader leads to an entry.",
    ),
)
