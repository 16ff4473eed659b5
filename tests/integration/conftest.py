# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab as fixtures: its libvirt and its cloud, copies of the healthy guest, the rescue image."""

from __future__ import annotations

import pathlib
import re
import sys
import typing as t

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lab"))

from openrescue_lab import daemon
from openrescue_lab import guest as guests
from openrescue_lab import rescue as rescues
from openrescue_lab.cloud import Cloud, running_cloud
from openrescue_lab.domain import Domain, Shape
from openrescue_lab.rescue_guest import RescueGuest

from playbooks import Play


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: boots a machine of its own; minutes where there is no KVM")
    config.addinivalue_line("markers", "disturbs: stops services of the cloud, so that nothing else can run beside it")


@pytest.fixture(scope="session")
def lab() -> t.Iterator[str]:
    """The running lab's URI. Who started it stops it: a lab that was up before stays up."""
    ours = not daemon.answers()
    uri = daemon.up()
    yield uri
    if ours:
        daemon.down()


@pytest.fixture(scope="session")
def cloud() -> t.Iterator[Cloud]:
    """The running cloud."""
    with running_cloud() as cloud:
        yield cloud


@pytest.fixture(scope="session")
def libvirt_uri(lab: str) -> str:
    """The same, for tests that read better with this name."""
    return lab


@pytest.fixture(scope="session")
def rescue_image() -> rescues.RescueImage:
    """The rescue image; never write to it."""
    return rescues.rescue_image()


@pytest.fixture(scope="session")
def system(
    lab: str, rescue_image: rescues.RescueImage, tmp_path_factory: pytest.TempPathFactory
) -> t.Iterator[RescueGuest]:
    """One running rescue system, for the disks of all patients."""
    running = RescueGuest.start("rescue-system", rescue_image, tmp_path_factory.mktemp("rescue"))
    yield running
    running.domain.undefine()


@pytest.fixture
def guest_disk(tmp_path: pathlib.Path) -> t.Iterator[t.Callable[..., pathlib.Path]]:
    """Makes a fresh copy of the healthy guest's disk at each call; removed after the test, as it holds a gigabyte."""
    made: list[pathlib.Path] = []

    def make(name: str = "guest") -> pathlib.Path:
        made.append(guests.copy_of(guests.guest().disk, tmp_path / f"{name}.raw"))
        return made[-1]

    yield make
    for disk in made:
        disk.unlink(missing_ok=True)


@pytest.fixture
def domains(lab: str) -> t.Iterator[t.Callable[..., Domain]]:
    """Defines a domain at each call; forgotten after the test, whatever state the test left it in."""
    made: list[Domain] = []

    def define(name: str, *disks: pathlib.Path, shape: Shape = Shape()) -> Domain:
        made.append(Domain(name))
        return made[-1].define(*disks, shape=shape)

    yield define
    for domain in made:
        domain.undefine()


@pytest.fixture
def play(tmp_path: pathlib.Path, lab: str, rescue_image: rescues.RescueImage) -> Play:
    """Runs playbooks of the collection on guests of the lab."""
    return Play(tmp_path, lab, rescue_image.qcow2)


@pytest.fixture
def patient(request: pytest.FixtureRequest, lab: str) -> t.Iterator[Domain]:
    """A domain of the test's own, not defined yet; forgotten after the test."""
    domain = Domain("recover-" + re.sub(r"[^a-z0-9-]+", "-", request.node.name)[:50].strip("-"))
    yield domain
    domain.undefine()
