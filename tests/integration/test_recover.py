# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""The whole way by playbook: real guests that do not boot come back, all in one run."""

from __future__ import annotations

import pathlib
import typing as t

from openrescue_lab import breakage
from openrescue_lab.domain import Domain

from playbooks import Play

#: what each guest is broken by; fstab goes the whole way in the demo, grub in molecule
BROKEN = {"superblock": ["filesystem-superblock-root"], "update": ["space-full", "initramfs-truncated"]}
#: what a small machine bears at a time without KVM
AT_ONCE = 2


def test_broken_guests_come_back(
    domains: t.Callable[..., Domain], play: Play, guest_disk: t.Callable[..., pathlib.Path]
) -> None:
    broken = {}
    guests = {}
    for name, ways in BROKEN.items():
        disk = guest_disk(name)
        broken[name] = [breakage.apply(way, disk) for way in ways]
        guests[name] = domains(f"recover-{name}", disk).start()
    for name, guest in guests.items():
        guest.wait_for_console(broken[name][-1].console)
    before = {name: guest.virsh("dumpxml", "--inactive", "--security-info") for name, guest in guests.items()}
    names = [guest.name for guest in guests.values()]

    outcome = play("recover", *names, repair_faults="all", recover_serial=AT_ONCE).must_end_well()

    for name, guest in guests.items():
        assert all(fault in outcome.text for way in broken[name] for fault in way.faults)
        assert guest.virsh("dumpxml", "--inactive", "--security-info") == before[name]
        assert guest.execute("/usr/bin/systemctl", "is-active", "multi-user.target").strip() == "active"
    again = play("recover", *names).must_end_well()
    assert again.text.count("is up and was left alone") == len(names)
