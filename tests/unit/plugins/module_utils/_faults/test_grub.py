# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.grub import (
    GRUB_CONFIG_EMPTY,
    GRUB_CONFIG_MISSING,
    judge_config,
)
from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.menu import (
    default_entry,
    default_kernel,
    parse_bls,
    parse_grub,
    parse_grubenv,
    read_menu,
)
from ansible_collections.openrescue.server.plugins.module_utils._faults.model import Finding

from .fakes import FakeChange, FakePatient

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
    ("default", "linux"),
    [
        ("0", "9"),
        ("1", "9"),
        ("1>1", "8"),
        ("gnulinux-advanced-1>gnulinux-6.1.0-8-advanced-1", "8"),
        ("Advanced options>Linux 6.1.0-8", "8"),
        ("gnulinux-simple-1", "9"),
        ("no such entry", "9"),
        ("99", "9"),
    ],
)
def test_the_default_entry(default: str, linux: str) -> None:
    entry = default_entry(parse_grub(DEBIAN.replace("DEFAULT", default)))
    assert entry is not None
    assert entry.linux == f"/vmlinuz-6.1.0-{linux}-amd64"
    assert entry.initrds == (f"/initrd.img-6.1.0-{linux}-amd64",)


def test_the_saved_entry_is_in_the_environment_block() -> None:
    env = parse_grubenv("# GRUB Environment Block\nsaved_entry=gnulinux-advanced-1>1\n####")
    menu = parse_grub(DEBIAN.replace("DEFAULT", "${saved_entry}"), env)
    entry = default_entry(menu)
    assert entry is not None
    assert "-8-" in entry.linux


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
    assert judge_config(text, bls_entries=bls) == wrong


def test_a_hostile_configuration_ends_soon() -> None:
    text = "menuentry 'x' {\nsubmenu 'y' {\n" * 20000
    assert not parse_grub(text).complete
    assert default_entry(parse_grub(text)) is not None


def test_an_entry_of_the_boot_loader_specification() -> None:
    text = "title Fedora\nversion 6.1\nlinux /vmlinuz-6.1\ninitrd /initramfs-6.1.img $tuned_initrd\n"
    text += "options root=UUID=1 ro\n"
    entry = parse_bls("abc-6.1", text)
    assert (entry.id, entry.linux, entry.initrds, entry.options) == (
        "abc-6.1",
        "/vmlinuz-6.1",
        ("/initramfs-6.1.img",),
        ("root=UUID=1", "ro"),
    )


def test_entries_of_the_specification_are_newest_first(patient: FakePatient) -> None:
    for version in ("5.14.0-9", "5.14.0-70"):
        patient.install_kernel(version)
        text = f"title {version}\nlinux /vmlinuz-{version}\n"
        patient.put(f"/boot/loader/entries/id-{version}.conf", text)
    patient.put("/boot/grub2/grub.cfg", RHEL)
    patient.put("/boot/grub2/grubenv", "# GRUB Environment Block\n####")
    kernel, _reason = default_kernel(patient, read_menu(patient))
    assert kernel is not None
    assert kernel.version == "5.14.0-70"
    patient.put("/boot/grub2/grubenv", "saved_entry=id-5.14.0-9\n")
    kernel, _reason = default_kernel(patient, read_menu(patient))
    assert kernel is not None
    assert kernel.version == "5.14.0-9"


FAULTS = (GRUB_CONFIG_MISSING, GRUB_CONFIG_EMPTY)
PATH = "/boot/grub/grub.cfg"


def findings(patient: FakePatient) -> list[Finding]:
    return [finding for fault in FAULTS for finding in fault.detect(patient)]


def ready(patient: FakePatient, config: str | None) -> None:
    patient.install_kernel("6.1.0-9-amd64")
    patient.put("/boot/grub/i386-pc/normal.mod")
    patient.put("/usr/sbin/grub-mkconfig", "#!/bin/sh\n")
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
    fault = next(fault for fault in FAULTS if fault.id == finding.fault)
    fault.repair(patient, finding, change)
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
    with pytest.raises(OpenRescueError) as caught:
        GRUB_CONFIG_MISSING.repair(patient, finding, FakeChange(patient, builds=written.encode()))
    assert caught.value.code == "grub_config_not_built"


def test_a_patient_without_grub_has_no_finding(patient: FakePatient) -> None:
    patient.install_kernel()
    patient.put("/boot/loader/entries/x.conf", "linux /x\n")
    assert findings(patient) == []


def test_older_red_hats_keep_it_on_the_efi_partition(patient: FakePatient) -> None:
    patient.put("/boot/grub2/grubenv", "saved_entry=0\n")
    patient.put("/boot/efi/EFI/redhat/grub.cfg", DEBIAN)
    assert findings(patient) == []
    patient.put("/boot/efi/EFI/redhat/grub.cfg", STUB)
    assert [finding.evidence[0].path for finding in findings(patient)] == ["/boot/grub2/grub.cfg"]
