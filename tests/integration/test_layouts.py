# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real layouts, all in one running rescue system: healthy ones are left in peace, what is written to one stays.

These are the quickly built ones. `make prove-layouts` takes them all, breaks each in every way, and boots them.
"""

from __future__ import annotations

import pathlib

import pytest
from openrescue_lab import layout
from openrescue_lab.base import LabError
from openrescue_lab.rescue_guest import RescueGuest
from patients import FAMILIES, FIX, build, chosen, plugged, see_healthy, see_repaired, see_reverted, see_written

#: of the five families what depends on the layout; the others are tried in test_faults.py
BROKEN = [("lvm", "fstab"), ("mbr", "grub"), ("mbr", "initramfs")]

Built = dict[str, "list[pathlib.Path] | LabError"]


@pytest.fixture(scope="module")
def built(lab: str, request: pytest.FixtureRequest) -> Built:
    return build(chosen(request))


@pytest.mark.parametrize("name", layout.QUICK)
def test_a_healthy_layout(name: str, system: RescueGuest, built: Built, tmp_path: pathlib.Path) -> None:
    """It is left in peace, and what a user writes is written.

    Written by disk_mount's leave, read without any module of ours, by the system that boots.
    """
    with plugged(system, name, built, tmp_path) as patient:
        see_healthy(patient)
        if patient.layout.boots and not patient.layout.passphrase:
            see_written(patient)
            read = patient.inside(*(f"cat /mnt{place}/fixed" for place in patient.places))
            # after what LVM says of a volume that is opened
            assert FIX * len(patient.places) in read


@pytest.mark.parametrize(("name", "family"), BROKEN)
def test_a_broken_layout(name: str, family: str, system: RescueGuest, built: Built, tmp_path: pathlib.Path) -> None:
    """Found, repaired, and taken back to the byte."""
    with plugged(system, name, built, tmp_path) as patient:
        kind = FAMILIES[family]
        patient.break_by(kind)
        broken = patient.state(kind)
        done = see_repaired(patient, kind)
        see_reverted(patient, kind, undo=done["undo"], broken=broken)
