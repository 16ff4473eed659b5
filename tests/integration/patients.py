# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Patients of the lab's layouts: plugged into one running rescue system, judged, broken, repaired, put back."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import typing as t

import pytest
from openrescue_lab import layout_build
from openrescue_lab.base import LabError
from openrescue_lab.disk import sha256
from openrescue_lab.layout import Layout, load
from openrescue_lab.rescue_guest import RescueGuest

SERIOUS = ("critical", "error", "warning")
#: what of a patient may not be active or mounted once a module has ended, and which disks may not be read-only
LEFT = """
dmsetup ls | grep -vx 'No devices found'
losetup --all
ls /run/openrescue | grep -vx lock
ls /dev/mapper | grep -vx control
grep '^md' /proc/mdstat
grep -E 'openrescue|/mnt/patient' /proc/mounts
grep -l 1 /sys/block/vd[b-z]/ro
true
"""
#: what of a tree a revert must bring back to the byte, owners, modes and times included
STATE = """
(
cd /mnt
find etc boot efi -type f -printf '%p %m %U %G %s %T@\\n' 2>/dev/null | sort
find etc boot efi -type f -print0 2>/dev/null | sort -z | xargs -0 sha256sum
ls -ln --time-style=+%s var/cache/apt/archives
)
"""


@dataclasses.dataclass(frozen=True)
class Family:
    """A way to break any tree below /mnt, of a layout with an ext file system on $EXT or with any other."""

    fault: str
    script: str
    #: on the mounted tree, or on the device while nothing is mounted
    mounted: bool = True
    #: shows what is, once repaired, as it was before the breakage
    same: str = ""


#: in an order in which a patient can be broken by all of them
FAMILIES = {
    "filesystem": Family(
        "filesystem-corrupt",
        # A block of inodes is garbage, which nobody misses, and the kernel has noted an error: the check at boot asks,
        # and so stops. What that check puts right by itself is no damage.
        "mount $EXT /mnt; mkdir /mnt/lost; for file in $(seq 64); do : > /mnt/lost/$file; done\n"
        "inode=$(stat -c %i /mnt/lost/32); umount /mnt\n"
        "block=$(debugfs -R \"imap <$inode>\" $EXT 2>/dev/null | sed -n 's/.*located at block \\([0-9]*\\),.*/\\1/p')\n"
        "size=$(dumpe2fs -h $EXT 2>/dev/null | sed -n 's/^Block size: *//p')\n"
        "tr '\\0' Z < /dev/zero | dd of=$EXT bs=$size seek=$block count=1 iflag=fullblock conv=fsync status=none\n"
        "debugfs -w -R 'set_super_value state 2' $EXT",
        mounted=False,
    ),
    "fstab": Family(
        "fstab-missing-device",
        "echo 'UUID=11111111-1111-4111-8111-11111111bad1 /srv ext4 defaults 0 2' >> /mnt/etc/fstab",
    ),
    "initramfs": Family(
        "initramfs-truncated",
        "find /mnt/boot -name 'initrd.img-*' | while read -r image; do\n"
        '    truncate -s $(($(stat -c %s "$image") * 2 / 3)) "$image"\ndone\n'
        # As Debian's installer writes it; the layout has the word since its initramfs was built without the container.
        "[ ! -e /mnt/etc/crypttab ] || sed -i s/,initramfs// /mnt/etc/crypttab",
    ),
    "grub": Family(
        "grub-config-empty",
        "test -s /mnt/boot/grub/grub.cfg; : > /mnt/boot/grub/grub.cfg",
        same="grep -E '^[[:space:]]*(linux|initrd)[[:space:]]' /mnt/boot/grub/grub.cfg",
    ),
    "space": Family(
        "space-full",
        "mkdir -p /mnt/var/cache/apt/archives; cd /mnt/var/cache/apt/archives; number=0\n"
        "while dd if=/dev/zero of=linux-image-${number}_1.0_amd64.deb bs=1M count=32 status=none 2>/dev/null; do\n"
        "    number=$((number + 1))\ndone\n"
        "dd if=/dev/zero of=linux-image-x_1.0_amd64.deb bs=4k count=8192 status=none 2>/dev/null || true; cd /",
    ),
}

#: the shell function that made a layout bootable -> how a right chain begins
LOADERS = {"grub_bios": "BIOS: GRUB", "grub_efi": "UEFI: ", "extlinux": "BIOS: extlinux", "none": "UEFI: "}
LINKS = ("loader", "entry", "kernel", "initramfs", "modules", "root", "init")
FIX = "written by the user's own task"

#: layout -> the device in it with an ext file system that can be broken, once the layout is open
EXT = {
    "mbr": "${D1}1",
    "lvm": "${D1}2",
    "raid1": "/dev/md0",
    "efi": "${D1}3",
    "usr_var": "${D1}4",
    "lvm_disk": "${D1}2",
    "luks": "/dev/mapper/root_crypt",
    "btrfs_disks": "${D1}2",
    "bare": "$D1",
}


class Patient:
    """A layout's disks, copied and plugged in."""

    def __init__(self, system: RescueGuest, layout: Layout, disks: list[pathlib.Path]) -> None:
        self.system, self.layout, self.disks = system, layout, disks
        self.devices = system.plug(*disks)
        self.whole: dict[str, str] = {}

    @property
    def places(self) -> list[str]:
        """Where a user writes: next to the system's settings, next to its kernels, and on its EFI partition."""
        lines = [line.split() for line in self.layout.fstab.splitlines()]
        return ["/etc", "/boot", *(words[1] for words in lines if words[2:3] == ["vfat"])]

    def module(self, name: str, **arguments: t.Any) -> dict[str, t.Any]:
        """What a module of the collection says; it has the layout's passphrase unless told otherwise."""
        passphrases = [self.layout.passphrase] if self.layout.passphrase else []
        return self.system.module(name, **{"luks_passphrases": passphrases, **arguments})

    def diagnose(self, **arguments: t.Any) -> dict[str, t.Any]:
        """What the diagnosis says; it changes no byte and leaves nothing active."""
        before = self.hashes()
        found = self.module("disk_diagnose", **arguments)
        assert self.hashes() == before, "a diagnosis changes no bit"
        assert self.left() == "", "a diagnosis leaves nothing active"
        return found

    def hashes(self) -> list[str]:
        self.system.shell("sync; for disk in " + " ".join(self.devices) + "; do blockdev --flushbufs $disk; done")
        return [sha256(disk) for disk in self.disks]

    def left(self) -> str:
        return "\n".join(line for line in self.system.shell(LEFT).splitlines() if line)

    def inside(self, *steps: str) -> str:
        """What these steps say, run on the mounted tree without any module of ours."""
        return layout_build.run_private(self.system, layout_build.inside(self.layout, self.devices, *steps))

    def unmounted(self, script: str) -> str:
        """What a script says of $EXT, with the layout open and nothing of it mounted."""
        steps = (self.layout.open, f"EXT={EXT[self.layout.name]}", script, "mount -t tmpfs none /mnt")
        return layout_build.run_private(self.system, layout_build.shell(self.layout, self.devices, *steps))

    def state(self, family: Family) -> str:
        """Every byte of what the family's remedy may change."""
        return self.inside(STATE) if family.mounted else self.unmounted("sha256sum $EXT")

    def same(self, family: Family) -> str:
        """What the family's remedy brings back as it was."""
        return self.inside(family.same) if family.same else ""

    def break_by(self, family: Family) -> None:
        self.whole[family.fault] = self.same(family)
        (self.inside if family.mounted else self.unmounted)(family.script)

    def unplug(self) -> None:
        self.system.unplug()
        for disk in self.disks:
            disk.unlink()


def serious(result: dict[str, t.Any]) -> list[tuple[str, str]]:
    """The faults that a user would be told to act on, each with what is said of it."""
    assert "findings" in result, result
    return [(item["fault"], item["summary"]) for item in result["findings"] if item["severity"] in SERIOUS]


def chosen(request: pytest.FixtureRequest) -> list[str]:
    """The layouts that the tests of this run need."""
    calls = [item.callspec for item in request.session.items if hasattr(item, "callspec")]
    return sorted({str(call.params["name"]) for call in calls if "name" in call.params})


def build(names: t.Iterable[str]) -> dict[str, list[pathlib.Path] | LabError]:
    """The disks of these layouts, or why there are none: one that cannot be built is its own test's failure."""
    built: dict[str, list[pathlib.Path] | LabError] = {}
    with layout_build.builder() as builder:
        for name in names:
            try:
                built[name] = layout_build.disks_of(load(name), builder)
            except LabError as error:
                built[name] = error
    return built


@contextlib.contextmanager
def plugged(
    system: RescueGuest, name: str, built: dict[str, list[pathlib.Path] | LabError], directory: pathlib.Path
) -> t.Iterator[Patient]:
    """A patient that may be broken."""
    disks = built[name]
    if isinstance(disks, LabError):
        raise disks
    patient = Patient(system, load(name), layout_build.copies(disks, directory))
    try:
        yield patient
    finally:
        patient.unplug()


def see_healthy(patient: Patient) -> None:
    """Nothing is reported of a healthy patient, and nothing of it changes."""
    found = patient.diagnose()
    assert serious(found) == []
    unshown = patient.layout.unshown
    chain = {item["link"]: item for item in found["chain"]}
    assert [link for link in LINKS if chain.get(link, {}).get("status") != "ok"] == list(unshown), found
    assert found["verdict"] == ("unknown" if unshown else "bootable"), found
    if patient.layout.boots:
        assert chain["loader"]["evidence"].startswith(LOADERS[patient.layout.loader]), chain


def see_dead(patient: Patient) -> None:
    """Without the kernel that its loader starts it certainly does not boot, and no remedy is known."""
    patient.inside("find /mnt/boot -type f -name 'vmlinuz-*' -delete; find /mnt/boot -type f -name linux -delete")
    found = patient.diagnose()
    assert serious(found) == [], found
    assert [item["link"] for item in found["chain"] if item["status"] == "broken"] == ["kernel"], found["chain"]
    assert found["verdict"] == "unbootable", found


def see_locked(patient: Patient) -> None:
    """Without its passphrase nothing is reported of it, nothing is repaired, and what is not known is said."""
    found = patient.diagnose(luks_passphrases=[])
    assert found["findings"] == [], found
    assert found["verdict"] == "unknown", found
    assert "is locked" in str(found), found
    before = patient.hashes()
    done = patient.module("disk_repair", faults=["fstab-missing-device"], luks_passphrases=[])
    assert not done.get("changed") and not done.get("applied"), done
    assert patient.hashes() == before
    assert patient.left() == ""


def see_written(patient: Patient) -> None:
    """What a user writes by disk_mount's leave is on the disk, and nothing of the patient is left active."""
    mounted = patient.module("disk_mount", state="mounted", read_only=False)
    assert not mounted.get("failed"), mounted
    for place in patient.places:
        patient.system.shell(f'printf %s "{FIX}" > /mnt/patient{place}/fixed')
    assert patient.module("disk_mount", state="unmounted")["changed"]
    assert patient.left() == ""


def see_repaired(patient: Patient, *families: Family) -> dict[str, t.Any]:
    """What is broken is found and repaired, nothing else is found before, and nothing after."""
    broken = sorted(family.fault for family in families)
    found = patient.diagnose()
    assert sorted(fault for fault, _ in serious(found)) == broken, serious(found)
    done = patient.module("disk_repair", findings=found["findings"], timeout=1500)
    assert sorted(item["fault"] for item in done.get("applied", [])) == broken, done
    assert patient.left() == ""
    for family in families:
        assert patient.same(family) == patient.whole[family.fault]
    see_healthy(patient)
    return done


def see_reverted(patient: Patient, family: Family, *, undo: str, broken: str) -> None:
    """Taken back to the byte; `broken` is the state of before the repair."""
    reverted = patient.module("disk_repair", state="reverted", undo=undo)
    assert reverted["changed"], reverted
    assert patient.left() == ""
    assert patient.state(family) == broken
