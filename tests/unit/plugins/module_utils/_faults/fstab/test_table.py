# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole fstabs, judged by all faults of the family together, and what their remedies write."""

from __future__ import annotations

import dataclasses
import time

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._faults.engine.diagnose import detect
from ansible_collections.openrescue.server.plugins.module_utils._faults.fstab.fstab_duplicate_mount_point import (
    FSTAB_DUPLICATE_MOUNT_POINT,
    judge_duplicates,
)
from ansible_collections.openrescue.server.plugins.module_utils._faults.fstab.fstab_missing_device import (
    FSTAB_MISSING_DEVICE,
    judge_missing,
)
from ansible_collections.openrescue.server.plugins.module_utils._faults.fstab.fstab_syntax import (
    FSTAB_SYNTAX,
    judge_syntax,
)
from ansible_collections.openrescue.server.plugins.module_utils._faults.fstab.fstab_wrong_type import (
    FSTAB_WRONG_TYPE,
    judge_types,
)
from ansible_collections.openrescue.server.plugins.module_utils._faults.fstab.shared.table import Problem, Table
from ansible_collections.openrescue.server.plugins.module_utils._faults.model import Fault, Finding
from ansible_collections.openrescue.server.plugins.module_utils._formats.crypttab import parse_crypttab
from ansible_collections.openrescue.server.plugins.module_utils._formats.fstab import read_lines
from ansible_collections.openrescue.server.plugins.module_utils._patient.opening import View
from ansible_collections.openrescue.server.plugins.module_utils._patient.patient import Filesystem, Found
from ansible_collections.openrescue.server.plugins.module_utils._patient.tools import Tools
from ansible_collections.openrescue.server.plugins.module_utils._time import TimeBudget

from ..fakes import BOOT, ROOT, FakeChange, FakePatient

SWAP = Filesystem("/dev/vdb4", "/dev/vdb4", "swap", uuid="5a5a5a5a-0000-4000-8000-000000000003")
ESP = Filesystem("/dev/vdb1", "/dev/vdb1", "vfat", uuid="AB12-CD34", mount_point="/boot/efi", partuuid="aaaa-01")
XFS = Filesystem("/dev/vdb5", "/dev/vdb5", "xfs", uuid="f5f5f5f5-0000-4000-8000-000000000004", label="data")
ALL = (ESP, dataclasses.replace(BOOT, mount_point=None), ROOT, SWAP, XFS)

R, B, S, X = (f"UUID={item.uuid}" for item in (ROOT, BOOT, SWAP, XFS))
GONE = "UUID=deadbeef-0000-4000-8000-00000000b007"
DEBIAN = f"{R} / ext4 errors=remount-ro 0 1\n"


JUDGES = {
    "fstab-syntax": judge_syntax,
    "fstab-duplicate-mount-point": judge_duplicates,
    "fstab-missing-device": judge_missing,
    "fstab-wrong-type": judge_types,
}


def judged(
    text: str,
    *,
    last_mounted: dict[str, str] | None = None,
    mounted: dict[str, Filesystem] | None = None,
    unknown: str = "",
    crypttab: str = "",
) -> list[tuple[str, Problem]]:
    """All problems of a file, with the fault that tells of each."""
    known = {f"UUID={item.uuid}": item for item in ALL} | {"LABEL=data": XFS, "PARTUUID=aaaa-01": ESP}
    known |= {item.device.replace("vdb", "vda"): item for item in ALL}
    known |= {"/dev/mapper/rhel-root": XFS, "/dev/mapper/deb--vg-root": ROOT}
    known |= {f"/dev/mapper/{name}": SWAP for name in ("rhel-swap", "deb--vg-swap_1")}

    def find(spec: str) -> Found:
        found = known.get(spec.replace('"', ""))
        return Found(found, "" if found else unknown)

    table = Table(
        entries=read_lines(text),
        find=find,
        all=ALL,
        root=ROOT,
        mounted=mounted if mounted is not None else {"/": ROOT},
        last_mounted=lambda item: (last_mounted or {}).get(item.device, ""),
        crypttab=tuple(parse_crypttab(crypttab)),
    )
    return [(kind, problem) for kind, judge in JUDGES.items() for problem in table.once(judge)]


HEALTHY = {
    "debian": f"""# /etc/fstab: static file system information.
#
# <file system> <mount point>   <type>  <options>       <dump>  <pass>
{R} /               ext4    errors=remount-ro 0       1
# /boot was on /dev/vda2 during installation
{B} /boot           ext4    defaults        0       2
UUID=AB12-CD34  /boot/efi       vfat    umask=0077      0       1
{S} none            swap    sw              0       0
/dev/sr0        /media/cdrom0   udf,iso9660 user,noauto     0       0
""",
    "debian cloud": "PARTUUID=aaaa-01 /boot/efi vfat defaults 0 0\n"
    f"{R} / ext4 rw,discard,errors=remount-ro,x-systemd.growfs 0 1\n",
    "ubuntu cloud": f"{R}\t/\t ext4\tdiscard,commit=30,errors=remount-ro\t0 1\n"
    "UUID=AB12-CD34\t/boot/efi\tvfat\tumask=0077\t0 1\n",
    "ubuntu curtin": "/dev/disk/by-uuid/x / ext4 defaults 0 1\n/swap.img\tnone\tswap\tsw\t0\t0\n".replace(
        "/dev/disk/by-uuid/x", R
    ),
    "fedora": f"{R} /                       btrfs   subvol=root,compress=zstd:1 0 0\n{B} /boot ext4 defaults 1 2\n"
    f"UUID=AB12-CD34 /boot/efi vfat umask=0077,shortname=winnt 0 2\n"
    f"{R} /home btrfs subvol=home,compress=zstd:1 0 0\n".replace("btrfs ", "ext4 "),
    "alma": f"{R} /                       ext4     defaults        0 0\n{X} /data xfs defaults 0 0\n",
    "crlf": f"{R} / ext4 defaults 0 1\r\n{B} /boot ext4 defaults 0 2\r\n\r\n# end\r\n",
    "four fields": f"{R} / ext4 defaults\n{B} /boot ext4\n",
    "quotes": f'UUID="{ROOT.uuid}" / ext4 defaults 0 1\nLABEL="data" /data xfs defaults 0 0\n',
    "network": "fs.example.org:/srv /srv nfs defaults 0 0\n//nas/share /mnt/share cifs credentials=/root/c 0 0\n"
    f"{GONE} /iscsi ext4 _netdev 0 0\nuser@host:/x /x fuse.sshfs defaults 0 0\nceph-host:/ /ceph ceph name=a 0 0\n",
    "pseudo": "proc /proc proc defaults 0 0\ntmpfs /tmp tmpfs size=1G 0 0\n"
    "/srv /export none bind 0 0\nnone /cg cgroup2 rw\n",
    "not waited for": f"{GONE} /a ext4 nofail 0 2\n{GONE} /b ext4 noauto 0 2\n{GONE} /c xfs x-systemd.automount 0 0\n"
    f"{GONE} none swap sw,nofail 0 0\n{GONE} /d ext4 x-systemd.wanted-by=x.service 0 0\n",
    "escapes": f"{X} /mnt/my\\040data xfs defaults,x-systemd.device-timeout=5,x-systemd.mount-timeout=10 0 0\n",
    "names by bus": "/dev/disk/by-path/pci-0000:00:04.0 /p ext4 defaults 0 2\n"
    "/dev/disk/by-id/scsi-0X /i ext4 defaults 0 2\n",
    "kernel name": "/dev/vda3 / ext4 defaults 0 1\n/dev/vda2 /boot ext4 defaults 0 2\n",
    "trailing comment": f"{R} / ext4 defaults 0 1 # the root\n",
    "btrfs thrice": f"{X} /a xfs defaults 0 0\n{X} /b xfs defaults 0 0\n",
    "unconfigured": "# UNCONFIGURED FSTAB FOR BASE SYSTEM\n",
    "anaconda on lvm": "/dev/mapper/rhel-root   /                       xfs     defaults        0 0\n"
    "UUID=AB12-CD34          /boot/efi               vfat    umask=0077,shortname=winnt 0 2\n"
    "/dev/mapper/rhel-swap   none                    swap    defaults        0 0\n",
    "debian-installer on lvm": "/dev/mapper/deb--vg-root /               ext4    errors=remount-ro 0       1\n"
    "/dev/mapper/deb--vg-swap_1 none            swap    sw              0       0\n",
    "ext3 as ext4": f"{B} /boot auto defaults 0 2\n",
}


@pytest.mark.parametrize("text", HEALTHY.values(), ids=HEALTHY)
def test_a_healthy_fstab_has_no_problem(text: str) -> None:
    assert [problem.summary for _kind, problem in judged(text)] == []


# what the second line is, fault, severity, what is left of the second line after the repair
BROKEN = [
    (f"{GONE} /data ext4 defaults 0 2", "fstab-missing-device", "critical", f"{GONE} /data ext4 defaults,nofail 0 2"),
    (f"{GONE} /data ext4", "fstab-missing-device", "critical", f"{GONE} /data ext4 defaults,nofail"),
    (f"{GONE}\t/boot   ext4  noatime\t0 2", "fstab-missing-device", "critical", f"{B}\t/boot   ext4  noatime\t0 2"),
    (f"{GONE} /data xfs defaults 0 0", "fstab-missing-device", "critical", f"{X} /data xfs defaults 0 0"),
    (
        "/dev/vdc1 /data ext4 defaults 0 2",
        "fstab-missing-device",
        "critical",
        "/dev/vdc1 /data ext4 defaults,nofail 0 2",
    ),
    ("LABEL=gone /data ext4 fail 0 2", "fstab-missing-device", "critical", "LABEL=gone /data ext4 nofail 0 2"),
    (
        "/dev/mapper/vg-gone /data ext4 ro 0 2",
        "fstab-missing-device",
        "critical",
        "/dev/mapper/vg-gone /data ext4 ro,nofail 0 2",
    ),
    (f"{GONE} none swap sw 0 0", "fstab-missing-device", "warning", f"{S} none swap sw 0 0"),
    (f"{B} /boot xfs defaults 0 2", "fstab-wrong-type", "critical", f"{B} /boot ext4 defaults 0 2"),
    (f"{X} /data ext4 errors=remount-ro 0 2", "fstab-wrong-type", "critical", f"{X} /data xfs defaults 0 2"),
    (f"{X} /data ext4 nofail 0 2", "fstab-wrong-type", "warning", f"{X} /data xfs nofail 0 2"),
    (f"{B} /boot ext2 defaults 0 2", "fstab-wrong-type", "critical", f"{B} /boot ext4 defaults 0 2"),
    (f"{B} /boot ext4 defualts 0 2", "fstab-syntax", "critical", f"{B} /boot ext4 defaults 0 2"),
    (f"{B} /boot ext4 noatime,nofial 0 2", "fstab-syntax", "critical", f"{B} /boot ext4 noatime,nofail 0 2"),
    (f"{B} /boot ext4 default 0 2", "fstab-syntax", "critical", f"{B} /boot ext4 defaults 0 2"),
    (f"{B}/boot ext4 defaults 0 2", "fstab-syntax", "error", f"{B} /boot ext4 defaults 0 2"),
    (f"{X} /my data xfs defaults 0 0", "fstab-syntax", "critical", f"{X} /my\\040data xfs defaults 0 0"),
    (f"{B} /boot ext4 defaults 0 two", "fstab-syntax", "warning", f"{B} /boot ext4 defaults 0 0"),
    (f"{B} /boot ext4 defaults # the boot", "fstab-syntax", "warning", f"{B} /boot ext4 defaults 0 0 # the boot"),
    (f"{B} boot ext4 defaults 0 2", "fstab-syntax", "error", None),
    ("rubbish", "fstab-syntax", "warning", None),
    (f"{X} /data", "fstab-syntax", "warning", f"{X} /data auto"),
    (f"{B}/usr ext4 defaults 0 2", "fstab-syntax", "critical", f"{B} /usr ext4 defaults 0 2"),
    ('LABEL="my data" /d xfs defaults 0 0', "fstab-syntax", "error", 'LABEL="my\\040data" /d xfs defaults 0 0'),
    (f"{B} / ext4 defaults 0 2", "fstab-duplicate-mount-point", "warning", None),
]


GLUED = [
    (f"{B}/boot ext4 defaults 0 2", True),
    ("/dev/vda2/boot ext4 defaults 0 2", True),
    ("/dev/mapper/rhel-root/boot xfs defaults 0 0", True),
    ("LABEL=data/data xfs defaults 0 0", True),
    ("/dev/mapper/rhel-gone none swap defaults 0 0", False),
    ("/dev/mapper/rhel-swap none swap defaults 0 0", False),
    (f"{GONE}/boot ext4 defaults 0 2", False),
    ("/dev/vda2/boot none defaults 0 2", False),
]


@pytest.mark.parametrize(("line", "split"), GLUED, ids=[row[0] for row in GLUED])
def test_only_what_begins_with_a_device_of_the_patient_is_split(line: str, split: bool) -> None:
    assert any("written together" in one.summary for _kind, one in judged(f"{DEBIAN}{line}\n")) == split


@pytest.mark.parametrize(("line", "kind", "severity", "fixed"), BROKEN, ids=[row[0] for row in BROKEN])
def test_a_broken_line(line: str, kind: str, severity: str, fixed: str | None) -> None:
    known = {BOOT.device: "/boot", XFS.device: "/data"}
    problems = judged(f"{DEBIAN}{line}\n", last_mounted=known)
    assert [(found, one.severity, one.lines, one.new_line) for found, one in problems] == [
        (kind, severity, (2,), fixed)
    ]


def only(text: str, **known: object) -> tuple[str, Problem]:
    (found,) = judged(text, **known)  # type: ignore[arg-type]
    return found


def test_the_root_line_gets_the_root_device() -> None:
    _kind, problem = only(f"{GONE} / ext4 errors=remount-ro 0 1\n")
    assert (problem.severity, problem.new_line) == ("critical", f"{R} / ext4 errors=remount-ro 0 1")


def test_a_root_line_that_cannot_be_read_is_written_anew_and_never_commented_out() -> None:
    assert only(f"{R} ext4\n")[1].new_line == f"{R} / ext4 defaults 0 1"


def test_a_second_root_line_that_cannot_be_read_is_not_written_anew() -> None:
    assert only(f"{DEBIAN}{R} ext4\n")[1].new_line is None


def test_what_is_mounted_by_content_belongs_there() -> None:
    _kind, problem = only(f"{DEBIAN}{GONE} /boot ext4 defaults 0 2\n", mounted={"/": ROOT, "/boot": BOOT})
    assert problem.new_line == f"{B} /boot ext4 defaults 0 2"


def test_a_device_that_another_line_uses_is_no_candidate() -> None:
    text = f"{DEBIAN}{X} /other xfs defaults 0 0\n{GONE} /data xfs defaults 0 0\n"
    _kind, problem = only(text, last_mounted={XFS.device: "/data"})
    assert problem.new_line == f"{GONE} /data xfs defaults,nofail 0 0"


def test_of_two_lines_the_one_with_a_device_stays() -> None:
    kind, problem = only(f"{DEBIAN}{GONE} /boot ext4 defaults 0 2\n{B} /boot ext4 defaults 0 2\n")
    assert (kind, problem.severity, problem.lines) == ("fstab-duplicate-mount-point", "critical", (2,))


@pytest.mark.parametrize(
    ("second", "certain"),
    [
        (f"{X} /data xfs noatime 0 0", True),
        (f"{B} /data ext4 defaults 0 0", False),  # which of the two is meant, nobody here knows
        (f"{X} /data xfs subvol=@b 0 0", False),
        (f"{GONE} /data xfs defaults 0 0", True),
        (f"{GONE} /data xfs nofail 0 0", False),  # disks that take turns
        ("/srv/a /data none bind 0 0", False),
    ],
)
def test_a_later_line_for_a_place_changes_nothing_at_boot(second: str, certain: bool) -> None:
    kind, problem = only(f"{DEBIAN}{X} /data xfs defaults 0 0\n{second}\n")
    assert (kind, problem.severity, problem.certain) == ("fstab-duplicate-mount-point", "warning", certain)


def test_disks_that_take_turns_at_a_place_are_left_as_they_are() -> None:
    kind, problem = only(f"{DEBIAN}{GONE} /mnt/a ext4 nofail 0 2\n{B} /mnt/a ext4 nofail 0 2\n")
    assert (kind, problem.severity, problem.certain) == ("fstab-duplicate-mount-point", "warning", False)


def test_a_line_is_not_commented_out_unasked_where_nobody_knows_what_was_meant() -> None:
    assert [problem.safe for _kind, problem in judged(f"{DEBIAN}{B} boot ext4 defaults 0 2\nrubbish\n")] == [False] * 2


def test_a_kernel_name_is_less_certain() -> None:
    assert not only(f"{DEBIAN}/dev/vdq1 /data ext4 defaults 0 2\n")[1].certain


# H5: what is not found here is not said to be nowhere.

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


# H6: only types that can be mounted are written.


@pytest.mark.parametrize(
    "fstype", ["crypto_LUKS", "swap", "swsuspend", "LVM2_member", "linux_raid_member", "zfs_member"]
)
def test_a_type_that_cannot_be_mounted_is_never_written(patient: FakePatient, fstype: str) -> None:
    patient.filesystems = (*patient.filesystems, dataclasses.replace(XFS, fstype=fstype))
    patient.put("/etc/fstab", f"{DEBIAN}{X} /data xfs defaults 0 0\n")
    found = [item for fault in FAULTS for item in fault.detect(patient)]
    assert [(item.fault, item.remedy, item.remedy_safe) for item in found] == [("fstab-wrong-type", None, False)]


def test_a_swap_area_with_a_hibernated_system_is_one(patient: FakePatient) -> None:
    patient.filesystems = (*patient.filesystems, dataclasses.replace(SWAP, fstype="swsuspend"))
    patient.put("/etc/fstab", f"{DEBIAN}{S} none swap sw 0 0\n")
    assert [item for fault in FAULTS for item in fault.detect(patient)] == []


def test_a_file_system_is_never_made_a_swap_area(patient: FakePatient) -> None:
    patient.filesystems = (*patient.filesystems, XFS)
    patient.put("/etc/fstab", f"{DEBIAN}{X} none swap sw 0 0\n")
    (found,) = FSTAB_WRONG_TYPE.detect(patient)
    assert (found.severity, found.remedy) == ("warning", None)


# H5: where nofail would let a service start on an empty directory, a person decides.

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


def test_the_right_device_is_named_without_asking(patient: FakePatient) -> None:
    patient.put("/etc/fstab", f"{DEBIAN}{GONE} /boot ext4 defaults 0 2\n")
    (found,) = FSTAB_MISSING_DEVICE.detect(patient)
    assert (found.remedy_safe, found.confidence) == (True, "high")
    patient.put("/etc/fstab", f"{DEBIAN}/dev/vdq1 /boot ext4 defaults 0 2\n")
    (found,) = FSTAB_MISSING_DEVICE.detect(patient)
    assert (found.remedy_safe, found.confidence) == (False, "medium")


def repair(fault: Fault, patient: FakePatient, finding: Finding, change: FakeChange) -> None:
    assert fault.repair is not None
    fault.repair(patient, finding, change)


FAULTS = (FSTAB_SYNTAX, FSTAB_DUPLICATE_MOUNT_POINT, FSTAB_MISSING_DEVICE, FSTAB_WRONG_TYPE)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_repair_changes_its_line_only_and_keeps_the_old_one(patient: FakePatient, end: str) -> None:
    before = ["# made by hand\xa0\udcff", f"{R}  /  ext4  defaults 0 1", f"{GONE} /boot  ext4 defaults 0 2", ""]
    patient.put("/etc/fstab", end.join(before).encode("utf-8", "surrogateescape"))
    (finding,) = FSTAB_MISSING_DEVICE.detect(patient)
    repair(FSTAB_MISSING_DEVICE, patient, finding, FakeChange(patient))
    after = patient.tree.read_bytes("/etc/fstab")
    assert after is not None
    assert after.decode("utf-8", "surrogateescape").split(end) == [
        *before[:2],
        f"# openrescue fstab-missing-device, was: {before[2]}",
        f"{B} /boot  ext4 defaults 0 2",
        "",
    ]
    assert [found for fault in FAULTS for found in fault.detect(patient)] == []


def test_a_finding_that_is_no_longer_there_changes_nothing(patient: FakePatient) -> None:
    patient.put("/etc/fstab", f"{GONE} /boot ext4 defaults 0 2\n")
    (finding,) = FSTAB_MISSING_DEVICE.detect(patient)
    patient.put("/etc/fstab", f"{B} /boot ext4 defaults 0 2\n")
    change = FakeChange(patient)
    repair(FSTAB_MISSING_DEVICE, patient, finding, change)
    assert change.done == []


def test_a_patient_without_fstab_has_no_finding(patient: FakePatient) -> None:
    assert [found for fault in FAULTS for found in fault.detect(patient)] == []


def test_evidence_is_printable(patient: FakePatient) -> None:
    patient.filesystems = (dataclasses.replace(ROOT),)
    patient.put("/etc/fstab", f"{GONE} /\x1b[31mdata ext4 defaults 0 2\n")
    (finding,) = FSTAB_MISSING_DEVICE.detect(patient)
    assert "\x1b" not in finding.summary + (finding.evidence[0].text or "")


# T11: a finding is all twins of a line, so that the first does not go without the second.


@pytest.mark.parametrize("line", [f"{GONE} none swap sw 0 0", f"{GONE} /d ext4 defualts 0 2", "rubbish"])
def test_identical_bad_lines_are_one_finding_and_go_together(patient: FakePatient, line: str) -> None:
    patient.put("/etc/fstab", f"{line}\n{DEBIAN}{line}\n")
    patient.filesystems = (*patient.filesystems, SWAP)
    fault = FSTAB_MISSING_DEVICE if "swap" in line else FSTAB_SYNTAX
    (found,) = fault.detect(patient)
    assert [item.line for item in found.evidence] == [1, 3]
    repair(fault, patient, found, FakeChange(patient))
    assert list(fault.detect(patient)) == []


def test_the_twin_of_a_mount_is_a_duplicate_and_both_go_one_by_one(patient: FakePatient) -> None:
    patient.put("/etc/fstab", f"{DEBIAN}{GONE} /boot ext4 defaults 0 2\n{GONE} /boot ext4 defaults 0 2\n")
    (duplicate,) = FSTAB_DUPLICATE_MOUNT_POINT.detect(patient)
    (missing,) = FSTAB_MISSING_DEVICE.detect(patient)
    assert ([item.line for item in duplicate.evidence], [item.line for item in missing.evidence]) == ([3], [2])
    for fault, finding in ((FSTAB_MISSING_DEVICE, missing), (FSTAB_DUPLICATE_MOUNT_POINT, duplicate)):
        repair(fault, patient, finding, FakeChange(patient))
        assert finding.key not in {item.key for item in fault.detect(patient)}


def test_keys_differ_where_long_lines_do(patient: FakePatient) -> None:
    line = f"{GONE} /boot/{'x' * 400}%s ext4 defaults 0 2\n"
    patient.put("/etc/fstab", DEBIAN + line % "a" + line % "b")
    one, other = FSTAB_MISSING_DEVICE.detect(patient)
    assert one.key != other.key


# No input makes a run endless or large.


@pytest.mark.parametrize(
    "text",
    [
        f"{GONE} /data ext4 defaults 0 2\n" * 100_000,
        f"{GONE} none swap sw 0 0\n" * 100_000,
        "rubbish\n" * 100_000,
        "".join(f"{GONE} /d{number} ext4 defaults 0 2\n" for number in range(100_000)),
        "".join(f"rubbish{number}\n" for number in range(100_000)),
        f"{R} / ext4 " + "defaults," * 400_000 + "\n",
        f"{R}/" + "/" * 4_000_000 + " ext4 defaults 0 0\n",
        "x " * 2_000_000,
        "\n" * 4_000_000,
        "a\n" * 2_000_000,
    ],
    ids=[
        "missing",
        "swap",
        "rubbish",
        "each missing",
        "each rubbish",
        "options",
        "slashes",
        "fields",
        "empty",
        "short",
    ],
)
def test_a_monstrous_fstab_is_judged_within_seconds(patient: FakePatient, text: str) -> None:
    patient.put("/etc/fstab", text)
    view = View(tools=Tools())
    view.patient = patient
    began = time.monotonic()
    for fault in FAULTS:
        found, _check = detect(fault, view, TimeBudget(seconds=600))
        assert len(found) <= 100
        assert sum(len(str(item)) for item in found) < 1_000_000
    assert time.monotonic() - began < 60


def test_a_line_of_thirty_megabytes_is_refused(patient: FakePatient) -> None:
    patient.put("/etc/fstab", "x" * 30_000_000)
    view = View(tools=Tools())
    view.patient = patient
    _found, check = detect(FSTAB_SYNTAX, view, TimeBudget(seconds=60))
    assert (check.status, "is larger than" in check.reason) == ("skipped", True)
