# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One recovery of a real guest, by the ansible-core of the environment that pytest runs in: a row of `make matrix`."""

from __future__ import annotations

import pathlib
import time
import typing as t

from openrescue_lab import breakage
from openrescue_lab.domain import Domain

from playbooks import Play


def test_a_broken_guest_comes_back(patient: Domain, play: Play, guest_disk: t.Callable[[], pathlib.Path]) -> None:
    disk = guest_disk()
    broken = breakage.apply("fstab-missing-device", disk)
    # A row may share its machine with other work, under which a boot takes minutes.
    patient.define(disk).start().wait_for_console(broken.console, timeout=600)
    began = time.monotonic()

    outcome = play("recover", patient.name).must_end_well()

    print(f"recovered in {time.monotonic() - began:.1f} s")
    assert outcome.record(patient.name)["outcome"] == "back", outcome.text
    assert "[DEPRECATION WARNING]" not in outcome.text, outcome.text
    assert patient.execute("/usr/bin/findmnt", "-no", "TARGET", "/boot").strip() == "/boot"
