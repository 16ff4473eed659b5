# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.grub_config_empty import GRUB_CONFIG_EMPTY
from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.grub_config_missing import (
    GRUB_CONFIG_MISSING,
)
from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.shared.grub_config import (
    NotBuilt,
    judge,
    repair,
)
from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.shared.ways import main_way
from ansible_collections.openrescue.server.plugins.module_utils._faults.model import Finding, NotApplicable
from ansible_collections.openrescue.server.plugins.module_utils._patient.patient import Filesystem, OsRelease

from ...fakes import BOOT, FakeChange, FakePatient

DEBIAN = """### BEGIN /etc/grub.d/00_header ###
if [ -s $prefix/grubenv ]; then
  set have_grubenv=true
  load_env
fi
if [ "${next_entry}" ] ; then
   set default="${next_entry}"
   set next_entry=
   save_env next_entry
   set boot_once=true
else
   set default="DEFAULT"
fi
function savedefault {
  if [ -z "${boot_once}" ]; then
    saved_entry="${chosen}"
  fi
}
menuentry 'Debian GNU/Linux' --class debian --class gnu $menuentry_id_option 'gnulinux-simple-1' {
        load_video
        if [ x$grub_platform = xxen ]; then insmod xzio; insmod lzopio; fi
        linux   /vmlinuz-6.1.0-9-amd64 root=UUID=00700070-0000-4000-8000-000000000002 ro  quiet
        initrd  /initrd.img-6.1.0-9-amd64
}
submenu 'Advanced options' $menuentry_id_option 'gnulinux-advanced-1' {
        menuentry 'Linux 6.1.0-9' --class os $menuentry_id_option 'gnulinux-6.1.0-9-advanced-1' {
                linux   /vmlinuz-6.1.0-9-amd64 root=UUID=00700070-0000-4000-8000-000000000002 ro
                initrd  /initrd.img-6.1.0-9-amd64
        }
        menuentry 'Linux 6.1.0-8' --class os $menuentry_id_option 'gnulinux-6.1.0-8-advanced-1' {
                linux   /vmlinuz-6.1.0-8-amd64 root=UUID=00700070-0000-4000-8000-000000000002 ro
                initrd  /initrd.img-6.1.0-8-amd64
        }
}
menuentry "UEFI Firmware Settings" $menuentry_id_option 'uefi-firmware' {
        fwsetup
}
"""
RHEL = """if [ "${next_entry}" ] ; then
   set default="${next_entry}"
else
   set default="${saved_entry}"
fi
insmod blscfg
blscfg
if [ "${boot_indeterminate}" = "1" ]; then
  set timeout=0
fi
"""
STUB = (
    "search --no-floppy --fs-uuid --set=dev 1-2\nset prefix=($dev)/grub2\nexport $prefix\nconfigfile $prefix/grub.cfg\n"
)


@pytest.mark.parametrize(
    ("text", "bls", "wrong"),
    [
        (DEBIAN, False, None),
        (RHEL, True, None),
        (RHEL, False, "holds no entry that boots anything"),
        (STUB, False, None),
        ("", False, "is empty"),
        ("\0" * 4096, False, "is empty"),
        ("\n \n", False, "is empty"),
        ("set timeout=5\n", False, "holds no entry that boots anything"),
        (DEBIAN[: DEBIAN.index("menuentry 'Deb") + 110], False, "is cut off before its first entry"),
        (DEBIAN[: DEBIAN.index("menuentry 'Deb") + 60], False, "holds no entry that boots anything"),
        (DEBIAN[: DEBIAN.index("        initrd")], False, "is cut off inside its only entry"),
        (DEBIAN[: DEBIAN.index("        menuentry 'Linux 6.1.0-8'")], False, None),
        ("menuentry 'Windows' {\n chainloader +1\n}\n", False, None),
        ("menuentry 'Setup' {\n fwsetup\n}\n", False, "holds no entry that boots anything"),
        ("}\n}\nmenuentry {\n", False, "is cut off before its first entry"),
    ],
)
def test_a_configuration(text: str, bls: bool, wrong: str | None) -> None:
    assert judge(text, bls_entries=bls) == wrong


def default_kernel(patient: FakePatient) -> str:
    patient.drop_facts()
    way = main_way(patient)
    return way.entry.linux if way and way.entry else ""


def test_entries_of_the_specification_are_newest_first(patient: FakePatient) -> None:
    for version in ("5.14.0-9", "5.14.0-70"):
        patient.install_kernel(version)
        text = f"title {version}\nlinux /vmlinuz-{version}\n"
        patient.put(f"/boot/loader/entries/id-{version}.conf", text)
    patient.put("/boot/grub2/grub.cfg", RHEL)
    patient.put("/boot/grub2/grubenv", "# GRUB Environment Block\n####")
    assert default_kernel(patient) == "/vmlinuz-5.14.0-70"
    patient.put("/boot/grub2/grubenv", "saved_entry=id-5.14.0-9\n")
    assert default_kernel(patient) == "/vmlinuz-5.14.0-9"


FAULTS = (GRUB_CONFIG_MISSING, GRUB_CONFIG_EMPTY)
PATH = "/boot/grub/grub.cfg"


def findings(patient: FakePatient) -> list[Finding]:
    patient.drop_facts()
    try:
        return [finding for fault in FAULTS for finding in fault.detect(patient)]
    except (NotApplicable, OpenRescueError):
        return []


def ready(patient: FakePatient, config: str | None) -> None:
    patient.install_kernel("6.1.0-9-amd64")
    patient.put("/boot/grub/i386-pc/normal.mod")
    patient.put("/usr/sbin/grub-mkconfig", "#!/bin/sh\n")
    patient.put("/etc/grub.d/10_linux", "#!/bin/sh\n")
    if config is not None:
        patient.put(PATH, config)


@pytest.mark.parametrize(
    ("config", "fault"), [(None, "grub-config-missing"), ("", "grub-config-empty"), (DEBIAN, None), (STUB, None)]
)
def test_findings(patient: FakePatient, config: str | None, fault: str | None) -> None:
    ready(patient, config)
    assert [finding.fault for finding in findings(patient)] == ([fault] if fault else [])


@pytest.mark.parametrize("config", [None, ""])
def test_it_is_written_by_the_patient(patient: FakePatient, config: str | None) -> None:
    ready(patient, config)
    (finding,) = findings(patient)
    change = FakeChange(patient, builds=DEBIAN.encode())
    repair(patient, finding, change)
    assert change.done == [("env", "GRUB_DISABLE_OS_PROBER=true", "grub-mkconfig", "-o", PATH)]
    assert findings(patient) == []


@pytest.mark.parametrize(
    "written",
    [
        "",
        DEBIAN.replace("vmlinuz-6.1.0-9", "vmlinuz-6.1.0-7"),
        DEBIAN.replace("UUID=0070", "UUID=dead"),
        DEBIAN.replace("UUID=00700070-0000-4000-8000-000000000002", "/dev/mapper/layer"),
    ],
    ids=["nothing", "another kernel", "another root", "the rescue system's name"],
)
def test_a_menu_that_would_not_boot_is_a_failure(patient: FakePatient, written: str) -> None:
    ready(patient, None)
    (finding,) = findings(patient)
    with pytest.raises(NotBuilt):
        repair(patient, finding, FakeChange(patient, builds=written.encode()))


def test_a_patient_without_grub_has_no_finding(patient: FakePatient) -> None:
    patient.install_kernel()
    patient.put("/boot/loader/entries/x.conf", "linux /x\n")
    assert findings(patient) == []


ESP = Filesystem("/dev/vdb1", "/dev/vdb1", "vfat", uuid="A-B", mount_point="/boot/efi")
RHEL_7, RHEL_9 = (OsRelease("rhel", ("fedora",), version, "") for version in ("7.9", "9.4"))
BOOT_STUB = STUB.replace("1-2", BOOT.uuid or "")
CONFIG = "/boot/efi/EFI/redhat/grub.cfg"


def uefi(patient: FakePatient, release: OsRelease, config: str | None, *, full: str | None = None) -> None:
    """A server of the Red Hat family that boots by UEFI."""
    patient.filesystems, patient.esp, patient.os = (*patient.filesystems, ESP), ESP, release
    patient.install_kernel("6.1.0-9-amd64")
    patient.put("/boot/efi/EFI/redhat/grubx64.efi", b"MZ")
    patient.put("/usr/sbin/grub2-mkconfig", "#!/bin/sh\n")
    patient.put("/etc/grub.d/10_linux", "#!/bin/sh\n")
    for path, text in ((CONFIG, config), ("/boot/grub2/grub.cfg", full)):
        if text is not None:
            patient.put(path, text)


def test_red_hat_up_to_8_keeps_it_on_the_efi_partition(patient: FakePatient) -> None:
    uefi(patient, RHEL_7, DEBIAN)
    assert findings(patient) == []
    patient.put(CONFIG, "")
    (finding,) = findings(patient)
    assert (finding.fault, finding.evidence[0].path, finding.remedy_safe) == ("grub-config-empty", CONFIG, True)
    change = FakeChange(patient, builds=DEBIAN.encode())
    repair(patient, finding, change)
    assert change.done == [("env", "GRUB_DISABLE_OS_PROBER=true", "grub2-mkconfig", "-o", CONFIG)]
    assert findings(patient) == []


def test_a_redirect_is_followed_and_never_written(patient: FakePatient) -> None:
    uefi(patient, RHEL_9, BOOT_STUB, full=DEBIAN)
    assert findings(patient) == []
    patient.put("/boot/grub2/grub.cfg", "")
    (finding,) = findings(patient)
    assert (finding.evidence[0].path, finding.severity) == ("/boot/grub2/grub.cfg", "critical")
    patient.put("/boot/grub2/grub.cfg", DEBIAN)
    patient.put(CONFIG, "")
    (finding,) = findings(patient)
    assert (finding.evidence[0].path, finding.remedy) == (CONFIG, None)


def test_an_empty_file_beside_another_way_to_boot_is_no_more_than_a_warning(patient: FakePatient) -> None:
    uefi(patient, RHEL_7, "", full=DEBIAN)
    (finding,) = findings(patient)
    assert (finding.severity, finding.confidence) == ("critical", "high"), "no BIOS starts this disk"
    patient.disks = ("/dev/vdb",)
    sectors = {0: b"GRUB".ljust(0x5C, b"\0") + b"\1".ljust(418, b"\0") + b"\x55\xaa", 512: b"loading".ljust(512, b"\0")}
    patient.disk_bytes = lambda _disk, offset, size: sectors.get(offset, bytes(size))[:size]  # type: ignore[method-assign]
    (finding,) = findings(patient)
    assert (finding.severity, finding.confidence) == ("warning", "medium")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("linux /vmlinuz-6.1.0-9-amd64 root=/dev/vda1\ninitrd /initrd.img\nboot\n", False),
        ("# mine\nset timeout=5\n", True),
    ],
)
def test_what_a_person_wrote_is_never_written_over(patient: FakePatient, text: str, wrong: bool) -> None:
    ready(patient, text)
    found = findings(patient)
    assert [item.fault for item in found] == (["grub-config-empty"] if wrong else [])
    assert [item.remedy for item in found] == ([None] if wrong else [])


def test_without_templates_nothing_is_built(patient: FakePatient) -> None:
    ready(patient, "")
    (patient.directory / "etc/grub.d/10_linux").unlink()
    assert [item.remedy for item in findings(patient)] == [None]
