# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a program of the patient's runs."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._patient import syscalls
from ansible_collections.openrescue.server.plugins.module_utils._patient.patient import Filesystem, Patient
from ansible_collections.openrescue.server.plugins.module_utils._patient.tools import Completed, Tools
from ansible_collections.openrescue.server.plugins.module_utils._patient.tree.tree import Tree
from ansible_collections.openrescue.server.plugins.module_utils._patient.write import chroot


class Asked(Tools):
    """Notes what it is asked to run."""

    def __init__(self) -> None:
        super().__init__()
        self.argv: list[str] = []

    def run(self, argv: t.Sequence[str], **_more: t.Any) -> Completed:
        self.argv = list(argv)
        return Completed(tuple(argv), 0, "", "", 0.0)


def test_a_program_begins_in_namespaces_of_its_own_and_confined(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted: list[tuple[str, int]] = []
    monkeypatch.setattr(
        syscalls, "mount", lambda source, target, fstype, *, flags, data="": mounted.append((fstype, flags))
    )
    monkeypatch.setattr(chroot, "_make_devices", lambda patient, folder: None)
    for name in ("dev", "run", "tmp", "sys"):
        (tmp_path / name).mkdir()
    patient = Patient(tools=(asked := Asked()))
    chroot.run_staged(patient, str(tmp_path), ["update-grub"], timeout=5, ok=(0,))
    assert {"--mount", "--net", "--ipc", "--pid", "--kill-child"} <= set(asked.argv)
    assert "PR_CAPBSET_DROP" in asked.argv[-3]
    assert asked.argv[-2:] == [str(tmp_path), "update-grub"]
    nodev = [bool(flags & syscalls.MS_NODEV) for fstype, flags in mounted if fstype == "tmpfs"]
    assert nodev == [False, True, True], "device nodes work in /dev only"
    assert [bool(flags & syscalls.MS_RDONLY) for fstype, flags in mounted if fstype == "sysfs"] == [True]


@pytest.mark.parametrize(
    ("layer", "read_only", "gets_a_node"), [(True, False, True), (False, True, True), (False, False, False)]
)
def test_no_node_leads_to_a_disk_that_takes_writes(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, layer: bool, read_only: bool, gets_a_node: bool
) -> None:
    made: list[str] = []
    device = tmp_path / "of-the-rescue-system" / "loop-x"
    device.parent.mkdir()
    device.touch()
    monkeypatch.setattr(chroot.os, "mknod", lambda path, mode, device: made.append(path))
    monkeypatch.setattr(chroot.os, "chmod", lambda path, mode: None)
    monkeypatch.setattr(syscalls, "is_read_only", lambda device: read_only)
    patient = Patient(tools=Tools())
    patient.filesystems = (Filesystem("/dev/vdb1", str(device), "ext4", uuid="u", writable=layer),)
    chroot._make_devices(patient, str(tmp_path))
    assert made.count(str(tmp_path / "loop-x")) == gets_a_node
    assert (tmp_path / "disk/by-uuid/u").is_symlink() == gets_a_node


def test_what_only_is_a_part_has_a_node_too(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """grub-probe asks an array for its members, and cryptsetup's hook looks for the container that crypttab names.

    The name by UUID is for what can be opened by it: the members of an array all have the array's.
    """
    made: list[str] = []
    monkeypatch.setattr(chroot.os, "mknod", lambda path, mode, device: made.append(pathlib.Path(path).name))
    monkeypatch.setattr(chroot.os, "chmod", lambda path, mode: None)
    monkeypatch.setattr(syscalls, "is_read_only", lambda device: device.endswith("luks"))
    patient = Patient(tools=Tools())
    there = tmp_path / "there"
    there.mkdir()
    parts = {"one": "linux_raid_member", "two": "linux_raid_member", "pv": "LVM2_member", "luks": "crypto_LUKS"}
    for name in (*parts, "raw"):
        (there / name).touch()
    patient.members = (
        *(
            Filesystem(f"/dev/{name}", str(there / name), kind, uuid=f"u-{kind}", partuuid=f"p-{name}", writable=True)
            for name, kind in parts.items()
            if name != "luks"
        ),
        Filesystem("/dev/luks", str(there / "luks"), "crypto_LUKS", uuid="u-luks"),
        Filesystem("/dev/raw", str(there / "raw"), "LVM2_member", uuid="u-raw"),
    )
    chroot._make_devices(patient, str(tmp_path))
    assert made[-4:] == ["one", "two", "pv", "luks"]
    assert [path.name for path in (tmp_path / "disk/by-uuid").iterdir()] == ["u-luks"]
    assert sorted(path.name for path in (tmp_path / "disk/by-partuuid").iterdir()) == ["p-one", "p-pv", "p-two"]


def test_a_device_has_the_names_that_the_patient_knows_it_by(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its fstab says /dev/vg/root or /dev/md0, and mkinitramfs looks for what is meant by it."""
    monkeypatch.setattr(chroot.os, "mknod", lambda path, mode, device: pathlib.Path(path).touch())
    monkeypatch.setattr(chroot.os, "chmod", lambda path, mode: None)
    patient = Patient(tools=Tools())
    (tmp_path / "there").mkdir()
    device = tmp_path / "there/dm-3"
    device.touch()
    aliases = ("/dev/dm-3", "/dev/mapper/vg-root", "/dev/vg/root", "/dev/md/0", "/dev/../../outside", "/dev/null")
    patient.filesystems = (Filesystem("/dev/mapper/vg-root", str(device), "ext4", writable=True, aliases=aliases),)
    patient.members = (Filesystem("/dev/vdb3", str(device), "crypto_LUKS", uuid="u1", writable=True),)
    opened = Filesystem("/dev/mapper/luks-u1", str(device), "ext4", writable=True)
    patient.filesystems = (*patient.filesystems, opened)
    (tmp_path / "top/etc").mkdir(parents=True)
    (tmp_path / "top/etc/crypttab").write_text("vda3_crypt UUID=u1 none\n../../bad UUID=u1 none\n", encoding="utf-8")
    patient.opened_tree = Tree(str(tmp_path / "top"))
    folder = tmp_path / "dev"
    folder.mkdir()
    chroot._make_devices(patient, str(folder))
    assert (folder / "dm-3").is_file() and not (folder / "dm-3").is_symlink()
    for name in ("mapper/vg-root", "vg/root", "md/0", "mapper/luks-u1", "mapper/vda3_crypt"):
        assert (folder / name).resolve() == folder / "dm-3", name
    assert not (folder / "null").is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dev", "there", "top"]


@pytest.mark.parametrize("layers", [(), ("vg-root",), ("vg-root", "openrescue-run-dm_0")])
def test_mkinitramfs_is_told_of_the_container_that_the_root_lies_on(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, layers: tuple[str, ...]
) -> None:
    """The default of Debian's installer names it in crypttab without `initramfs`, and its hook asks device-mapper."""
    devices = tmp_path / "devices"
    for number, name in enumerate((*layers, "luks-u1")):
        (devices / f"0:{number}" / "dm").mkdir(parents=True)
        (devices / f"0:{number}" / "dm/name").write_text(name + "\n", encoding="utf-8")
        (devices / f"0:{number}" / "dm/uuid").write_text("CRYPT-LUKS2-x\n" if name == "luks-u1" else "LVM-x\n")
        if number:
            (devices / f"0:{number - 1}" / "slaves").mkdir()
            (devices / f"0:{number - 1}" / "slaves" / f"dm-{number}").symlink_to(devices / f"0:{number}")
    mounted: list[str] = []
    monkeypatch.setattr(chroot, "_DEVICES", str(devices))
    monkeypatch.setattr(
        syscalls,
        "mount",
        lambda source, target, fstype, *, flags, data="": mounted.append(
            f"{pathlib.Path(target).resolve()}: {pathlib.Path(source).read_text(encoding='utf-8')}"
        ),
    )
    top = tmp_path / "top"
    (top / "etc").mkdir(parents=True)
    own = "root_crypt UUID=u1 none luks,discard\ndata UUID=u2 none luks\n"
    (top / "etc/crypttab").write_text(own, encoding="utf-8")
    device = tmp_path / "root-device"
    device.touch()
    patient = Patient(tools=Tools())
    patient.opened_tree = Tree(str(top))
    patient.members = tuple(Filesystem(f"/dev/{uuid}", "", "crypto_LUKS", uuid=uuid) for uuid in ("u1", "u2"))
    patient.filesystems = (Filesystem("/dev/root", str(device), "ext4", mount_point="/"),)
    chroot._tell_of_containers(patient, patient.tree, str(tmp_path))
    told = own.replace("luks,discard", "luks,discard,initramfs")
    assert mounted == [f"{top}/etc/crypttab: {told}"]
    assert (top / "etc/crypttab").read_text(encoding="utf-8") == own
