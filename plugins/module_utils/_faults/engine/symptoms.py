# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What any of many causes leads to on a console. Their words are shown, but never before a cause.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from ..model import Signature

__all__ = ("SYMPTOMS",)

#: name, pattern, what the server did
_STOPPED: tuple[tuple[str, str, str], ...] = (
    (
        "boot-mount-failed",
        r"(?:Dependency failed for|Failed to mount) (?:\S{1,200} - )?(/(?!sysroot)\S{0,200}?)\.?$",
        "could not mount {0}",
    ),
    (
        "boot-emergency-mode",
        r"You are in emergency mode|Entering emergency mode\.|Welcome to emergency mode!",
        "stopped in emergency mode",
    ),
    ("boot-emergency-mode", r"You are in rescue mode|Welcome to rescue mode!", "stopped in rescue mode"),
    ("boot-emergency-mode", r"Cannot open access to console, the root account is locked", "cannot show a root shell"),
    (
        "boot-initramfs-shell",
        r"^\(initramfs\)|^(?:dracut|initqueue|switch_root|pre-mount|pre-pivot|emergency|rdsosreport):/[^#]{0,40}#(?:\s|$)",
        "stopped in the shell of its initramfs",
    ),
    ("boot-root-not-found", r"^Gave up waiting for root", "did not find its root file system in time"),
    (
        "boot-root-not-found",
        r"dracut(?:-initqueue\[\d{1,8}\])?:? Warning: Could not boot",
        "did not find its root file system in time",
    ),
    (
        "boot-root-not-found",
        r"Dependency failed for (?:\S{1,200} - )?(?:Initrd Root Device|Initrd Root File System|/sysroot)",
        "did not find its root file system in time",
    ),
    ("boot-root-not-found", r"Failed to mount (?:\S{1,200} - )?/sysroot", "could not mount its root file system"),
    (
        "boot-no-init",
        (
            r"(?:[Rr]equested init \S{1,100} (?:failed|does not exist)|No (?:working )?init found"
            r"|doesn't have requested \S{1,100}init|[Rr]un-init: .{1,100}No such file"
            r"|Failed to (?:switch root|start (?:initrd-switch-root\.service - )?Switch Root)"
            # What it cannot move or remove of the initramfs does not stop it.
            r"|switch_root: failed(?:\. Sorry| to (?:execute|change|mount moving \S{1,100} to /:)))"
        ),
        "could not start its own system from the initramfs",
    ),
    ("boot-kernel-panic", r"Kernel panic - not syncing: (.{1,120})", "panicked: {0}"),
    (
        "boot-selinux-policy",
        r"(?:Failed|Unable) to load SELinux [Pp]olicy|Initial SELinux policy load failed",
        "stopped since the policy of SELinux cannot be loaded",
    ),
    (
        "boot-init-froze",
        r"systemd\[1\]: (?:Freezing execution|Caught <\w+>)|^\[!!!!!!\] (?!.{0,200}SELinux).{1,200}, freezing",
        "stopped: its init crashed, or cannot go on",
    ),
    (
        "boot-kernel-missing",
        r"error: (?:\S{1,80}:\d{1,5}: ?)?file [`']([^`']{0,200}(?:vmlinu[xz]|linux|Image)[^`']{0,100})' not found",
        "stopped: the boot loader does not find the kernel {0}",
    ),
    (
        "boot-module-missing",
        r"error: (?:\S{1,80}:\d{1,5}: ?)?(?:file [`'][^`']{0,200}\.mod' not found|symbol [`'][^`']{1,80}' not found)",
        "stopped: the boot loader does not fit its modules",
    ),
    (
        "boot-secure-boot",
        (
            r"(?i)verification failed: ?\(0x1a\)|bad shim signature|has invalid signature|secure boot violation"
            r"|failed to load .{1,100}: Access Denied|Security Policy Violation"
        ),
        "stopped: Secure Boot refuses what it was to start",
    ),
    (
        "boot-loader-missing",
        r"Failed to open \\\\?EFI\\\S{1,100}|start_image\(\) returned|BdsDxe: failed to (?:load|start) Boot",
        "stopped: the firmware does not find the boot loader",
    ),
    ("boot-loader-prompt", r"^grub(?: rescue)?> ?|^Entering rescue mode\.\.\.", "stopped at the boot loader's prompt"),
    (
        "boot-no-device",
        r"No bootable device|not a bootable disk|^BdsDxe: No bootable|^UEFI Interactive Shell|^Shell>",
        "found nothing to boot from",
    ),
)
#: what has failed, and may stop the boot or not: a line of fstab with nofail does not
_TRIED: tuple[tuple[str, str, str], ...] = (
    (
        "boot-mount-failed",
        r"EXT4-fs \((\S{1,40})\): VFS: Can't find ext4 filesystem",
        "could not mount {0} as ext4: it is of another type, blank, or has lost its superblock",
    ),
)
#: what does not stop a boot, but keeps people out
_FAILED: tuple[tuple[str, str, str], ...] = (
    (
        "boot-service-failed",
        r"Failed to start (?:sshd?\.service - )?((?:OpenSSH|OpenBSD Secure Shell) (?:server daemon|server|Daemon))",
        "could not start its {0}",
    ),
)

SYMPTOMS: tuple[tuple[str, Signature], ...] = (
    *((name, Signature(pattern, f"the server {words}")) for name, pattern, words in _STOPPED),
    *((name, Signature(pattern, f"the server {words}", severity="error")) for name, pattern, words in _TRIED),
    *(
        (name, Signature(pattern, f"the server {words}", severity="error", survives_boot=True))
        for name, pattern, words in _FAILED
    ),
)
