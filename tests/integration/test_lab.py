# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab starts, heals, and stops without a trace. That breakages break is seen in the demo and on the whole way."""

from __future__ import annotations

import os
import pathlib
import signal
import typing as t

import pytest
from openrescue_lab import breakage, daemon
from openrescue_lab.base import run
from openrescue_lab.disk import mounted
from openrescue_lab.domain import Domain


@pytest.fixture
def other_lab(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[pathlib.Path]:
    """A second lab beside the one that other tests use."""
    state = pathlib.Path(f"/run/openrescue-lab-{os.getpid()}")
    monkeypatch.setenv("OPENRESCUE_LAB", str(state))
    yield state
    daemon.down()
    state.with_name(state.name + ".lock").unlink(missing_ok=True)


def test_up_is_idempotent_and_down_leaves_nothing(other_lab: pathlib.Path) -> None:
    uri = daemon.up()
    running = daemon.processes()
    assert running and daemon.up() == uri and set(daemon.processes()) >= set(running)
    daemon.down()
    assert not daemon.processes() and not other_lab.exists()


def test_up_heals_what_a_kill_left(other_lab: pathlib.Path) -> None:
    daemon.up()
    for pid in daemon.processes()[:2]:
        os.kill(pid, signal.SIGKILL)
    daemon.up()
    assert run("virsh", "-q", "-c", daemon.uri(), "list", "--all").strip() == ""


def test_libvirtd_restarts_and_keeps_its_domains(other_lab: pathlib.Path, tmp_path: pathlib.Path) -> None:
    daemon.up()
    disk = tmp_path / "empty.raw"
    run("truncate", "--size", "1M", disk)
    domain = Domain("lab-restart").define(disk).start()
    daemon.restart_libvirtd()
    assert domain.state() == "running"
    domain.undefine()


def test_mounted_leaves_nothing_after_an_error(guest_disk: t.Callable[[], pathlib.Path]) -> None:
    disk = guest_disk()
    with pytest.raises(ZeroDivisionError), mounted(disk) as root:
        assert (root / "boot/grub/grub.cfg").is_file() and (root / "etc/fstab").is_file()
        raise ZeroDivisionError
    assert not root.exists()
    assert str(disk) not in run("losetup", "--list", "--noheadings", "--output", "BACK-FILE")


def test_breakages_are_all_there() -> None:
    names = breakage.names()
    assert "fstab-missing-device" in names
    for name in names:
        found = breakage.load(name)
        assert found.summary and found.faults, name
