# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""Who has a server, and who may not: other people, other runs, and a repair that outlives the run that began it."""

from __future__ import annotations

import os
import pathlib
import re
import signal
import subprocess
import typing as t

from openrescue_lab import breakage
from openrescue_lab.base import run, wait_until
from openrescue_lab.disk import Disk
from openrescue_lab.domain import Domain

from playbooks import Play

BREAKAGE = "filesystem-corrupt"


def is_rescued(patient: Domain) -> bool:
    return "openrescue-rescue" in patient.virsh("dumpxml")


def throttle(patient: Domain, bytes_a_second: int) -> None:
    """Make every write to the patient's disk slow, or, with 0, as fast as it was."""
    patient.virsh("blkdeviotune", "vda", "--write-bytes-sec", str(bytes_a_second), "--live")


def written(patient: Domain) -> int:
    """How many requests have written to the patient's disk since the rescue system runs."""
    found = re.search(r"wr_req (\d+)", patient.virsh("domblkstat", "vda"))
    assert found
    return int(found[1])


def test_a_server_that_somebody_has_is_left_to_them(
    patient: Domain, play: Play, guest_disk: t.Callable[[], pathlib.Path]
) -> None:
    patient.define(guest_disk())
    play("rescue", patient.name, rescue_owner="alice@bastion", rescue_reason="disk swap").must_end_well()
    identity = patient.virsh("domid")

    for name in ("recover", "unrescue", "diagnose"):
        play(name, patient.name, rescue_owner="bob@desk").must_fail_naming(
            patient.name, "held by alice@bastion", "disk swap"
        )
        assert patient.virsh("domid") == identity
        assert is_rescued(patient)

    taken = play("recover", patient.name, rescue_owner="bob@desk", recover_takeover=True, repair_faults="none")
    taken.must_end_well()
    assert patient.state() == "shut off", "it was off before the rescue"


class LongRepair:
    """A recover whose repair takes as long as the test wants, since the patient's disk takes no more."""

    def __init__(self, patient: Domain, play: Play, log: pathlib.Path) -> None:
        self.patient, self.log = patient, log
        self.process: subprocess.Popen[bytes] = play.start(
            "recover", log, repair_faults="all", rescue_owner="alice@bastion"
        )

    def until_it_writes(self) -> None:
        wait_until("it is rescued", lambda: is_rescued(self.patient), timeout=120)
        # One request passes, and the next one waits for minutes.
        throttle(self.patient, 16)
        wait_until("the repair writes", lambda: written(self.patient) > 0 or self._ended(), timeout=300)

    def kill(self) -> None:
        """Ansible and all its children, with no chance to clean up."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def text(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def _ended(self) -> t.Literal[False]:
        assert self.process.poll() is None, self.text()
        return False


def test_a_repair_that_outlives_its_run_is_never_cut(
    patient: Domain, play: Play, guest_disk: t.Callable[[], pathlib.Path], tmp_path: pathlib.Path
) -> None:
    """A second run while e2fsck writes for the first, one at once after SIGKILL of the first, and one later."""
    disk = guest_disk()
    breakage.apply(BREAKAGE, disk)
    patient.define(disk)
    patience = {"common_lock_timeout": 3, "repair_faults": "all"}
    # Writes the inventory that the long one uses, too.
    play("triage", patient.name)
    repair = LongRepair(patient, play, tmp_path / "log")
    try:
        repair.until_it_writes()
        identity = patient.virsh("domid")

        # The same person in another window.
        alive = play("recover", patient.name, rescue_owner="alice@bastion", **patience)
        alive.must_fail_naming(patient.name, "held by alice@bastion", "diagnosis and repair")
        assert repair.process.poll() is None, repair.text()
        assert (patient.virsh("domid"), is_rescued(patient)) == (identity, True)
    finally:
        repair.kill()

    # Nobody waits for that repair any more, and it still writes.
    for name in ("recover", "unrescue"):
        busy = play(name, patient.name, rescue_owner="bob@desk", **patience)
        busy.must_fail_naming(
            patient.name, "at work on its disks", "It is left rescued", f"rescue_hosts={patient.name}"
        )
        assert (patient.virsh("domid"), is_rescued(patient)) == (identity, True), busy.text

    throttle(patient, 0)
    play("recover", patient.name, repair_faults="all", common_lock_timeout=300).must_end_well()

    assert patient.state() == "shut off", "it was off before the rescue"
    with Disk(disk).device("boot") as device:
        run("e2fsck", "-fn", device)
