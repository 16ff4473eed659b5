# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""A recovery that is killed at ten moments, and the same command again: nothing is lost, and it is done."""

from __future__ import annotations

import os
import pathlib
import re
import signal
import time
import typing as t

import pytest
from openrescue_lab import breakage
from openrescue_lab.base import wait_until
from openrescue_lab.disk import mounted
from openrescue_lab.domain import Domain

from playbooks import Play

#: the tasks at which the run is killed, in the order of the way, and for how many seconds they have run then
MOMENTS = {
    "probe": ("Ask the provider how the server is", 1.0),
    "console": ("Read the console", 1.0),
    "rescue": ("Rescue the server", 1.5),
    "wait": ("Wait until the rescue system answers", 5.0),
    "proof": ("Ask what has booted", 0.5),
    "diagnose": ("Diagnose the patient", 3.0),
    "repair begins": ("Repair the patient", 1.0),
    "repair": ("Repair the patient", 6.0),
    "told": ("Say how to undo it", 0.0),
    "unrescue": ("Give the server its own system back", 0.5),
}
STORY = {"ANSIBLE_STDOUT_CALLBACK": "openrescue.server.story"}


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_and_run_again(
    moment: str, patient: Domain, play: Play, guest_disk: t.Callable[[], pathlib.Path], tmp_path: pathlib.Path
) -> None:
    task, seconds = MOMENTS[moment]
    disk = guest_disk()
    breakage.apply("fstab-missing-device", disk)
    patient.define(disk)
    definition = patient.virsh("dumpxml", "--inactive", "--security-info")
    # Writes the inventory that the run to be killed uses, too.
    play("triage", patient.name)

    log = tmp_path / "log"
    running = play.start("recover", log)
    try:
        wait_until(task, lambda: bool(re.search(rf"{task}\]", log.read_text(errors="replace"))), timeout=300)
        time.sleep(seconds)
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()

    again = play("recover", patient.name, environment=STORY, common_lock_timeout=300).must_end_well()

    assert re.search(rf"^{patient.name} +OFF ", again.text, re.MULTILINE), again.text
    assert patient.state() == "shut off", "it was off before the rescue"
    assert patient.virsh("dumpxml", "--inactive", "--security-info") == definition
    with mounted(disk) as root:
        fstab = (root / "etc/fstab").read_text(encoding="utf-8")
        assert "deadbeef" not in re.sub(r"^#.*$", "", fstab, flags=re.MULTILINE), fstab
        [bundle] = [path.name for path in (root / "var/lib/openrescue/undo").iterdir()]
    assert bundle in again.text, f"nobody is told how to take it back:\n{again.text}"

    play("undo", patient.name, undo=bundle).must_end_well()
    with mounted(disk) as root:
        assert "deadbeef" in (root / "etc/fstab").read_text(encoding="utf-8")
