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


DUPLICATE = "Failed to create {0}unit file {1}/run/systemd/generator/{2}.mount{1}, as it already exists."
LINES = [
    # What systemd, the kernel, GRUB and the initramfs say; fault. Where an address stands before a line, it was seen
    # there so (the device and stamps may be others); the rest is in the words of the programs' own sources.
    # https://learn.spidernet.pl/RH-199v9.0/ch11s09.html
    ("[ TIME ] Timed out waiting for device /dev/vda2.", "fstab-missing-device"),
    ("[ TIME ] Timed out waiting for device dev-x.device - /dev/disk/by-uuid/1.", "fstab-missing-device"),
    ("systemd[1]: Timed out waiting for device dev-vdb1.device.", "fstab-missing-device"),
    ("[ TIME ] Timed out waiting for device dev-ttyS0.device - /dev/ttyS0.", None),
    ("mount: /etc/fstab: parse error at line 3 -- ignored", "fstab-syntax"),
    # https://github.com/erorcun/android_kernel_oneplus_msm8974-3.10/pull/1
    ('[    5.229054] EXT4-fs (vda2): Unrecognized mount option "noatime" or missing value', "fstab-syntax"),
    # https://github.com/Ataraxxia/secure-arch/issues/9
    ("mount[1165]: mount: /data: fsconfig system call failed: ext4: Unknown parameter 'realtime'.", "fstab-syntax"),
    # https://github.com/raspibolt/raspibolt/issues/434
    ("mount: unknown filesystem type 'rw,nosuid,dev,noexec,nofail'", "fstab-wrong-type"),
    ("mount: /data: unknown filesystem type 'etx4'.", "fstab-wrong-type"),
    # https://github.com/sakaki-/gentoo-on-rpi-64bit/issues/157
    ("mount: /boot: wrong fs type, bad option, bad superblock on /dev/mmcblk0p1, missing codepage", "fstab-wrong-type"),
    # https://github.com/random-archer/mkinitcpio-systemd-tool/issues/12
    ("mount: /sysroot: wrong fs type, bad option, bad superblock on /dev/mapper/archroot-ROOT, missing", None),
    # https://github.com/clustervision/trinity/issues/367
    (
        f"systemd-fstab-generator[328]: {DUPLICATE.format('mount ', '', 'home')} Duplicate entry in /etc/fstab?",
        "fstab-duplicate-mount-point",
    ),
    # https://github.com/retronas/retronas/issues/104
    (
        f"systemd-fstab-generator[99]: {DUPLICATE.format('', '', 'storage')} Duplicate entry in /etc/fstab?",
        "fstab-duplicate-mount-point",
    ),
    # https://github.com/libreswan/libreswan/issues/2266
    (
        f"systemd-fstab-generator[727]: {DUPLICATE.format('', chr(39), 'pool')} Duplicate entry in '/etc/fstab'?",
        "fstab-duplicate-mount-point",
    ),
    # https://github.com/archlinux/archinstall/pull/773
    ("systemd-fstab-generator[229]: Mount point boot is not a valid path, ignoring.", "fstab-syntax"),
    # https://devopsaitoolkit.com/blog/linux-error-fsck-unexpected-inconsistency-run-fsck-manually/
    ("/dev/sda1: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY.", "filesystem-corrupt"),
    # https://www.fixwikihub.com/articles/linux-ext4-filesystem-errors-e2fsck-forced-check-boot
    ("The root filesystem on /dev/sda1 requires a manual fsck", "filesystem-corrupt"),
    # https://marumassa.com/archives/18077563.html
    ("The root file system on /dev/sda1 requires a manual fsck", "filesystem-corrupt"),
    # https://github.com/voidlinux/void-packages/issues/4804
    ("EXT4-fs error (device sda1): ext4_lookup:1607: inode #525615: comm Cache2 I/O: deleted", "filesystem-corrupt"),
    ("[   3.1] EXT4-fs (vda1): group descriptors corrupted!", "filesystem-corrupt"),
    # https://github.com/coreos/fedora-coreos-tracker/issues/784
    ("XFS (vda4): Metadata CRC error detected at xfs_dquot_buf_verify_crc+0xe6/0x1", "filesystem-corrupt"),
    # https://github.com/coreos/fedora-coreos-tracker/issues/735
    ("XFS (vda4): Metadata corruption detected at xfs_buf_ioend+0x162/0x570 [xfs]", "filesystem-corrupt"),
    # https://github.com/open-power/op-build/issues/1685
    ("[   12.078408] BTRFS error (device dm-2): bad tree block start 0 21037056", "filesystem-corrupt"),
    # A blank disk, at https://blog.csdn.net/dahuang1016/article/details/108402271: no sign of a lost superblock.
    ("[    4.444497] EXT4-fs (vda1): VFS: Can't find ext4 filesystem", "boot-mount-failed"),
    ("[ 6025.811852] EXT4-fs (sda3): unable to read superblock", "filesystem-superblock"),
    # https://github.com/Qengineering/Jetson-Nano-image/issues/17
    ("fsck.ext2: Bad magic number in super-block while trying to open /dev/sdb", "filesystem-superblock"),
    # https://github.com/ungureanuvladvictor/BBBlfs/issues/27
    ("ALERT!  /dev/mmcblk1p1 does not exist.  Dropping to a shell!", "filesystem-superblock"),
    # https://github.com/johang/sd-card-images/issues/115
    ("ALERT!  PARTUUID=00000000-02 does not exist.  Dropping to a shell!", "filesystem-superblock"),
    # https://github.com/cobbler/cobbler/issues/1661
    ("dracut-initqueue[372]: Warning: /dev/mapper/centos-root does not exist.", "filesystem-superblock"),
    # https://github.com/MrChromebox/scripts/issues/53
    ("error: no such device: 5f1be668-aeb1-4af0-b6a4-2b3b151b3092.", "filesystem-superblock"),
    # https://github.com/hakuna-m/wubiuefi/issues/277
    ("error: unknown filesystem.", "filesystem-superblock"),
    ("error: ../../grub-core/kern/fs.c:123:unknown filesystem.", "filesystem-superblock"),
    ("sh: write error: No space left on device", "space-full"),
    ("error: ../../grub-core/fs/fshelp.c:257:file `/initrd.img-6.1.0-9-amd64' not found.", "initramfs-missing"),
    # https://github.com/Zakkaus/gentoo-install/pull/605
    ("error: file `/gentoo-install-ram/initramfs' not found.", "initramfs-missing"),
    # https://github.com/Lamobo/Lamobo-D1/issues/3
    ('VFS: Cannot open root device "mtdblock1" or unknown-block(0,0): error -6', "initramfs-missing"),
    # https://github.com/Ultramarine-Linux/bootc/issues/4
    ('VFS: Cannot open root device "UUID=96991ead" or unknown-block(0,0): error -6', "initramfs-missing"),
    # https://github.com/rancher/k3os/issues/130
    ('VFS: Cannot open root device "(null)" or unknown-block(1,0): error -6', "initramfs-missing"),
    ('[    2.9] VFS: Unable to mount root fs on "UUID=1-2" or unknown-block(0,0)', "initramfs-missing"),
    # https://github.com/ataraxialinux/ataraxia/issues/106
    ("[    2.789590] RAMDISK: incomplete write (-28 != 4096)", "initramfs-truncated"),
    # https://github.com/linuxkit/linuxkit/issues/3123
    ("[    1.800889] RAMDISK: EOF while reading compressed data", "initramfs-truncated"),
    # https://github.com/warewulf/warewulf/issues/70
    ("[   27.467888] Initramfs unpacking failed: junk in compressed archive", "initramfs-truncated"),
    # https://github.com/starfive-tech/freelight-u-sdk/issues/21
    ("[    2.618847] Initramfs unpacking failed: invalid magic at start of compressed archive", "initramfs-truncated"),
    # https://github.com/raspberrypi/firmware/issues/124
    (
        "[    2.693819] rootfs image is not initramfs (junk in compressed archive); looks like an initrd",
        "initramfs-truncated",
    ),
    ("error: premature end of file /boot/initrd.img-6.1.", "initramfs-truncated"),
    ("error: file `/grub/grub.cfg' not found.", "grub-config-missing"),
    ("   Minimal BASH-like line editing is supported. For the first word, TAB", "grub-config-missing"),
    # https://github.com/coreos/bugs/issues/1115
    ("error: syntax error.", "grub-config-empty"),
    ("error: Incorrect command.", "grub-config-empty"),
    ("[  OK  ] Finished File System Check on /dev/disk/by-uuid/1.", None),
    ("[  2.1] EXT4-fs (vda1): mounted filesystem with ordered data mode. Quota mode: none.", None),
    ("[  2.1] EXT4-fs (vda1): re-mounted. Quota mode: none.", None),
    ("[  2.1] random: crng init done", None),
    # https://github.com/linuxkit/linuxkit/issues/91: the boot goes on
    ("switch_root: failed to mount moving /sys to /mnt/sys: Invalid argument", None),
    ("switch_root: failed to unlink bin: Directory not empty", None),
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
    # As in LINES: an address where the line was seen so.
    # https://github.com/gardenlinux/gardenlinux/issues/545
    'You are in emergency mode. After logging in, type "journalctl -xb" to view': "boot-emergency-mode",
    "Cannot open access to console, the root account is locked.": "boot-emergency-mode",
    # https://github.com/coreos/fedora-coreos-config/pull/311
    'You are in rescue mode. After logging in, type "journalctl -xb" to view': "boot-emergency-mode",
    # https://blog.dsinf.net/2014/06/systemd-i-proste-rozwiazanie-prostego-bledu-wywolujacego-emergency-mode/
    "Welcome to emergency mode! After login in, type": "boot-emergency-mode",
    # https://github.com/cobbler/cobbler/issues/1661
    "Entering emergency mode. Exit the shell to continue.": "boot-emergency-mode",
    "dracut-initqueue[372]: Warning: Could not boot.": "boot-root-not-found",
    # https://github.com/johang/sd-card-images/issues/115
    "Gave up waiting for root file system device.  Common problems:": "boot-root-not-found",
    "(initramfs)": "boot-initramfs-shell",
    "(initramfs) ": "boot-initramfs-shell",
    # https://github.com/openzfs/zfs/issues/4556
    "dracut:/#": "boot-initramfs-shell",
    # https://github.com/void-linux/void-packages/issues/24128
    "dracut Warning: Could not boot": "boot-root-not-found",
    # https://github.com/dracutdevs/dracut/issues/259
    "systemd[1]: Failed to mount /sysroot.": "boot-root-not-found",
    "systemd[1]: Dependency failed for Initrd Root File System.": "boot-root-not-found",
    "[    2.1] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100": "boot-kernel-panic",
    "grub rescue> ": "boot-loader-prompt",
    # https://github.com/rhinstaller/fedup/issues/1
    "error: file '/upgrade/vmlinuz' not found": "boot-kernel-missing",
    # https://github.com/foxlet/bootra1n/issues/128
    "error: file '/boot/vmlinuz' not found.": "boot-kernel-missing",
    "error: ../../grub-core/fs/fshelp.c:257:file `/boot/vmlinuz-6.1' not found.": "boot-kernel-missing",
    # https://gentoolinux.hatenablog.com/entry/2023/03/06/225638
    "error: symbol 'grub_calloc' not found": "boot-module-missing",
    # https://boardor.com/blog/practical-recovery-of-linux-grub
    "error: symbol 'grub_is_lockdown' not found.": "boot-module-missing",
    # https://github.com/grml/grml-debootstrap/issues/30
    "error: file '/grub/i386-pc/normal.mod' not found.": "boot-module-missing",
    # https://github.com/xcat2/xcat-core/issues/1666
    "[   64.538308] systemd[1]: Failed to load SELinux policy.": "boot-selinux-policy",
    "[!!!!!!] Failed to load SELinux policy, freezing.": "boot-selinux-policy",
    # https://github.com/plus3it/ash-linux-formula/issues/84
    "dracut FATAL: Initial SELinux policy load failed. Machine in enforcing mode.": "boot-selinux-policy",
    "Unable to load SELinux Policy. Machine is in enforcing mode. Halting now.": "boot-selinux-policy",
    "switch_root: failed to mount moving /sysroot to /: Invalid argument": "boot-no-init",
    "switch_root: failed. Sorry.": "boot-no-init",
    # https://github.com/Vince1171/OnePlus3-T-Halium-Prebuild/issues/7
    "[    2.607329] Target filesystem doesn't have requested /sbin/init.": "boot-no-init",
    "[    2.611232] No init found. Try passing init= bootarg.": "boot-no-init",
    # https://github.com/carlosedp/riscv-bringup/issues/35
    "run-init: can't execute '/sbin/init': No such file or directory": "boot-no-init",
    # https://github.com/rear/rear/issues/509
    "run-init: /sbin/init: No such file or directory": "boot-no-init",
    # https://github.com/MichielDerhaeg/build-linux/issues/23
    "Requested init /sbin/init failed (error -13)": "boot-no-init",
    # https://github.com/random-archer/mkinitcpio-systemd-tool/issues/10
    "systemd[1]: Failed to start Switch Root.": "boot-no-init",
    "systemctl[974]: Failed to switch root: Specified switch root path '/sysroot' does not seem": "boot-no-init",
    # https://github.com/systemd/systemd/issues/5442
    "systemd[1]: Caught <ABRT>, dumped core as pid 453.": "boot-init-froze",
    "systemd[1]: Freezing execution.": "boot-init-froze",
    # https://github.com/systemd/systemd/issues/9963
    "[!!!!!!] Failed to execute fallback shell, freezing.": "boot-init-froze",
    # https://10pcg.com/bios-cant-pass-the-secure-validation/
    "Verification failed: (0x1A) Security Violation": "boot-secure-boot",
    # https://github.com/oxidecomputer/omicron/issues/3111
    'BdsDxe: failed to load Boot0001 "UEFI " from PciRoot(0x0)/Pci(0x10,0x0): Not Found': "boot-loader-missing",
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


def test_a_disk_that_is_not_ext4_may_be_meant_to_be_absent() -> None:
    """A wrong type, a blank disk and a lost superblock make the kernel say the same; with nofail the boot goes on."""
    told = "[    4.444497] EXT4-fs (vdb): VFS: Can't find ext4 filesystem\n"
    report = judge(FIRMWARE + told)
    assert (report.boot, [(one.fault, one.severity) for one in report.findings]) == (
        "unknown",
        [("boot-mount-failed", "error")],
    )
    assert judge(FIRMWARE + told + "web1 login: ").findings == ()
    report = judge(FIRMWARE + told + "[FAILED] Failed to mount mnt-data.mount - /mnt/data.\n")
    assert (report.boot, {one.fault for one in report.findings}) == ("failed", {"boot-mount-failed"})


@pytest.mark.parametrize(
    "line",
    [
        "[FAILED] Failed to start sshd.service - OpenSSH server daemon.",
        # https://github.com/gsauthof/dracut-sshd/issues/77
        "[FAILED] Failed to start OpenSSH server daemon.",
        # https://github.com/Vanilla-OS/desktop-image/issues/240
        "systemd[1]: Failed to start ssh.service - OpenBSD Secure Shell server.",
    ],
)
def test_a_server_without_its_sshd_has_booted_all_the_same(line: str) -> None:
    report = judge(f"{line}\nweb1 login: ")
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
