# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""The whole way by playbook: real guests that do not boot come back."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from openrescue_lab import breakage
from openrescue_lab.domain import Domain

from playbooks import Play

#: one of each family; fstab goes the whole way in the demo, grub in molecule
FAMILIES = ("filesystem-superblock-root", "space-full", "initramfs-truncated")


@pytest.mark.parametrize("name", FAMILIES)
def test_a_broken_guest_comes_back(
    name: str, patient: Domain, play: Play, guest_disk: t.Callable[[], pathlib.Path]
) -> None:
    disk = guest_disk()
    broken = breakage.apply(name, disk)
    patient.define(disk).start().wait_for_console(broken.console)
    before = patient.virsh("dumpxml", "--inactive", "--security-info")

    outcome = play("recover", patient.name, repair_faults="all", recover_running=broken.boots).must_end_well()

    assert all(fault in outcome.text for fault in broken.faults)
    assert patient.virsh("dumpxml", "--inactive", "--security-info") == before
    assert patient.execute("/usr/bin/systemctl", "is-active", "multi-user.target").strip() == "active"
    again = play("recover", patient.name).must_end_well()
    assert "is up and was left alone" in again.text
