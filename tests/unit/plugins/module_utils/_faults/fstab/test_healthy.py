# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole fstabs: nothing is found in a healthy one, and no monstrous one makes a run endless."""

from __future__ import annotations

import time

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._faults.engine.diagnose import detect
from ansible_collections.openrescue.server.plugins.module_utils._faults.fstab.fstab_syntax import FSTAB_SYNTAX
from ansible_collections.openrescue.server.plugins.module_utils._patient.opening import View
from ansible_collections.openrescue.server.plugins.module_utils._patient.tools import Tools
from ansible_collections.openrescue.server.plugins.module_utils._time import TimeBudget

from ..fakes import ROOT, FakePatient
from .lines import FAULTS, GONE, B, R, S, X, all_findings, judged

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


def test_a_patient_without_fstab_has_no_finding(patient: FakePatient) -> None:
    assert all_findings(patient) == []


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
