# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""disk_repair killed, stopped, or begun twice: the next run brings to its end or takes back what the first has left."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import subprocess
import time
import typing as t

import pytest
from loop_disk import BOOT_UUID, FIXED, Disk, files, module, run
from openrescue_lab import modules
from openrescue_lab.disk import sha256


@pytest.mark.parametrize("seconds", [0.3, 0.5, 0.7, 0.9, 1.2])
def test_a_killed_repair_can_be_finished(disk: Disk, seconds: float) -> None:
    with modules.start("disk_repair", {"devices": [disk.device], "faults": ["fstab-missing-device"]}) as process:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        process.kill()
    deadline = time.monotonic() + 60
    while (result := module("disk_repair", devices=[disk.device], faults=["fstab-missing-device"])).get("msg"):
        assert result["error"]["retryable"], result["msg"]  # a child of the killed run may hold on for a moment
        assert time.monotonic() < deadline
    assert FIXED in disk.fstab()


#: runs the module, and kills it in the middle of the call of this name and number
KILLED = """
import os, runpy, signal
name, number = os.environ["KILL_AT"].split(":")
left, real = [int(number)], getattr(os, name)

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def cut(*given, **more):
    left[0] -= 1
    if left[0] == 0 and name == "pwrite":
        real(given[0], given[1][: len(given[1]) // 2], *given[2:])
    if left[0] == 0:
        die()
    return real(*given, **more)

setattr(os, name, cut)
runpy.run_module(os.environ["MODULE"], run_name="__main__")
"""


def killed(where: str, **arguments: t.Any) -> None:
    """Run disk_repair until it kills itself there."""
    env = {**os.environ, "KILL_AT": where}
    with modules.start("disk_repair", arguments, program=KILLED, env=env) as process:
        said, _error = process.communicate(timeout=120)
        assert process.returncode == -9, f"it did not come to that call: {said}"


# The manifest on the patient and the content that is kept there, the file itself, the manifest as it ended.
@pytest.mark.parametrize("where", ["rename:1", "rename:2", "rename:3", "rename:4"])
@pytest.mark.parametrize("same_rescue_system", [True, False])
def test_killed_between_any_two_steps(disk: Disk, store: pathlib.Path, where: str, same_rescue_system: bool) -> None:
    before, known = files(disk), set(store.glob("*"))
    given = {"devices": [disk.device], "faults": ["fstab-missing-device"]}
    killed(where, **given)
    for bundle in set(store.glob("*")) - known if not same_rescue_system else ():
        shutil.rmtree(bundle)
    done = module("disk_repair", **given)
    assert "msg" not in done, done
    assert FIXED in disk.fstab()
    assert not [name for name in files(disk) if ".openrescue-" in name]
    listed = module("disk_repair", devices=[disk.device], state="listed")["bundles"]
    assert {item["state"] for item in listed} <= {"kept", "reverted"}, listed
    for item in reversed(listed):
        if item["state"] == "kept":
            module("disk_repair", devices=[disk.device], state="reverted", undo=item["id"])
    assert files(disk) == before


def test_killed_while_blocks_are_written_and_put_back(disk: Disk, store: pathlib.Path) -> None:
    with open(disk.boot, "r+b") as file:
        file.seek(1024)
        file.write(bytes(1024))
    before = sha256(disk.image)
    given = {"devices": [disk.device], "faults": ["filesystem-superblock"]}
    killed("pwrite:1", **given)
    assert sha256(disk.image) != before, "a block is half written"
    (listed,) = [
        item
        for item in module("disk_repair", devices=[disk.device], state="listed")["bundles"]
        if item["state"] == "unfinished"
    ]
    assert listed["faults"] == ["filesystem-superblock"]
    assert any(listed["id"] in note for note in module("disk_diagnose", devices=[disk.device])["patient"]["notes"])
    tried = module("disk_repair", check=True, **given)
    assert "would be brought to its end" in tried["recovered"][0]["done"][0]
    done = module("disk_repair", **given)
    assert [item["undo"] for item in done["recovered"]] == [listed["id"]], done
    assert run("blkid", "-p", "-o", "value", "-s", "UUID", disk.boot).strip() == BOOT_UUID
    killed("pwrite:1", devices=[disk.device], state="reverted", undo=listed["id"])
    assert sha256(disk.image) != before
    again = module("disk_repair", devices=[disk.device], faults=["space-inodes"])
    assert [item["undo"] for item in again["recovered"]] == [listed["id"]], again
    assert sha256(disk.image) == before


def test_a_stop_is_heeded_between_steps_and_leaves_all_in_order(disk: Disk) -> None:
    """Whenever it comes: nothing is half done, and the next run ends what this one has begun."""
    before = disk.fstab()
    with modules.start("disk_repair", {"devices": [disk.device], "faults": ["fstab-missing-device"]}) as process:
        time.sleep(0.7)  # it heeds signals as soon as it has begun; before, it is no more than an interpreter
        process.terminate()
        out, _err = process.communicate(timeout=120)
    if process.returncode == 1:
        assert "asked to stop by SIGTERM" in out, out
    assert disk.fstab() == before or FIXED in disk.fstab()
    assert not [name for name in files(disk) if ".openrescue-" in name]
    assert "msg" not in module("disk_repair", devices=[disk.device], faults=["fstab-missing-device"])
    assert FIXED in disk.fstab()


def test_a_second_run_waits_for_the_first(disk: Disk) -> None:
    with modules.start("disk_repair", {"devices": [disk.device], "faults": ["fstab-missing-device"]}) as process:
        while '"action"' not in pathlib.Path("/run/openrescue/lock").read_text():
            time.sleep(0.01)
        busy = module("disk_mount", state="unmounted")
        waited = module("disk_mount", state="unmounted", lock_timeout=120)
        process.communicate()
    assert busy["error"]["code"] == "busy"
    assert f"disk_repair, state repaired, process {process.pid}, since 20" in busy["msg"]
    assert waited["changed"] is False
