# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Guests without a system on the lab's libvirt, and the modules against it."""

from __future__ import annotations

import os
import pathlib
import typing as t

import libvirt
import pytest
from blank import Blank, Modules, make_image
from openrescue_lab import daemon


@pytest.fixture(scope="module")
def libvirt_uri() -> t.Iterator[str]:
    """A libvirt of these tests' own: they kill it, and they count all that is on it."""
    state = pathlib.Path(f"/run/openrescue-lab-{os.getpid()}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENRESCUE_LAB", str(state))
        yield daemon.up()
        daemon.down()
    state.with_name(state.name + ".lock").unlink(missing_ok=True)


@pytest.fixture
def connection(libvirt_uri: str) -> t.Iterator[libvirt.virConnect]:
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    connection = libvirt.open(libvirt_uri)
    yield connection
    connection.close()


@pytest.fixture
def blanks(connection: libvirt.virConnect, tmp_path: pathlib.Path) -> t.Iterator[t.Callable[..., Blank]]:
    made: list[Blank] = []

    def make(**more: str) -> Blank:
        made.append(Blank(connection, tmp_path, **more))
        return made[-1]

    yield make
    for blank in made:
        blank.remove()


@pytest.fixture
def blank(blanks: t.Callable[[], Blank]) -> Blank:
    return blanks()


@pytest.fixture
def modules(libvirt_uri: str, tmp_path: pathlib.Path) -> Modules:
    return Modules(libvirt_uri, make_image(tmp_path / "rescue.qcow2"))
