# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Groups, arrays, containers and file systems over two disks: opened whole, and only what is written to is written."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import typing as t

import pytest
from openrescue_lab.disk import sha256
from openrescue_lab.rescue_guest import RescueGuest

PASSPHRASE = "correct horse"
WRONG = "UUID=11111111-1111-4111-8111-11111111bad1 /srv ext4 defaults 0 2"
#: an operating system on $ROOT, of which $DATA is mounted at /data
FILL = f"""
mount $ROOT /mnt
mkdir -p /mnt/etc /mnt/usr/bin /mnt/boot /mnt/srv /mnt/data /mnt/lib/modules/6.1.0-1-amd64/kernel
echo ID=debian > /mnt/etc/os-release
printf '%s / auto defaults 0 1\\n%s /data auto nofail 0 2\\n{WRONG}\\n' "$NAME" "${{DATA:-LABEL=none}}" > /mnt/etc/fstab
umount /mnt"""
#: a journal that a mount for writing would replay, and mark as replayed
DIRTY = "mkfs.ext4 -q -L data $DATA; debugfs -w -R 'feature needs_recovery' $DATA 2> /dev/null"
LUKS_FORMAT = (
    "printf %s '{0}' | cryptsetup luksFormat --batch-mode --pbkdf=pbkdf2 --pbkdf-force-iterations=1000 --key-file=- "
)
LUKS_OPEN = "printf %s '{0}' | cryptsetup open --key-file=- "
LEFT = """
dmsetup ls; losetup --all; ls /run/openrescue | grep -vx lock; ls /dev/mapper | grep -vx control
grep '^md' /proc/mdstat; grep -E 'openrescue|/mnt/patient' /proc/mounts; cat /sys/block/vd[bcd]/ro | grep 1; true
"""


@dataclasses.dataclass(frozen=True)
class Unit:
    """How the disks are made, and what is found on them.

    :param wake: makes it readable again for a look, as the server would; ``sleep`` is the way back.
    :param data: another device of the same unit, which nobody writes to.
    """

    make: str
    root: str
    wake: str
    sleep: str
    disks: int = 2
    data: str = ""
    sound: str = "true"


LVM_SLEEP = "vgchange -q -an own"
CRYPT = "cryptsetup close open"
UNITS = {
    "lvm": Unit(
        make="pvcreate -q /dev/vdb /dev/vdc; vgcreate -q own /dev/vdb /dev/vdc; "
        "lvcreate -q -y -L 300M -n the-root own /dev/vdb; lvcreate -q -y -L 100M -n data own; "
        f"lvcreate -q -y -L 100M -n other own; ROOT=/dev/own/the-root; mkfs.ext4 -q $ROOT; NAME=$ROOT; "
        f"DATA=/dev/own/other; {DIRTY}; DATA=/dev/own/data; {DIRTY}",
        root="/dev/mapper/own-the--root",
        wake="vgchange -q -ay own",
        sleep=LVM_SLEEP,
        data="/dev/own/data",
    ),
    "snapshot": Unit(
        make="pvcreate -q /dev/vdb; vgcreate -q own /dev/vdb; lvcreate -q -y -L 200M -n root own; ROOT=/dev/own/root; "
        "mkfs.ext4 -q -L root $ROOT; NAME=LABEL=root",
        root="/dev/mapper/own-root",
        wake="vgchange -q -ay own",
        sleep=LVM_SLEEP,
        disks=1,
    ),
    "raid": Unit(
        make="mdadm --create /dev/md5 --run --level=1 --raid-devices=2 --metadata=1.2 --assume-clean "
        "/dev/vdb /dev/vdc; ROOT=/dev/md5; mkfs.ext4 -q -L root $ROOT; NAME=LABEL=root",
        root="/dev/md900",
        wake="mdadm --assemble --readonly /dev/md5 /dev/vdb /dev/vdc",
        sleep="mdadm --stop /dev/md5",
        sound="cmp -n 300M -i 2M /dev/vdb /dev/vdc",
    ),
    "luks": Unit(
        make=LUKS_FORMAT.format(PASSPHRASE)
        + "/dev/vdb; "
        + LUKS_OPEN.format(PASSPHRASE)
        + "/dev/vdb open; ROOT=/dev/mapper/open; mkfs.ext4 -q -L root $ROOT; NAME=LABEL=root",
        root="/dev/mapper/luks-",
        wake=LUKS_OPEN.format(PASSPHRASE) + "/dev/vdb open",
        sleep=CRYPT,
        disks=1,
    ),
    "lvm on luks": Unit(
        make=LUKS_FORMAT.format(PASSPHRASE)
        + "/dev/vdb; "
        + LUKS_OPEN.format(PASSPHRASE)
        + "/dev/vdb open; pvcreate -q /dev/mapper/open; vgcreate -q own /dev/mapper/open; "
        "lvcreate -q -y -L 200M -n root own; lvcreate -q -y -L 100M -n data own; ROOT=/dev/own/root; "
        f"mkfs.ext4 -q -L root $ROOT; NAME=/dev/own/root; DATA=/dev/own/data; {DIRTY}",
        root="/dev/mapper/own-root",
        wake=LUKS_OPEN.format(PASSPHRASE) + "/dev/vdb open; vgchange -q -ay own",
        sleep=f"{LVM_SLEEP}; {CRYPT}",
        disks=1,
        data="/dev/own/data",
    ),
    "btrfs": Unit(
        make="mkfs.btrfs -q -L root -m raid1 -d raid1 /dev/vdb /dev/vdc; ROOT=/dev/vdb; NAME=LABEL=root",
        root="/dev/vdb",
        wake="btrfs device scan /dev/vdb /dev/vdc",
        sleep="btrfs device scan --forget",
        sound="mount -o device=/dev/vdb,device=/dev/vdc /dev/vdb /mnt; btrfs scrub start -B /mnt > /run/scrub; "
        "btrfs device stats --check /mnt > /run/stats; umount /mnt",
    ),
}


class Disks:
    """Disks in the running rescue system, with one of the units on them."""

    def __init__(self, system: RescueGuest, unit: Unit, folder: pathlib.Path) -> None:
        self.system, self.unit = system, unit
        self.files = [folder / f"disk{number}.raw" for number in range(unit.disks)]
        for path in self.files:
            with path.open("wb") as file:
                file.truncate(512 << 20)
        system.plug(*self.files)
        self.shell(f"set -e; {unit.make}{FILL}; {unit.sleep}")

    def shell(self, script: str) -> str:
        return self.system.shell(script)

    def module(self, name: str, **arguments: t.Any) -> dict[str, t.Any]:
        given = {"luks_passphrases": ["wrong", PASSPHRASE], **arguments}
        return self.system.module(name, **given)

    def hashes(self) -> list[str]:
        there = " ".join(f"/dev/{target}" for target in self.system.plugged())
        self.shell(f"sync; blockdev --flushbufs {there}")
        return [sha256(path) for path in self.files]

    def left(self) -> str:
        lines = self.shell(LEFT).splitlines()
        return "\n".join(line for line in lines if line and line != "No devices found")

    def look(self, script: str) -> str:
        """What a script says while the unit is open as its server opens it."""
        return self.shell(f"set -e; {self.unit.wake} > /dev/null; {script}; {self.unit.sleep} > /dev/null")

    def data(self) -> str:
        return self.look(f"sha256sum {self.unit.data}") if self.unit.data else ""


@contextlib.contextmanager
def plugged(system: RescueGuest, name: str, folder: pathlib.Path) -> t.Iterator[Disks]:
    try:
        yield Disks(system, UNITS[name], folder)
    finally:
        system.shell(f"umount -q /mnt; {UNITS[name].sleep}; true")
        system.unplug()


@pytest.mark.parametrize("name", UNITS)
def test_what_is_written_reaches_the_disk_and_nothing_else_is_written(
    system: RescueGuest, name: str, tmp_path: pathlib.Path
) -> None:
    with plugged(system, name, tmp_path) as disks:
        if name == "snapshot":
            disks.look("lvcreate -q -y -s -L 50M -n before own/root; sync")
        before, data = disks.hashes(), disks.data()
        found = disks.module("disk_diagnose")
        assert disks.left() == "", "a diagnosis leaves nothing active"
        assert (found["patient"]["root"] or "").startswith(disks.unit.root), found
        assert "fstab-missing-device" in [item["fault"] for item in found["findings"]], found
        assert disks.hashes() == before, "a diagnosis changes no bit"

        done = disks.module("disk_repair", faults=["fstab-missing-device"])
        assert not done.get("failed_findings"), done["failed_findings"]
        assert not [item["reason"] for item in done.get("skipped_findings", [])]
        assert [item["fault"] for item in done.get("applied", [])] == ["fstab-missing-device"], done
        assert disks.left() == ""
        assert disks.data() == data, "what is repaired is on another volume"
        disks.look(disks.unit.sound)

        mounted = disks.module("disk_mount", state="mounted", read_only=False)
        assert mounted.get("root", "").startswith(disks.unit.root), mounted
        disks.shell("echo by the user > /mnt/patient/etc/mine")
        assert disks.module("disk_mount", state="unmounted")["changed"]
        assert disks.left() == ""
        disks.look(disks.unit.sound)
        disks.module("disk_mount", state="mounted")
        assert disks.shell("cat /mnt/patient/etc/mine") == "by the user\n"
        assert f"\n{WRONG}" not in disks.shell("cat /mnt/patient/etc/fstab")
        assert disks.module("disk_mount", state="unmounted")["changed"]
        assert disks.left() == ""

        reverted = disks.module("disk_repair", state="reverted", undo=done["undo"])
        assert reverted["changed"], reverted
        assert disks.left() == ""


def test_half_a_mirror_is_read_and_never_written(system: RescueGuest, tmp_path: pathlib.Path) -> None:
    for name in ("raid", "btrfs"):
        folder = tmp_path / name
        folder.mkdir()
        with plugged(system, name, folder) as disks:
            before = disks.hashes()
            if name == "btrfs":
                assert disks.module("disk_diagnose", root="/dev/vdc")["patient"]["root"] == disks.unit.root
            system.unplug("vdc")
            found = disks.module("disk_diagnose")
            assert "lacks 1 of its 2" in str(found["patient"]["uncertain"]), found
            # Half a btrfs does not even mount.
            assert found["patient"]["root"] == (disks.unit.root if name == "raid" else None), found
            code = "not_written" if name == "raid" else "patient_incomplete"
            refused = disks.module("disk_mount", state="mounted", read_only=False)
            assert refused.get("error", {}).get("code") == code, refused
            assert disks.left() == ""
            assert disks.hashes() == before


def test_what_is_not_open_is_said_and_hides_no_fault_as_certain(system: RescueGuest, tmp_path: pathlib.Path) -> None:
    with plugged(system, "luks", tmp_path) as disks:
        before = disks.hashes()
        found = disks.module("disk_diagnose", luks_passphrases=["wrong"])
        assert found["verdict"] == "unknown"
        assert found["findings"] == []
        assert "/dev/vdb is locked (LUKS)" in found["message"], found
        refused = disks.module("disk_mount", state="mounted", luks_passphrases=[])
        assert refused["error"]["code"] == "patient_locked", refused
        shared = [{"target": "vda", "device": "/dev/vdb", "shared": True}]
        refused = disks.module("disk_mount", state="mounted", read_only=False, server_disks=shared)
        assert refused["error"]["code"] == "not_written", refused
        assert disks.left() == ""
        assert disks.hashes() == before


def test_a_group_without_one_of_its_disks(system: RescueGuest, tmp_path: pathlib.Path) -> None:
    """The root is whole, the volume on the other disk is not: nobody says that the server does not have it."""
    with plugged(system, "lvm", tmp_path) as disks:
        disks.look(
            "lvcreate -q -y -L 100M -n lost own /dev/vdc; mount /dev/own/the-root /mnt; "
            "echo /dev/own/lost /lost ext4 defaults 0 2 >> /mnt/etc/fstab; umount /mnt"
        )
        system.unplug("vdc")
        found = disks.module("disk_diagnose")
        assert found["patient"]["root"] == disks.unit.root, found
        assert "volume group own is incomplete" in str(found["patient"]["uncertain"]), found
        assert not [item for item in found["findings"] if item["remedy_safe"] and "lost" in str(item["evidence"])]
        mounted = disks.module("disk_mount", state="mounted", read_only=False)
        assert mounted.get("root") == disks.unit.root, mounted
        disks.shell("echo by the user > /mnt/patient/etc/mine")
        disks.module("disk_mount", state="unmounted")
        disks.module("disk_mount", state="mounted")
        assert disks.shell("cat /mnt/patient/etc/mine") == "by the user\n"
        disks.module("disk_mount", state="unmounted")
        assert disks.left() == ""


def test_a_killed_run_leaves_no_container_open(system: RescueGuest, tmp_path: pathlib.Path) -> None:
    with plugged(system, "lvm on luks", tmp_path) as disks:
        before = disks.hashes()
        disks.shell(
            f'echo \'{{"ANSIBLE_MODULE_ARGS": {{"luks_passphrases": ["{PASSPHRASE}"]}}}}\' > /run/arguments; '
            "python3 /run/openrescue-test.zip disk_diagnose < /run/arguments > /dev/null & killed=$!; "
            "for i in $(seq 600); do dmsetup ls | grep -q own-data && break; sleep 0.1; done; "
            "kill -9 $killed; wait; dmsetup ls | grep luks-"
        )
        assert "fstab-missing-device" in str(disks.module("disk_diagnose")["findings"])
        assert disks.left() == ""
        assert disks.hashes() == before
