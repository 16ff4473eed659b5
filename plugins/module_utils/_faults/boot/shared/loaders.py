# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the firmware may start: the code in the boot sectors, and the programs on the EFI partition.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ...._formats.boot_entry import MAX_ENTRIES

if t.TYPE_CHECKING:
    from ...._patient.patient import Patient

__all__ = ("boot_code", "efi_programs", "other_loader")

SECTOR = 512
#: what cloud-init calls the file system that the cloud hands over its data on
CONFIG_DRIVES = ("config-2", "cidata")
#: the sector that parted writes to every MBR: it starts the active partition, and nothing where none is
PARTED = bytes.fromhex("fab800108ed0bc00b0")
#: programs that start no system by themselves, or one that is followed: by how their names begin
FOLLOWED = ("grub", "shim", "systemd-boot")
HELPERS = (
    *("gcd", "mm", "mokmanager", "fb", "fallback", "fwup", "memtest"),
    *("shell", "keytool", "hashtool", "enroll", "lockdown"),
)


def other_loader(patient: Patient) -> str:
    """Why the server may start by a loader that is not followed here; empty if there is no sign of one."""
    return patient.once(
        "other loaders", lambda: _hidden(patient) or _foreign_code(patient) or _foreign_program(patient)
    )


def _hidden(patient: Patient) -> str:
    for item in patient.filesystems:
        if item.fstype == "vfat" and item.mount_point is None and (item.label or "").lower() not in CONFIG_DRIVES:
            return f"{item.device} may hold a boot loader and is not mounted"
    return ""


# -- BIOS


def boot_code(patient: Patient) -> str:
    """What the BIOS finds on the first disk that it can start, in words; empty if nothing that is known."""
    return patient.once("boot code", lambda: next(filter(None, (_code(patient, disk) for disk in patient.disks)), ""))


def _code(patient: Patient, disk: str) -> str:
    sector = patient.disk_bytes(disk, 0, SECTOR)
    if not _is_code(sector):
        return ""
    if b"GRUB" in sector[:440]:
        core = patient.disk_bytes(disk, int.from_bytes(sector[0x5C:0x64], "little") * SECTOR, SECTOR)
        return f"GRUB in the boot sector of {disk}" if b"loading" in core else ""
    if b"LINUX" in sector[:16]:  # a file system on the bare disk
        return f"extlinux in the boot sector of {disk}"
    for start in _active_partitions(sector):
        if b"LINUX" in patient.disk_bytes(disk, start * SECTOR, SECTOR)[:16]:
            return f"extlinux in the active partition of {disk}"
    return ""


def _foreign_code(patient: Patient) -> str:
    for disk in patient.disks:
        sector = patient.disk_bytes(disk, 0, SECTOR)
        if not _is_code(sector) or _code(patient, disk):
            continue
        starts = (patient.disk_bytes(disk, start * SECTOR, SECTOR) for start in _active_partitions(sector))
        if not sector.startswith(PARTED) or any(_is_code(start) for start in starts):
            return f"what the boot sector of {disk} starts is not known"
    return ""


def _is_code(sector: bytes) -> bool:
    return len(sector) == SECTOR and sector[510:] == b"\x55\xaa" and bool(sector[:440].strip(b"\0"))


def _active_partitions(sector: bytes) -> list[int]:
    entries = [sector[at : at + 16] for at in range(446, 510, 16)]
    return [int.from_bytes(entry[8:12], "little") for entry in entries if entry[0] == 0x80]


# -- UEFI


def efi_programs(patient: Patient) -> tuple[str, list[str]]:
    """Where the EFI partition is mounted, and the programs that its firmware would start."""
    tops = [patient.esp.mount_point] if patient.esp and patient.esp.mount_point else []
    for top in (*tops, "/boot/efi", "/efi", "/boot"):
        programs = patient.tree.glob(f"{top}/[eE][fF][iI]/*/*.[eE][fF][iI]", limit=2000)[:MAX_ENTRIES]
        if programs:
            return top, programs
    return "", []


def _foreign_program(patient: Patient) -> str:
    """A program of no known kind; BOOTX64.EFI and its like are copies of one that is there under its own name."""
    for path in efi_programs(patient)[1]:
        folder, name = path.lower().split("/")[-2:]
        # Unified kernel images are no loaders, and are followed.
        if folder not in ("boot", "linux") and not name.startswith((*FOLLOWED, *HELPERS)):
            return f"{path} may be the loader that starts, and what it reads is not known"
    return ""
