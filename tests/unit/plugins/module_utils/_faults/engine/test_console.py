# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real consoles, recorded from the lab's guest with each of its breakages, and made-up ones for what is rare."""

from __future__ import annotations

import pathlib
import re
import time

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._faults.catalog import FAULTS
from ansible_collections.openrescue.server.plugins.module_utils._faults.engine.console import (
    MAX_CHARACTERS,
    MAX_LINES,
    ConsoleReport,
    boots,
    clean,
    read_console,
)

CONSOLES = pathlib.Path(__file__).parent / "data" / "consoles"

#: recorded console -> how the boot went, the fault that leads its findings; where it is not called as its fault, or the
#: boot did not fail
RECORDED = {
    **{path.stem: ("failed", path.stem) for path in sorted(CONSOLES.glob("*.log"))},
    "healthy": ("booted", None),
    "filesystem-corrupt-quietly": ("booted", None),
    "filesystem-superblock-root": ("failed", "filesystem-superblock"),
    "fstab-duplicate-mount-point": ("failed", "fstab-missing-device"),
    "fstab-missing-data-disk": ("failed", "fstab-missing-device"),
    "fstab-missing-device-and-tty": ("failed", "fstab-missing-device"),
    "fstab-wrong-type": ("failed", "boot-mount-failed"),
    "grub-config-empty": ("failed", "grub-config-missing"),
    "grub-config-truncated": ("failed", "grub-config-missing"),
    "initramfs-empty": ("failed", "initramfs-missing"),
    "space-full": ("booted", "space-full"),
    "space-inodes": ("booted", None),
}


def recorded(name: str) -> str:
    """What a guest has written to its console; the file keeps a carriage return as ␍, which every tool takes."""
    return (CONSOLES / f"{name}.log").read_bytes().decode("utf-8", "replace").replace("␍", "\r")


def judge(text: str) -> ConsoleReport:
    return read_console(text, faults=FAULTS)


def test_every_recording_is_there() -> None:
    assert {path.stem for path in CONSOLES.glob("*.log")} == set(RECORDED)


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_console(name: str) -> None:
    report = judge(recorded(name))
    boot, leading = RECORDED[name]
    assert report.boot == boot
    assert (report.findings[0].fault if report.findings else None) == leading
    known = {fault.id for fault in FAULTS}
    causes = {finding.fault for finding in report.findings if finding.fault in known}
    assert causes <= {leading}, "one breakage, one cause"
    for finding in report.findings[1:]:
        assert finding.fault in known or finding.severity == "info" or leading not in known


def test_a_failed_boot_that_a_later_one_has_outlived() -> None:
    report = judge(recorded("fstab-missing-device") + "\n" + recorded("healthy"))
    assert (report.boot, report.findings) == ("booted", ())


def test_a_boot_that_failed_after_one_that_was_well() -> None:
    first = recorded("healthy")
    report = judge(first + "\n" + recorded("fstab-missing-device"))
    assert report.boot == "failed"
    line = report.findings[0].evidence[0].line
    assert line is not None
    assert line > first.count("\n")


DUPLICATE = (
    "systemd-fstab-generator[99]: Failed to create unit file /run/systemd/generator/boot.mount, as it already exists."
    " Duplicate entry in /etc/fstab?"
)
LINES = [
    # what systemd, the kernel, GRUB and the initramfs say; fault; whether it is fatal
    ("[ TIME ] Timed out waiting for device dev-x.device - /dev/disk/by-uuid/1.", "fstab-missing-device"),
    ("[ TIME ] Timed out waiting for device /dev/vdb1.", "fstab-missing-device"),
    ("systemd[1]: Timed out waiting for device dev-vdb1.device.", "fstab-missing-device"),
    ("[ TIME ] Timed out waiting for device dev-ttyS0.device - /dev/ttyS0.", None),
    ("mount: /etc/fstab: parse error at line 3 -- ignored", "fstab-syntax"),
    ("[  18.0] EXT4-fs (vda2): Unrecognized mount option \"defualts\" or missing value", "fstab-syntax"),
    ("mount: /data: unknown filesystem type 'etx4'.", "fstab-wrong-type"),
    ("mount: /data: wrong fs type, bad option, bad superblock on /dev/vdb1, missing codepage", "fstab-wrong-type"),
    (DUPLICATE, "fstab-duplicate-mount-point"),
    ("systemd-fstab-generator[9]: Mount point boot is not a valid path, ignoring.", "fstab-syntax"),
    ("/dev/vda2: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY.", "filesystem-corrupt"),
    ("The root filesystem on /dev/vda1 requires a manual fsck", "filesystem-corrupt"),
    ("[   3.1] EXT4-fs error (device vda1): ext4_lookup:1850: inode #2: comm ls: deleted inode", "filesystem-corrupt"),
    ("[   3.1] EXT4-fs (vda1): group descriptors corrupted!", "filesystem-corrupt"),
    ("[   3.1] XFS (vda1): Metadata CRC error detected at xfs_agi_read_verify", "filesystem-corrupt"),
    ("[   3.1] BTRFS error (device vda1): bad tree block start", "filesystem-corrupt"),
    ("[   3.1] EXT4-fs (vda1): VFS: Can't find ext4 filesystem", "filesystem-superblock"),
    ("[   3.1] EXT4-fs (vda1): unable to read superblock", "filesystem-superblock"),
    ("fsck.ext4: Bad magic number in super-block while trying to open /dev/vda1", "filesystem-superblock"),
    ("ALERT!  /dev/mapper/vg-root does not exist.  Dropping to a shell!", "filesystem-superblock"),
    ("dracut-initqueue[455]: Warning: /dev/mapper/rhel-root does not exist", "filesystem-superblock"),
    ("error: no such device: 1b2c3d4e-0000-4000-8000-000000000001.", "filesystem-superblock"),
    ("error: ../../grub-core/kern/fs.c:123:unknown filesystem.", "filesystem-superblock"),
    ("sh: write error: No space left on device", "space-full"),
    ("error: ../../grub-core/fs/fshelp.c:257:file `/initrd.img-6.1.0-9-amd64' not found.", "initramfs-missing"),
    ("error: file `/boot/initramfs-5.14.0.img' not found.", "initramfs-missing"),
    ("[  2.1] VFS: Cannot open root device \"sda1\" or unknown-block(0,0): error -6", "initramfs-missing"),
    ("[  1.9] RAMDISK: incomplete write (10240 != 32768)", "initramfs-truncated"),
    ("[  1.7] Initramfs unpacking failed: junk within compressed archive", "initramfs-truncated"),
    ("[    1.2] rootfs image is not initramfs (invalid magic at start of compressed archive)", "initramfs-truncated"),
    ('[    2.9] VFS: Unable to mount root fs on "UUID=1-2" or unknown-block(0,0)', "initramfs-missing"),
    ("error: premature end of file /boot/initrd.img-6.1.", "initramfs-truncated"),
    ("error: file `/grub/grub.cfg' not found.", "grub-config-missing"),
    ("   Minimal BASH-like line editing is supported. For the first word, TAB", "grub-config-missing"),
    ("error: syntax error.", "grub-config-empty"),
    ("[  OK  ] Finished File System Check on /dev/disk/by-uuid/1.", None),
    ("[  2.1] EXT4-fs (vda1): mounted filesystem with ordered data mode. Quota mode: none.", None),
    ("[  2.1] EXT4-fs (vda1): re-mounted. Quota mode: none.", None),
    ("[  2.1] random: crng init done", None),
]  # fmt: skip


@pytest.mark.parametrize(("line", "fault"), LINES, ids=[line[:60] for line, _fault in LINES])
def test_a_line(line: str, fault: str | None) -> None:
    report = judge(f"SeaBIOS (version 1.16)\r\n{line}\r\n")
    assert {finding.fault for finding in report.findings} == ({fault} if fault else set())
    for finding in report.findings:
        assert "{" not in finding.summary
        assert finding.evidence[0].path == "console"
        assert finding.evidence[0].line == 2


def test_every_signature_has_a_line() -> None:
    shown = [line for line, _fault in LINES] + [line.text for name in RECORDED for line in clean(recorded(name))]
    for fault in FAULTS:
        for signature in fault.signatures:
            assert any(signature.search(line) for line in shown), f"LINES shows no {signature.pattern}"


SYMPTOMS = {
    "You are in emergency mode. After logging in, type": "boot-emergency-mode",
    "Entering emergency mode. Exit the shell to continue.": "boot-emergency-mode",
    "Cannot open access to console, the root account is locked.": "boot-emergency-mode",
    "(initramfs) ": "boot-initramfs-shell",
    "dracut:/# ": "boot-initramfs-shell",
    "[    2.1] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100": "boot-kernel-panic",
    "grub rescue> ": "boot-loader-prompt",
    # In the words of dracut, GRUB and systemd; not yet held against a public corpus line by line.
    "Welcome to emergency mode! After logging in, type": "boot-emergency-mode",
    "dracut-initqueue[378]: Warning: Could not boot.": "boot-root-not-found",
    "[FAILED] Failed to mount /sysroot.": "boot-root-not-found",
    "error: file `/vmlinuz-4.18.0-553.el8.x86_64' not found.": "boot-kernel-missing",
    "error: ../../grub-core/fs/fshelp.c:257:file `/boot/vmlinuz-6.1' not found.": "boot-kernel-missing",
    "error: symbol `grub_calloc' not found.": "boot-module-missing",
    "error: file `/grub2/i386-pc/normal.mod' not found.": "boot-module-missing",
    "systemd[1]: Failed to load SELinux policy. Freezing.": "boot-selinux-policy",
    "Unable to load SELinux Policy. Machine is in enforcing mode. Halting now.": "boot-selinux-policy",
    # In the words of switch_root, systemd, shim and the firmware.
    "switch_root: failed to mount moving /dev to /sysroot/dev": "boot-no-init",
    "Target filesystem doesn't have requested /sbin/init.": "boot-no-init",
    "[FAILED] Failed to start Switch Root.": "boot-no-init",
    "systemd[1]: Freezing execution.": "boot-init-froze",
    "Verification failed: (0x1A) Security Violation": "boot-secure-boot",
    'BdsDxe: failed to load Boot0001 "debian" from HD(1,GPT): Not Found': "boot-loader-missing",
    "UEFI Interactive Shell v2.2": "boot-no-device",
    "Shell> ": "boot-no-device",
    "Boot failed: not a bootable disk": "boot-no-device",
}


@pytest.mark.parametrize("line", SYMPTOMS)
def test_a_symptom_alone_is_critical_and_beside_a_cause_is_information(line: str) -> None:
    (alone,) = judge(line).findings
    assert (alone.fault, alone.severity) == (SYMPTOMS[line], "critical")
    report = judge(f"{line}\n/dev/vda2: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY.\n")
    assert [(one.fault, one.severity) for one in report.findings] == [
        ("filesystem-corrupt", "critical"),
        (SYMPTOMS[line], "info"),
    ]
    assert report.boot == "failed"


@pytest.mark.parametrize(
    ("text", "boot"),
    [
        ("", "unknown"),
        ("SeaBIOS (version 1)\nBooting from Hard Disk...\n", "unknown"),
        ("web1 login: ", "booted"),
        ("[  OK  ] Reached target multi-user.target - Multi-User System.", "booted"),
        ("[  OK  ] Reached target Graphical Interface.", "booted"),
        ("Cloud-init v. 23.1 finished at Mon, 01 Jan 2026 00:00:00 +0000. Up 20 seconds", "booted"),
        ("Password or login: x", "unknown"),
        ("web1 login: \nKernel panic - not syncing: sysrq", "failed"),
        ("Kernel panic - not syncing: x\nweb1 login: ", "booted"),
        ("web1 login: \n[  999.1] reboot: Restarting system\nSeaBIOS (version 1)\ngrub rescue> ", "failed"),
        ("web1 login: \n[  999.123456] reboot: Power down\n", "unknown"),
        ("web1 login: \n[  999.123456] reboot: Restarting system\n", "unknown"),
        ("web1 login: \nSeaBIOS (version 1)\n", "unknown"),
        ("web1 login: \n[    0.000000] Linux version 6.1\n", "unknown"),
        ("BdsDxe: loading Boot0001\nBdsDxe: starting Boot0001\nweb1 login:", "booted"),
    ],
)
def test_how_the_boot_went(text: str, boot: str) -> None:
    assert judge(text).boot == boot


PANIC = "[    0.000000] Linux version 6.1\n[    1.1] Kernel panic - not syncing: VFS: Unable to mount root fs\n"
FIRMWARE = "SeaBIOS (version 1)\nBooting from Hard Disk...\n"
KDUMP = (
    "[    0.000000] Linux version 6.1\n[    0.000000] Command line: elfcorehdr=867700K root=/dev/sda1\n"
    "kdump: saving vmcore complete\n[    9.123456] reboot: Restarting system\n"
)


@pytest.mark.parametrize(
    ("text", "boot", "state"),
    [
        (FIRMWARE + PANIC, "failed", "failed"),
        ((FIRMWARE + PANIC) * 5 + FIRMWARE, "failed", "booting"),
        (FIRMWARE + PANIC + KDUMP, "failed", "failed"),
        ((FIRMWARE + PANIC + KDUMP) * 3 + FIRMWARE, "failed", "booting"),
        (FIRMWARE + PANIC + FIRMWARE + "web1 login: \n", "booted", "booted"),
        (FIRMWARE + PANIC + FIRMWARE + "web1 login: \n" + FIRMWARE, "unknown", "booting"),
        (FIRMWARE + "web1 login: \n[  999.123456] reboot: Power down\n", "unknown", "off"),
        (FIRMWARE + "web1 login: \n[  999.123456] reboot: Restarting system\n", "unknown", "booting"),
        (FIRMWARE + PANIC + FIRMWARE + "openrescue login: ", "failed", "unknown"),
        (FIRMWARE + PANIC + FIRMWARE + "rescue login: ", "failed", "unknown"),
        ("nothing that is known\n", "unknown", "unknown"),
        ("", "unknown", "unknown"),
    ],
)
def test_the_last_boot_that_came_to_an_end(text: str, boot: str, state: str) -> None:
    report = judge(text)
    assert (report.boot, report.state) == (boot, state)
    assert report.rescue is ("rescue login" in text)
    assert ("boot-kernel-panic" in {one.fault for one in report.findings}) == (boot == "failed")


INITRD = (
    "systemd[1]: Running in initrd.\n[ TIME ] Timed out waiting for device /dev/mapper/rhel-root.\n"
    "[DEPEND] Dependency failed for Initrd Root Device.\n"
)


def test_a_root_that_the_initramfs_waits_for_is_no_line_of_fstab() -> None:
    report = judge(FIRMWARE + INITRD)
    assert (report.boot, {one.fault for one in report.findings}) == ("failed", {"boot-root-not-found"})
    later = "systemd[1]: Switching root.\n[ TIME ] Timed out waiting for device /dev/vdb1.\n"
    report = judge(FIRMWARE + INITRD.splitlines()[0] + "\n" + later)
    assert {one.fault for one in report.findings} == {"fstab-missing-device"}


def test_a_server_without_its_sshd_has_booted_all_the_same() -> None:
    report = judge("[FAILED] Failed to start sshd.service - OpenSSH server daemon.\nweb1 login: ")
    assert (report.boot, [(one.fault, one.severity) for one in report.findings]) == (
        "booted",
        [("boot-service-failed", "error")],
    )


def test_a_full_disk_stays_full_after_a_boot_that_was_well() -> None:
    report = judge("systemd-journald[9]: Failed to open system journal: No space left on device\nweb1 login: ")
    assert (report.boot, [one.fault for one in report.findings]) == ("booted", ["space-full"])


def test_escapes_and_controls_are_gone() -> None:
    text = "\x1b[0;1;31mred\x1b[0m\x1b]0;title\x07\t\x00\x08\x1b[2J\x1b[1;1Hnext\x1b[4;42H row\x1b[0;1;…cut\xff\n"
    assert [line.text for line in clean(text)] == ["red", "next row…cut\xff"]
    assert all(line.text.isprintable() for name in RECORDED for line in clean(recorded(name)))


def test_the_last_boot_of_many() -> None:
    lines = clean("SeaBIOS (version 1)\na\nSeaBIOS (version 1)\nGRUB loading.\nGRUB loading.\nb\n")
    assert [line.number for line in boots(lines)[-1]] == [3, 4, 5, 6]


def test_line_numbers_are_those_of_the_log() -> None:
    report = judge("\r\n" * 41 + "grub rescue> ")
    assert report.findings[0].evidence[0].line == 42


def test_a_huge_log_is_read_from_its_end() -> None:
    text = "x\n" * MAX_CHARACTERS + "grub rescue> "
    report = judge(text)
    assert report.findings[0].evidence[0].line == MAX_CHARACTERS + 1
    assert report.lines == MAX_LINES


@pytest.mark.parametrize(
    "piece",
    ["Timed out waiting for device ", "[", "\x1b[", "\x1b]", "a ", "/", "Dependency failed for ", "error: ", "\t"],
)
def test_a_hostile_log_takes_no_time(piece: str) -> None:
    began = time.process_time()
    judge(piece * (MAX_CHARACTERS // len(piece)))
    judge((piece * 200 + "\n") * (MAX_CHARACTERS // (len(piece) * 200)))
    assert time.process_time() - began < 20


def test_groups_of_a_hostile_line_are_not_formatted_again() -> None:
    report = judge("Kernel panic - not syncing: {0.__class__} %s {{1}}")
    assert report.findings[0].summary == "the server panicked: {0.__class__} %s {{1}}"


def test_the_catalogue() -> None:
    assert len({fault.id for fault in FAULTS}) == len(FAULTS) > 10
    for fault in FAULTS:
        assert re.fullmatch(r"[a-z]+(?:-[a-z]+)+", fault.id)
        assert fault.title
        assert not fault.title.endswith(".")


def test_what_others_stand_on_is_repaired_first() -> None:
    order = ["filesystem", "space", "fstab", "initramfs", "grub"]
    families = dict.fromkeys(fault.id.split("-")[0] for fault in FAULTS)
    assert [family for family in families if family in order] == order


def test_a_console_as_nova_shows_it() -> None:
    text = (
        "[    0.016000] ..TIMER: vector=0x30 [12] [a;b]\n"
        "[[0;1;31m TIME [0m] Timed out waiting for device [0;1;\ufffd\ufffd\ufffddbeef-0000-4000-8000-00000000b007.\n"
        "[2;1Hgrub> [4D\n"
    )
    assert [line.text for line in clean(text)] == [
        "[    0.016000] ..TIMER: vector=0x30 [12] [a;b]",
        "[ TIME ] Timed out waiting for device …dbeef-0000-4000-8000-00000000b007.",
        "grub> [4D",
    ]
