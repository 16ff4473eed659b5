# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of the patient's own programs build an initramfs and a grub.cfg: a line for each family of distributions.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from ...._patient.patient import Patient

__all__ = ("grub_config_builder", "initramfs_builder")

#: program -> its arguments for one initramfs of one kernel
_INITRAMFS: tuple[tuple[str, tuple[str, ...]], ...] = (
    # Straight, and not through update-initramfs, which refuses by what it noted about the old file.
    ("/usr/sbin/mkinitramfs", ("mkinitramfs", "-o", "{path}", "{release}")),
    # Host-only would look at the rescue system's devices.
    ("/usr/bin/dracut", ("dracut", "--force", "--no-hostonly", "--kver", "{release}", "{path}")),
    ("/usr/sbin/dracut", ("dracut", "--force", "--no-hostonly", "--kver", "{release}", "{path}")),
    ("/usr/bin/mkinitcpio", ("mkinitcpio", "-k", "{release}", "-g", "{path}")),
    ("/sbin/mkinitfs", ("mkinitfs", "-o", "{path}", "{release}")),
    ("/usr/sbin/mkinitfs", ("mkinitfs", "-o", "{path}", "{release}")),
)
_GRUB_CONFIG = ("grub-mkconfig", "grub2-mkconfig")
_FOLDERS = ("/usr/sbin", "/usr/bin", "/sbin")
#: what mkconfig makes the entries of a distribution's own kernels with
_TEMPLATE = "/etc/grub.d/10_linux"


def initramfs_builder(patient: Patient, *, release: str, path: str) -> list[str] | None:
    """The command that builds an initramfs for exactly this kernel, at this path."""
    for program, arguments in _INITRAMFS:
        if patient.tree.is_file(program):
            return [argument.format(path=path, release=release) for argument in arguments]
    return None


def grub_config_builder(patient: Patient, *, path: str) -> list[str] | None:
    """The command that writes a grub.cfg; without looking for other systems' disks."""
    if not patient.tree.is_file(_TEMPLATE):
        return None
    for name in _GRUB_CONFIG:
        if any(patient.tree.is_file(f"{folder}/{name}") for folder in _FOLDERS):
            return ["env", "GRUB_DISABLE_OS_PROBER=true", name, "-o", path]
    return None
