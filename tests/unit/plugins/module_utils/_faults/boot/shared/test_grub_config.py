# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from _formats.grub_samples import DEBIAN, RHEL, STUB
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.shared.grub_config import (
    NotBuilt,
    judge,
    repair,
)
from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.shared.ways import main_way

from ...fakes import FakeChange, FakePatient
from ..patients import (
    BOOT_STUB,
    ESP_GRUB_CFG,
    GRUB_CFG,
    GRUB_FAULTS,
    RHEL_7,
    RHEL_9,
    findings,
    with_grub,
    with_uefi,
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


@pytest.mark.parametrize(
    ("config", "fault"), [(None, "grub-config-missing"), ("", "grub-config-empty"), (DEBIAN, None)]
)
def test_findings(patient: FakePatient, config: str | None, fault: str | None) -> None:
    with_grub(patient, config)
    assert [finding.fault for finding in findings(patient, GRUB_FAULTS)] == ([fault] if fault else [])


def test_a_redirect_to_what_is_not_mounted_cannot_be_judged(patient: FakePatient) -> None:
    with_grub(patient, STUB)
    with pytest.raises(OpenRescueError, match=r"goes on with \(UUID=1-2\)"):
        findings(patient, GRUB_FAULTS)


@pytest.mark.parametrize("config", [None, ""])
def test_it_is_written_by_the_patient(patient: FakePatient, config: str | None) -> None:
    with_grub(patient, config)
    (finding,) = findings(patient, GRUB_FAULTS)
    change = FakeChange(patient, builds=DEBIAN.encode())
    repair(patient, finding, change)
    assert change.done == [("env", "GRUB_DISABLE_OS_PROBER=true", "grub-mkconfig", "-o", GRUB_CFG)]
    assert findings(patient, GRUB_FAULTS) == []


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
    with_grub(patient, None)
    (finding,) = findings(patient, GRUB_FAULTS)
    with pytest.raises(NotBuilt):
        repair(patient, finding, FakeChange(patient, builds=written.encode()))


def test_a_patient_without_grub_has_no_finding(patient: FakePatient) -> None:
    patient.install_kernel()
    patient.put("/boot/loader/entries/x.conf", "linux /x\n")
    assert findings(patient, GRUB_FAULTS) == []


def test_red_hat_up_to_8_keeps_it_on_the_efi_partition(patient: FakePatient) -> None:
    with_uefi(patient, RHEL_7, DEBIAN)
    assert findings(patient, GRUB_FAULTS) == []
    patient.put(ESP_GRUB_CFG, "")
    (finding,) = findings(patient, GRUB_FAULTS)
    assert (finding.fault, finding.evidence[0].path, finding.remedy_safe) == ("grub-config-empty", ESP_GRUB_CFG, True)
    change = FakeChange(patient, builds=DEBIAN.encode())
    repair(patient, finding, change)
    assert change.done == [("env", "GRUB_DISABLE_OS_PROBER=true", "grub2-mkconfig", "-o", ESP_GRUB_CFG)]
    assert findings(patient, GRUB_FAULTS) == []


def test_a_redirect_is_followed_and_never_written(patient: FakePatient) -> None:
    with_uefi(patient, RHEL_9, BOOT_STUB, full=DEBIAN)
    assert findings(patient, GRUB_FAULTS) == []
    patient.put("/boot/grub2/grub.cfg", "")
    (finding,) = findings(patient, GRUB_FAULTS)
    assert (finding.evidence[0].path, finding.severity) == ("/boot/grub2/grub.cfg", "critical")
    patient.put("/boot/grub2/grub.cfg", DEBIAN)
    patient.put(ESP_GRUB_CFG, "")
    (finding,) = findings(patient, GRUB_FAULTS)
    assert (finding.evidence[0].path, finding.remedy) == (ESP_GRUB_CFG, None)
