# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._faults.fstab.fstab_missing_device import (
    FSTAB_MISSING_DEVICE,
)

from ..fakes import BOOT, ROOT, FakePatient
from .lines import DEBIAN, GONE, XFS, B, R, S, X, judged, only, see_broken

# the line, severity, what is left of it after the repair
BROKEN = [
    (f"{GONE} /data ext4 defaults 0 2", "critical", f"{GONE} /data ext4 defaults,nofail 0 2"),
    (f"{GONE} /data ext4", "critical", f"{GONE} /data ext4 defaults,nofail"),
    (f"{GONE}\t/boot   ext4  noatime\t0 2", "critical", f"{B}\t/boot   ext4  noatime\t0 2"),
    (f"{GONE} /data xfs defaults 0 0", "critical", f"{X} /data xfs defaults 0 0"),
    (
        "/dev/vdc1 /data ext4 defaults 0 2",
        "critical",
        "/dev/vdc1 /data ext4 defaults,nofail 0 2",
    ),
    ("LABEL=gone /data ext4 fail 0 2", "critical", "LABEL=gone /data ext4 nofail 0 2"),
    (
        "/dev/mapper/vg-gone /data ext4 ro 0 2",
        "critical",
        "/dev/mapper/vg-gone /data ext4 ro,nofail 0 2",
    ),
    (f"{GONE} none swap sw 0 0", "warning", f"{S} none swap sw 0 0"),
]


@pytest.mark.parametrize(("line", "severity", "fixed"), BROKEN, ids=[row[0] for row in BROKEN])
def test_a_broken_line(line: str, severity: str, fixed: str | None) -> None:
    see_broken(line, "fstab-missing-device", severity, fixed)


def test_the_root_line_gets_the_root_device() -> None:
    _kind, problem = only(f"{GONE} / ext4 errors=remount-ro 0 1\n")
    assert (problem.severity, problem.new_line) == ("critical", f"{R} / ext4 errors=remount-ro 0 1")


def test_what_is_mounted_by_content_belongs_there() -> None:
    _kind, problem = only(f"{DEBIAN}{GONE} /boot ext4 defaults 0 2\n", mounted={"/": ROOT, "/boot": BOOT})
    assert problem.new_line == f"{B} /boot ext4 defaults 0 2"


def test_a_device_that_another_line_uses_is_no_candidate() -> None:
    text = f"{DEBIAN}{X} /other xfs defaults 0 0\n{GONE} /data xfs defaults 0 0\n"
    _kind, problem = only(text, last_mounted={XFS.device: "/data"})
    assert problem.new_line == f"{GONE} /data xfs defaults,nofail 0 0"


def test_a_kernel_name_is_less_certain() -> None:
    assert not only(f"{DEBIAN}/dev/vdq1 /data ext4 defaults 0 2\n")[1].certain


def test_the_right_device_is_named_without_asking(patient: FakePatient) -> None:
    patient.put("/etc/fstab", f"{DEBIAN}{GONE} /boot ext4 defaults 0 2\n")
    (found,) = FSTAB_MISSING_DEVICE.detect(patient)
    assert (found.remedy_safe, found.confidence) == (True, "high")
    patient.put("/etc/fstab", f"{DEBIAN}/dev/vdq1 /boot ext4 defaults 0 2\n")
    (found,) = FSTAB_MISSING_DEVICE.detect(patient)
    assert (found.remedy_safe, found.confidence) == (False, "medium")


# What is not found here is not said to be nowhere.

NOT_TOLD = [
    f"{GONE} /data ext4 defaults 0 2",
    "LABEL=gone /data ext4 defaults 0 2",
    "/dev/vdq1 /data ext4 defaults 0 2",
    "/dev/mapper/vg-gone /data ext4 ro 0 2",
    "/dev/vg/gone /var/lib/postgresql xfs defaults 0 0",
    "/dev/disk/by-uuid/dead /srv ext4 defaults 0 2",
]


@pytest.mark.parametrize("line", NOT_TOLD)
def test_where_a_container_is_unopened_a_missing_device_is_no_finding_to_act_on(line: str) -> None:
    kind, problem = only(f"{DEBIAN}{line}\n", unknown="/dev/vdb6 (LUKS) is locked", last_mounted={XFS.device: "/data"})
    assert (kind, problem.severity, problem.remedy) == ("fstab-missing-device", "info", "")
    assert "/dev/vdb6 (LUKS) is locked" in problem.summary


@pytest.mark.parametrize(
    "spec",
    [
        "/dev/md0",
        "/dev/md/data",
        "/dev/mapper/mpatha1",
        "/dev/mapper/36005076801810523700000000000002b-part1",
        "/dev/mapper/luks-6f5fc5d8",
        "/dev/mapper/sda3_crypt",
        "/dev/bcache0",
        "/dev/drbd0",
        "/dev/drbd/by-res/r0/0",
        "/dev/zvol/tank/a",
        "/dev/mmcblk0p1",
        "/dev/dasda1",
        "/dev/rbd/pool/image",
        "/dev/disk/by-path/virtio-pci-0000:00:07.0",
        "/dev/disk/by-id/scsi-0X",
        "/dev/cciss/c0d0p1",
    ],
)
def test_a_name_that_a_driver_gives_as_it_likes_is_not_judged(spec: str) -> None:
    assert judged(f"{DEBIAN}{spec} /data ext4 defaults 0 2\n") == []


@pytest.mark.parametrize(
    ("crypttab", "line", "severities"),
    [
        ("cryptswap1 /dev/vda9 /dev/urandom swap\n", "/dev/mapper/cryptswap1 none swap sw 0 0", []),
        ("vg-data UUID=1 none luks\n", "/dev/mapper/vg-data /data ext4 defaults 0 2", ["info"]),
        ("data UUID=1 /etc/key luks\n", f"{GONE} /data ext4 defaults 0 2", ["info"]),
        # An area for swap with a key of chance holds no file system that anybody looks for.
        ("cryptswap1 /dev/vda9 /dev/urandom swap\n", f"{GONE} /data ext4 defaults 0 2", ["critical"]),
    ],
)
def test_what_crypttab_opens_is_there_at_boot(crypttab: str, line: str, severities: list[str]) -> None:
    assert [one.severity for _kind, one in judged(f"{DEBIAN}{line}\n", crypttab=crypttab)] == severities


# Where nofail would let a service start on an empty directory, a person decides.

SAFE = {
    "/mnt/backup": True,
    "/media/usb": True,
    "/cdrom": True,
    "/var/lib/postgresql": False,
    "/var": False,
    "/srv": False,
    "/srv/data": False,
    "/home": False,
    "/opt": False,
    "/usr": False,
    "/data": False,
    "/mnt": False,
    "/mnt/used": False,
    "/boot/efi": False,
    "/boot": False,
}


@pytest.mark.parametrize("place", SAFE)
def test_where_a_server_may_start_without_a_mount(patient: FakePatient, place: str) -> None:
    patient.put("/etc/exports", "/mnt/used/share *(rw)\n")
    patient.put("/etc/updatedb.conf", 'PRUNEPATHS="/mnt/backup"\n')
    patient.put("/etc/fstab", f"{DEBIAN}{GONE} {place} ext4 defaults 0 2\n")
    patient.filesystems = (ROOT,)
    (found,) = FSTAB_MISSING_DEVICE.detect(patient)
    assert found.remedy == "add nofail, so that the boot goes on without it"
    assert found.remedy_safe == SAFE[place]
