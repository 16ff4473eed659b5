# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every layout: it boots by itself, is seen healthy, is put right from every family of faults, and boots after that.

Hours where there is no KVM, so outside CI: `make prove-layouts`.
"""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from openrescue_lab import daemon, layout, layout_build, rescue
from openrescue_lab.base import LabError
from openrescue_lab.domain import Domain
from openrescue_lab.layout_boot import boot, see_up
from openrescue_lab.rescue_guest import RescueGuest
from patients import (
    EXT,
    FAMILIES,
    FIX,
    build,
    chosen,
    plugged,
    see_dead,
    see_healthy,
    see_locked,
    see_repaired,
    see_reverted,
    see_written,
)

EVERY = layout.names()
SYSTEMS = [name for name in EVERY if layout.load(name).boots]
#: what each layout is broken by: five families on eight layouts
BROKEN = [
    (name, family)
    for name in ("mbr", "lvm", "raid1", "efi", "xfs", "btrfs", "usr_var", "lvm_disk")
    for family in FAMILIES
    if family != "filesystem" or name in EXT
] + [
    *(("luks", family) for family in FAMILIES),
    ("lvm_luks", "initramfs"),
    ("luks_lvm", "grub"),
    ("systemd_boot", "fstab"),
    ("systemd_boot", "initramfs"),
    ("uki", "fstab"),
]
#: those whose loader and firmware are told in another way each
DEAD = ("efi", "fedora", "rhel", "systemd_boot", "mbr")

Built = dict[str, "list[pathlib.Path] | LabError"]


@pytest.fixture(scope="module")
def built(lab: str, request: pytest.FixtureRequest) -> Built:
    return build(chosen(request))


@pytest.fixture(scope="module")
def system(built: Built, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[RescueGuest]:
    daemon.up()
    running = RescueGuest.start("layouts-rescue", rescue.rescue_image(), tmp_path_factory.mktemp("rescue"))
    yield running
    running.domain.undefine()


@pytest.fixture
def domain(lab: str) -> t.Iterator[Domain]:
    made = Domain("layouts-patient")
    yield made
    made.undefine()


@pytest.mark.parametrize("name", SYSTEMS)
def test_boots_by_itself(name: str, domain: Domain, built: Built, tmp_path: pathlib.Path) -> None:
    disks = built[name]
    if isinstance(disks, LabError):
        raise disks
    see_up(boot(domain, layout.load(name), layout_build.copies(disks, tmp_path)))


@pytest.mark.parametrize("name", EVERY)
def test_a_healthy_layout(name: str, system: RescueGuest, built: Built, tmp_path: pathlib.Path) -> None:
    with plugged(system, name, built, tmp_path) as patient:
        see_healthy(patient)


@pytest.mark.parametrize("name", [name for name in EVERY if layout.load(name).passphrase])
def test_a_locked_layout(name: str, system: RescueGuest, built: Built, tmp_path: pathlib.Path) -> None:
    with plugged(system, name, built, tmp_path) as patient:
        see_locked(patient)


@pytest.mark.parametrize("name", DEAD)
def test_a_layout_without_its_kernel(name: str, system: RescueGuest, built: Built, tmp_path: pathlib.Path) -> None:
    with plugged(system, name, built, tmp_path) as patient:
        see_dead(patient)


@pytest.mark.parametrize(("name", "family"), BROKEN)
def test_a_broken_layout(name: str, family: str, system: RescueGuest, built: Built, tmp_path: pathlib.Path) -> None:
    """Found, repaired, and taken back to the byte."""
    with plugged(system, name, built, tmp_path) as patient:
        kind = FAMILIES[family]
        patient.break_by(kind)
        broken = patient.state(kind)
        done = see_repaired(patient, kind)
        see_reverted(patient, kind, undo=done["undo"], broken=broken)


@pytest.mark.parametrize("name", sorted({name for name, _ in BROKEN}))
def test_a_layout_that_is_broken_in_every_way_boots_again(
    name: str, system: RescueGuest, domain: Domain, built: Built, tmp_path: pathlib.Path
) -> None:
    """All is found and repaired in one go, and what a user wrote is there in the system that has booted."""
    with plugged(system, name, built, tmp_path) as patient:
        kinds = [FAMILIES[family] for family in FAMILIES if (name, family) in BROKEN]
        for kind in kinds:
            patient.break_by(kind)
        see_repaired(patient, *kinds)
        see_written(patient)
        system.unplug()
        see_up(boot(domain, patient.layout, patient.disks))
        read = domain.execute("/bin/cat", *(f"{place}/fixed" for place in patient.places))
        assert read == FIX * len(patient.places)
