# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The disk modules where device-mapper is: in one running rescue system, with dirty journals and kills."""

from __future__ import annotations

import json
import pathlib
import subprocess
import time
import typing as t

import pytest
from openrescue_lab import breakage, guest
from openrescue_lab.disk import sha256
from openrescue_lab.rescue_guest import RescueGuest

#: kills a module in the middle of the call of this name and number
KILL = """
import os, signal

left, real = [{number}], os.{name}

def cut(*given, **more):
    left[0] -= 1
    if left[0] == 0:
        if "{name}" == "pwrite":
            real(given[0], given[1][: len(given[1]) // 2], *given[2:])
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*given, **more)

os.{name} = cut
"""
WRONG = "UUID=11111111-1111-4111-8111-11111111bad1 /srv ext4 defaults 0 2"
#: makes an operating system on $ROOT, with a journal that has to be replayed
FILL = f"""
mkfs.ext4 -q -L root $ROOT; mount $ROOT /mnt
mkdir -p /mnt/etc /mnt/usr/bin /mnt/boot /mnt/srv; echo ID=debian > /mnt/etc/os-release
printf 'LABEL=root / ext4 defaults 0 1\\n{WRONG}\\n' > /mnt/etc/fstab
sync; echo late > /mnt/late; sync /mnt/late
"""
LVM = f"""
set -e; pvcreate -q /dev/vdb; vgcreate -q own /dev/vdb; lvcreate -q -y -L 300M -n the-root own; ROOT=/dev/own/the-root
{FILL}
umount /mnt; vgchange -q -an own
"""
FSTAB = (
    "vgchange -q -ay own >&2; mount -r /dev/own/the-root /mnt; cat /mnt/etc/fstab; umount /mnt; vgchange -q -an own >&2"
)
LEFT = """
dmsetup ls; losetup --all; ls /run/openrescue | grep -vx lock; ls /dev/mapper | grep -vx control
grep md9 /proc/mdstat
grep -E 'openrescue|/mnt/patient' /proc/mounts; cat /sys/block/vdb/ro | grep 1; true
"""


class Plugged:
    """A disk in the running rescue system."""

    def __init__(self, system: RescueGuest, disk: pathlib.Path) -> None:
        self.system, self.disk = system, disk

    def shell(self, script: str) -> str:
        return self.system.domain.execute("/bin/sh", "-c", script, timeout=300)

    def module(self, name: str, **arguments: t.Any) -> dict[str, t.Any]:
        return self.system.module(name, **arguments)

    def killed(self, where: str, **arguments: t.Any) -> None:
        """Run disk_repair until it kills itself there."""
        name, number = where.split(":")
        assert self.system.said("disk_repair", arguments, before=KILL.format(name=name, number=number)) == ""

    def files(self) -> str:
        """The content of every file of the patient."""
        self.module("disk_mount", state="mounted")
        found = self.shell("cd /mnt/patient && find . -xdev -type f -print0 | sort -z | xargs -0 sha256sum")
        self.module("disk_mount", state="unmounted")
        return found

    def hash(self) -> str:
        self.shell("sync; blockdev --flushbufs /dev/vdb")
        return sha256(self.disk)

    def left(self) -> str:
        lines = self.shell(LEFT).splitlines()
        return "\n".join(line for line in lines if line and line != "No devices found")


@pytest.fixture
def empty(system: RescueGuest, tmp_path: pathlib.Path) -> t.Iterator[Plugged]:
    disk = tmp_path / "disk.raw"
    with disk.open("wb") as file:
        file.truncate(600 << 20)
    system.plug(disk)
    yield Plugged(system, disk)
    system.unplug()


@pytest.fixture
def debian(system: RescueGuest, tmp_path: pathlib.Path) -> t.Iterator[Plugged]:
    disk = guest.copy_of(guest.guest().disk, tmp_path / "disk.raw")
    system.plug(disk)
    yield Plugged(system, disk)
    system.unplug()


def test_a_dirty_journal_is_replayed_in_the_layer_only(debian: Plugged) -> None:
    """A journal that nobody closed: what it holds is seen, and the disk is not written."""
    debian.shell("mount /dev/vdb3 /mnt; echo late > /mnt/etc/late; sync /mnt/etc/late")
    # The disk as it is at this moment is what a crash leaves.
    crashed = debian.disk.with_name("crashed.raw")
    subprocess.run(["cp", "--sparse=always", debian.disk, crashed], check=True)
    debian.shell("umount /mnt")
    debian.system.unplug()
    crashed.rename(debian.disk)
    debian.system.plug(debian.disk)
    assert "needs_recovery" in debian.shell("dumpe2fs -h /dev/vdb3 2>&1")
    before = debian.hash()
    assert debian.module("disk_diagnose")["verdict"] == "bootable"
    debian.module("disk_mount", state="mounted")
    assert debian.shell("cat /mnt/patient/etc/late") == "late\n"
    debian.module("disk_mount", state="unmounted")
    assert debian.hash() == before
    assert debian.left() == ""


def test_killed_while_blocks_are_written_and_put_back(debian: Plugged) -> None:
    """The write is brought to its end by the next run, and then taken back to the byte."""
    debian.system.unplug()
    breakage.apply("filesystem-corrupt", debian.disk)
    debian.system.plug(debian.disk)
    before = debian.hash()
    given = {"faults": ["filesystem-corrupt"]}
    debian.killed("pwrite:2", **given)
    assert debian.hash() != before, "some blocks are written, and one is half"
    done = debian.module("disk_repair", **given)
    (recovered,) = done["recovered"]
    assert "were written to their end" in recovered["done"][0], done
    assert debian.module("disk_diagnose")["verdict"] == "bootable"
    debian.killed("pwrite:2", state="reverted", undo=recovered["undo"])
    again = debian.module("disk_repair", faults=["space-inodes"])
    assert [item["undo"] for item in again["recovered"]] == [recovered["undo"]], again
    assert "was put back to its end" in again["recovered"][0]["done"][0], again
    # The first of the two steps of e2fsck is still to be put back, as the killed run was asked to.
    assert debian.module("disk_repair", state="reverted", undo=recovered["undo"])["changed"]
    assert debian.hash() == before, (done, again)
    assert debian.left() == ""


@pytest.mark.parametrize(("where", "same_rescue_system"), [("rename:1", True), ("rename:3", False)])
def test_killed_while_a_file_is_written(empty: Plugged, where: str, same_rescue_system: bool) -> None:
    empty.shell(LVM)
    before = empty.files()
    empty.killed(where, faults=["fstab-missing-device"])
    if not same_rescue_system:
        empty.shell("rm -rf /var/lib/openrescue")
    done = empty.module("disk_repair", faults=["fstab-missing-device"])
    assert "msg" not in done, done
    assert WRONG not in [line.strip() for line in empty.shell(FSTAB).splitlines()]
    bundles = empty.module("disk_repair", state="listed")["bundles"]
    assert {item["state"] for item in bundles} <= {"kept", "reverted"}, bundles
    for item in reversed([item for item in bundles if item["state"] == "kept"]):
        assert empty.module("disk_repair", state="reverted", undo=item["id"])["changed"]
    assert empty.files() == before
    assert empty.left() == ""


#: At the call of this number to a method, in the module's process, the disk is taken away as by a host that lost it.
VANISH = """
import importlib, os
UTILS = "ansible_collections.openrescue.server.plugins.module_utils"
room, kind, name = "{where}".rsplit(".", 2)
kind = getattr(importlib.import_module(f"{{UTILS}}.{{room}}"), kind)
real, left = getattr(kind, name), [{number}]

def gone(self, *given, **more):
    left[0] -= 1
    if left[0] == 0:
        device = os.path.basename(os.path.realpath("/sys/block/vdb/device"))
        with open("/sys/bus/virtio/drivers/virtio_blk/unbind", "w") as file:
            file.write(device)
    return real(self, *given, **more)

setattr(kind, name, gone)
"""
#: where: before the layers, before the mount, in the middle of the checks, and before anything is written
MOMENTS = {
    "_patient.devices.stack.Stack.build": ("disk_diagnose", {}),
    "_patient.tree.mounts.Mounts.mount": ("disk_diagnose", {}),
    "_patient.patient.Patient.lookup": ("disk_diagnose", {}),
    "_patient.opening.View.make_writable": ("disk_repair", {"faults": ["fstab-missing-device"]}),
    "_patient.opening.View.mount": ("disk_mount", {"state": "mounted", "read_only": False}),
}


@pytest.mark.parametrize("where", MOMENTS)
def test_a_disk_that_vanishes_while_a_module_works(empty: Plugged, where: str) -> None:
    """One answer, in time; nothing stays active; and with the disk back, all goes on."""
    empty.shell(LVM)
    name, given = MOMENTS[where]
    began = time.monotonic()
    try:
        said = empty.system.said(name, given, before=VANISH.format(where=where, number=1))
        result = json.loads(said)
        assert time.monotonic() - began < 300
        assert not result.get("changed"), result
        assert "a disk went away while it was looked at: /dev/vdb" in result["msg"], result
        assert len(result["msg"]) < 1000, result["msg"]
        assert result.get("failed_findings") or result["error"]["code"] == "device_gone", result
    finally:
        empty.system.unplug()
        empty.system.plug(empty.disk)
    assert empty.left() == ""
    assert "fstab-missing-device" in [item["fault"] for item in empty.module("disk_diagnose")["findings"]]
