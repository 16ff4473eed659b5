# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


from __future__ import annotations

import pytest
from _formats.boot_samples import elf
from ansible_collections.openrescue.server.plugins.module_utils._faults.boot.shared.init import init
from ansible_collections.openrescue.server.plugins.module_utils._formats.kernel_cmdline import CommandLine

from ...fakes import FakePatient


def program(patient: FakePatient, data: bytes, *, mode: int = 0o755) -> str:
    patient.put("/sbin/init", data)
    (patient.directory / "sbin/init").chmod(mode)
    return init(patient, CommandLine(())).status


@pytest.mark.parametrize(
    ("data", "files", "status"),
    [
        (elf(), (), "ok"),
        (elf("/lib/ld-musl-x86_64.so.1", ("libc.musl-x86_64.so.1",)), ("/lib/ld-musl-x86_64.so.1",), "broken"),
        (elf("/lib/ld.so", ("libx.so",), "/opt/x"), ("/lib/ld.so", "/opt/x/libx.so"), "ok"),
        (elf("/lib/ld.so", ("libx.so",)), ("/lib/ld.so",), "unknown"),
        (elf("/lib/ld.so"), (), "broken"),
        (b"#!/bin/sh\n", ("/bin/sh",), "ok"),
        (b"#!/bin/sh\n", (), "unknown"),
        (b"", (), "broken"),
        (b"text", (), "unknown"),
    ],
)
def test_what_can_start(patient: FakePatient, data: bytes, files: tuple[str, ...], status: str) -> None:
    for path in files:
        patient.put(path)
    assert program(patient, data) == status


def test_what_is_not_executable_does_not_start(patient: FakePatient) -> None:
    assert program(patient, elf(), mode=0o644) == "broken"


def test_what_lies_on_a_file_system_that_is_not_mounted(patient: FakePatient) -> None:
    assert init(patient, CommandLine(())).status == "broken"
    patient.put("/etc/fstab", "UUID=1 /usr ext4 defaults 0 2\n")
    patient.drop_facts()
    assert init(patient, CommandLine(())).status == "unknown"


def test_the_command_line_names_another(patient: FakePatient) -> None:
    program(patient, elf())
    assert init(patient, CommandLine(("init=/nothing",))).status == "broken"
    assert init(patient, CommandLine(("init=nothing",))).status == "unknown"
    assert init(patient, CommandLine(("init=/nothing", "ostree=/ostree/boot.1/x/0"))).status == "unknown"
    assert init(patient, None).status == "unknown"
