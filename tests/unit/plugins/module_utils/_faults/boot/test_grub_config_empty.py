# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from _formats.grub_samples import DEBIAN

from ..fakes import FakePatient
from .patients import (
    GRUB_FAULTS,
    RHEL_7,
    findings,
    with_grub,
    with_uefi,
)


def test_an_empty_file_beside_another_way_to_boot_is_no_more_than_a_warning(patient: FakePatient) -> None:
    with_uefi(patient, RHEL_7, "", full=DEBIAN)
    (finding,) = findings(patient, GRUB_FAULTS)
    assert (finding.severity, finding.confidence) == ("critical", "high"), "no BIOS starts this disk"
    patient.disks = ("/dev/vdb",)
    sectors = {0: b"GRUB".ljust(0x5C, b"\0") + b"\1".ljust(418, b"\0") + b"\x55\xaa", 512: b"loading".ljust(512, b"\0")}
    patient.disk_bytes = lambda _disk, offset, size: sectors.get(offset, bytes(size))[:size]  # type: ignore[method-assign]
    (finding,) = findings(patient, GRUB_FAULTS)
    assert (finding.severity, finding.confidence) == ("warning", "medium")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("linux /vmlinuz-6.1.0-9-amd64 root=/dev/vda1\ninitrd /initrd.img\nboot\n", False),
        ("# mine\nset timeout=5\n", True),
    ],
)
def test_what_a_person_wrote_is_never_written_over(patient: FakePatient, text: str, wrong: bool) -> None:
    with_grub(patient, text)
    found = findings(patient, GRUB_FAULTS)
    assert [item.fault for item in found] == (["grub-config-empty"] if wrong else [])
    assert [item.remedy for item in found] == ([None] if wrong else [])


def test_without_templates_nothing_is_built(patient: FakePatient) -> None:
    with_grub(patient, "")
    (patient.directory / "etc/grub.d/10_linux").unlink()
    assert [item.remedy for item in findings(patient, GRUB_FAULTS)] == [None]
