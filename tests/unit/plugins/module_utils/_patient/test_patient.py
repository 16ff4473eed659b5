# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the patient's devices are named, and what a name of it means."""

from __future__ import annotations

import dataclasses
import pathlib

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._patient.devices.lookup import Surroundings
from ansible_collections.openrescue.server.plugins.module_utils._patient.patient import Filesystem, Patient
from ansible_collections.openrescue.server.plugins.module_utils._patient.tools import Tools
from ansible_collections.openrescue.server.plugins.module_utils._patient.tree.tree import Tree

ROOT = Filesystem(
    "/dev/vdb3", "/dev/dm-1", "ext4", uuid="AB-12", label="my root", partuuid="aa-03", partlabel="r", number=(0, 3)
)
DATA = Filesystem("/dev/mapper/vg-data", "/dev/dm-2", "xfs", uuid="xx", aliases=("/dev/vg/data",), number=(1, 0))


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ("UUID=ab-12", ROOT),
        ('UUID="AB-12"', ROOT),
        ("UUID=", None),
        ("UUID=none", None),
        ("LABEL=my root", ROOT),
        ("PARTUUID=AA-03", ROOT),
        ("PARTLABEL=r", ROOT),
        ("/dev/disk/by-uuid/AB-12", ROOT),
        ("/dev/disk/by-label/my\\x20root", ROOT),
        ("/dev/sda3", ROOT),
        ("/dev/xvda3", ROOT),
        ("/dev/nvme0n1p3", ROOT),
        ("/dev/sdb3", None),
        ("/dev/sdb", DATA),
        ("/dev/vg/data", DATA),
        ("/dev/mapper/vg-data", DATA),
        ("/dev/mapper/other", None),
        ("/dev/null", None),
        ("tmpfs", None),
        ("server:/export", None),
    ],
)
def test_a_name_is_looked_up_on_the_patient_only(spec: str, found: Filesystem | None) -> None:
    patient = Patient(tools=Tools())
    patient.filesystems = (ROOT, DATA)
    assert patient.find(spec) == found


@pytest.mark.parametrize(
    ("path", "device"),
    [
        ("/boot/there", "/dev/vdb2"),
        ("/boot/absent", "/dev/vdb2"),
        ("/linked/absent", "/dev/vdb2"),
        ("/boot", "/dev/vdb2"),
        ("/bootless", "/dev/vdb3"),
        ("/etc/none/absent", "/dev/vdb3"),
        ("/", "/dev/vdb3"),
    ],
)
def test_what_a_path_lies_on(tmp_path: pathlib.Path, path: str, device: str) -> None:
    (tmp_path / "boot").mkdir()
    (tmp_path / "boot/there").touch()
    (tmp_path / "linked").symlink_to("/boot")
    patient = Patient(tools=Tools())
    patient.opened_tree = Tree(str(tmp_path))
    patient.filesystems = (
        dataclasses.replace(ROOT, mount_point="/"),
        dataclasses.replace(ROOT, device="/dev/vdb2", mount_point="/boot"),
        DATA,
    )
    found = patient.covering(path)
    assert found is not None
    assert found.device == device


ARRAY = Filesystem("/dev/md900", "/dev/dm-4", "ext4", uuid="r1", unit="a" * 32, aliases=("/dev/md/0", "/dev/md0"))
CONTAINER = Filesystem("/dev/vdb2", "/dev/vdb2", "crypto_LUKS", uuid="l1", number=(0, 2))
OPEN = Filesystem("/dev/mapper/luks-l1", "/dev/dm-5", "ext4", uuid="o1")


@pytest.mark.parametrize(
    ("spec", "device"),
    [
        ("/dev/mapper/crypt-root", OPEN.device),
        ("/dev/mapper/luks-l1", OPEN.device),
        ("/dev/md0", ARRAY.device),
        ("/dev/md127", ARRAY.device),
        ("/dev/md900", None),
        ("/dev/mapper/a", None),
        ("UUID=l1", CONTAINER.device),
    ],
)
def test_the_patients_own_names_of_arrays_and_mappings(tmp_path: pathlib.Path, spec: str, device: str | None) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/crypttab").write_text(
        'crypt-root "UUID=l1" none luks\nlocked UUID=l2 none\na /dev/mapper/b\nb /dev/mapper/a\n'
    )
    (tmp_path / "etc/mdadm.conf").write_text("ARRAY /dev/md127 UUID=aaaaaaaa:aaaaaaaa:aaaaaaaa:aaaaaaaa\n")
    patient = Patient(tools=Tools())
    patient.opened_tree = Tree(str(tmp_path))
    patient.filesystems, patient.members = (ARRAY, OPEN), (CONTAINER,)
    found = patient.find(spec)
    assert (found.device if found else None) == device
    assert not patient.lookup("/dev/mapper/locked").is_absent
    assert patient.lookup("UUID=none").is_absent


def test_nothing_is_certainly_absent_while_a_container_is_locked() -> None:
    patient = Patient(tools=Tools())
    patient.filesystems = (ROOT,)
    assert patient.lookup("UUID=none").is_absent
    patient.uncertain = ("/dev/vdb2 is locked (LUKS)",)
    assert patient.lookup("UUID=none").unknown == "/dev/vdb2 is locked (LUKS)"
    assert patient.lookup("UUID=ab-12").filesystem == ROOT


def test_a_bare_name_is_not_looked_up_by_the_rescue_systems_numbering() -> None:
    """On mixed buses the server's /dev/vda1 may be called anything here."""
    patient = Patient(tools=Tools())
    patient.filesystems = (Filesystem("/dev/vda1", "/dev/vda1", "ext4", number=(1, 1)),)
    patient.around = Surroundings(disks=("sda", "vda"))
    assert patient.find("/dev/vda1") is None
    assert patient.lookup("/dev/vda1").unknown


def test_a_snapshot_gives_way_to_what_it_was_made_of() -> None:
    patient = Patient(tools=Tools())
    copy = dataclasses.replace(ROOT, device="/dev/mapper/vg-copy", snapshot=True, number=None)
    patient.filesystems = (copy, ROOT)
    assert patient.find("UUID=ab-12") == ROOT
