# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._faults.fstab.fstab import (
    FSTAB_DUPLICATE_MOUNT_POINT,
    FSTAB_MISSING_DEVICE,
    FSTAB_SYNTAX,
    FSTAB_WRONG_TYPE,
    Volumes,
    judge,
)
from ansible_collections.openrescue.server.plugins.module_utils._patient.patient import Filesystem

from .fakes import BOOT, ROOT, FakeChange, FakePatient

SWAP = Filesystem("/dev/vdb4", "/dev/vdb4", "swap", uuid="5a5a5a5a-0000-4000-8000-000000000003")
ESP = Filesystem("/dev/vdb1", "/dev/vdb1", "vfat", uuid="AB12-CD34", mount_point="/boot/efi", partuuid="aaaa-01")
XFS = Filesystem("/dev/vdb5", "/dev/vdb5", "xfs", uuid="f5f5f5f5-0000-4000-8000-000000000004", label="data")
ALL = (ESP, dataclasses.replace(BOOT, mount_point=None), ROOT, SWAP, XFS)

R, B, S, X = (f"UUID={item.uuid}" for item in (ROOT, BOOT, SWAP, XFS))
GONE = "UUID=deadbeef-0000-4000-8000-00000000b007"
DEBIAN = f"{R} / ext4 errors=remount-ro 0 1\n"


def volumes(*, last_mounted: dict[str, str] | None = None, mounted: dict[str, Filesystem] | None = None) -> Volumes:
    table = {f"UUID={item.uuid}": item for item in ALL} | {"LABEL=data": XFS, "PARTUUID=aaaa-01": ESP}
    table |= {item.device.replace("vdb", "vda"): item for item in ALL}
    table |= {"/dev/mapper/rhel-root": XFS, "/dev/mapper/deb--vg-root": ROOT}
    table |= {f"/dev/mapper/{name}": SWAP for name in ("rhel-swap", "deb--vg-swap_1")}
    return Volumes(
        find=lambda spec: table.get(spec.replace('"', "")),
        all=ALL,
        root=ROOT,
        mounted=mounted if mounted is not None else {"/": ROOT},
        last_mounted=lambda item: (last_mounted or {}).get(item.device, ""),
    )


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
    assert [problem.summary for problem in judge(text, volumes())] == []


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
    (f"{B}/boot ext4 defaults 0 2", "fstab-syntax", "critical", f"{B} /boot ext4 defaults 0 2"),
    (f"{X} /my data xfs defaults 0 0", "fstab-syntax", "critical", f"{X} /my\\040data xfs defaults 0 0"),
    (f"{B} /boot ext4 defaults 0 two", "fstab-syntax", "error", f"{B} /boot ext4 defaults 0 0"),
    (f"{B} /boot ext4 defaults # the boot", "fstab-syntax", "error", f"{B} /boot ext4 defaults 0 0 # the boot"),
    (f"{B} boot ext4 defaults 0 2", "fstab-syntax", "error", None),
    ("rubbish", "fstab-syntax", "error", None),
    (f"{B} / ext4 defaults 0 2", "fstab-duplicate-mount-point", "error", None),
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
    problems = judge(f"{DEBIAN}{line}\n", volumes())
    assert any("written together" in one.summary for one in problems) == split


@pytest.mark.parametrize(("line", "kind", "severity", "fixed"), BROKEN, ids=[row[0] for row in BROKEN])
def test_a_broken_line(line: str, kind: str, severity: str, fixed: str | None) -> None:
    known = volumes(last_mounted={BOOT.device: "/boot", XFS.device: "/data"})
    problems = judge(f"{DEBIAN}{line}\n", known)
    assert [(one.kind, one.severity, one.entry.number, one.new_line) for one in problems] == [
        (kind, severity, 2, fixed)
    ]


def test_the_root_line_gets_the_root_device() -> None:
    (problem,) = judge(f"{GONE} / ext4 errors=remount-ro 0 1\n", volumes())
    assert (problem.severity, problem.new_line) == ("critical", f"{R} / ext4 errors=remount-ro 0 1")


def test_a_root_line_that_cannot_be_read_is_written_anew_and_never_commented_out() -> None:
    (problem,) = judge(f"{R} ext4\n", volumes())
    assert problem.new_line == f"{R} / ext4 defaults 0 1"


def test_what_is_mounted_by_content_belongs_there() -> None:
    (problem,) = judge(f"{DEBIAN}{GONE} /boot ext4 defaults 0 2\n", volumes(mounted={"/": ROOT, "/boot": BOOT}))
    assert problem.new_line == f"{B} /boot ext4 defaults 0 2"


def test_a_device_that_another_line_uses_is_no_candidate() -> None:
    text = f"{DEBIAN}{X} /other xfs defaults 0 0\n{GONE} /data xfs defaults 0 0\n"
    (problem,) = judge(text, volumes(last_mounted={XFS.device: "/data"}))
    assert problem.new_line == f"{GONE} /data xfs defaults,nofail 0 0"


def test_of_two_lines_the_one_with_a_device_stays() -> None:
    (problem,) = judge(f"{DEBIAN}{GONE} /boot ext4 defaults 0 2\n{B} /boot ext4 defaults 0 2\n", volumes())
    assert (problem.kind, problem.severity, problem.entry.number) == ("fstab-duplicate-mount-point", "critical", 2)


def test_a_kernel_name_is_less_certain() -> None:
    (problem,) = judge(f"{DEBIAN}/dev/vdq1 /data ext4 defaults 0 2\n", volumes())
    assert not problem.certain


FAULTS = (FSTAB_SYNTAX, FSTAB_DUPLICATE_MOUNT_POINT, FSTAB_MISSING_DEVICE, FSTAB_WRONG_TYPE)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_repair_changes_its_line_only_and_keeps_the_old_one(patient: FakePatient, end: str) -> None:
    before = ["# made by hand\xa0\udcff", f"{R}  /  ext4  defaults 0 1", f"{GONE} /boot  ext4 defaults 0 2", ""]
    patient.put("/etc/fstab", end.join(before).encode("utf-8", "surrogateescape"))
    (finding,) = FSTAB_MISSING_DEVICE.detect(patient)
    FSTAB_MISSING_DEVICE.repair(patient, finding, FakeChange(patient))
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
    FSTAB_MISSING_DEVICE.repair(patient, finding, change)
    assert change.done == []


def test_a_patient_without_fstab_has_no_finding(patient: FakePatient) -> None:
    assert [found for fault in FAULTS for found in fault.detect(patient)] == []


def test_evidence_is_printable(patient: FakePatient) -> None:
    patient.filesystems = (dataclasses.replace(ROOT),)
    patient.put("/etc/fstab", f"{GONE} /\x1b[31mdata ext4 defaults 0 2\n")
    (finding,) = FSTAB_MISSING_DEVICE.detect(patient)
    assert "\x1b" not in finding.summary + (finding.evidence[0].text or "")
