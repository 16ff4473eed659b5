# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of the patient's own programs build an initramfs and a grub.cfg: a line for each family of distributions.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
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
#: where mkinitramfs and dracut work, and what an initramfs with its parts may take there
_VAR_TMP, _ROOM = "/var/tmp", 256 * 1024 * 1024  # noqa: S108
_GRUB_CONFIG = ("grub-mkconfig", "grub2-mkconfig")
_FOLDERS = ("/usr/sbin", "/usr/bin", "/sbin")
_VOLUME = re.compile(r"/dev/(?!mapper/|disk/|md/)[^/]+/[^/]+")
#: what mkconfig makes the entries of a distribution's own kernels with
_TEMPLATE = "/etc/grub.d/10_linux"


def initramfs_builder(patient: Patient, *, release: str, path: str) -> list[str] | None:
    """The command that builds an initramfs for exactly this kernel, at this path."""
    for program, arguments in _INITRAMFS:
        if patient.tree.is_file(program):
            return [*_workshop(patient), *(argument.format(path=path, release=release) for argument in arguments)]
    return None


def _workshop(patient: Patient) -> list[str]:
    """Where the initramfs is put together: in memory, where the place for it is nearly full."""
    filesystem = patient.covering(_VAR_TMP)
    usage = patient.tree.usage(_VAR_TMP, fstype=filesystem.fstype) if filesystem else None
    return [] if usage is None or usage.available_bytes >= _ROOM else ["env", "TMPDIR=/tmp"]


def grub_config_builder(patient: Patient, *, path: str) -> list[str] | None:
    """The command that writes a grub.cfg; without looking for other systems' disks, its last words name the file."""
    if not patient.tree.is_file(_TEMPLATE):
        return None
    for name in _GRUB_CONFIG:
        if any(patient.tree.is_file(f"{folder}/{name}") for folder in _FOLDERS):
            return ["env", "GRUB_DISABLE_OS_PROBER=true", *_named_root(patient), name, "-o", path]
    return None


def _named_root(patient: Patient) -> list[str]:
    """A volume is named on the kernel's command line, for its snapshots have its UUID.

    GRUB's script does so by itself where it may ask device-mapper, which it may not here. The patient's own settings
    are read later, and win.
    """
    names = (patient.root.device, *patient.root.aliases) if patient.root else ()
    return ["GRUB_DISABLE_LINUX_UUID=true"] if any(_VOLUME.fullmatch(name) for name in names) else []
