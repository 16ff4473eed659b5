# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""GRUB has a configuration that boots nothing: it is empty, or cut off before an entry is whole.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ..model import Fault, Finding, Signature
from .shared.grub_config import broken_configs, finding_of, repair, words

if t.TYPE_CHECKING:
    from ..._patient.patient import Patient

__all__ = ("GRUB_CONFIG_EMPTY",)

ID = "grub-config-empty"


def detect(patient: Patient) -> t.Iterator[Finding]:
    for broken in broken_configs(patient):
        if broken.text is not None:
            yield finding_of(patient, ID, broken)


GRUB_CONFIG_EMPTY = Fault(
    id=ID,
    title="The configuration of GRUB holds nothing to boot",
    signatures=(
        Signature(
            r"error: (?:\S{1,80}:\d{1,5}: ?)?(?:syntax error|Incorrect command|unexpected end of file)\.?$",
            "the boot loader cannot read its configuration",
            confidence="medium",
        ),
    ),
    detect=detect,
    repair=repair,
    safe=True,
    words=words(
        meaning="``grub.cfg`` is there but empty, cut off before its first entry is whole, or holds no entry that "
        "boots anything: the machine went down, or the disk was full, while it was written.",
        effect="GRUB stops at its prompt, ``grub>``, and waits for a person. On the console that looks as if the file "
        "was missing.",
        detection="The file that this server's GRUB reads is parsed, and what it leads to. A cut inside the last of "
        "several entries is no finding, as the others still boot.",
    ),
)
