# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines of /etc/fstab that cannot be read, or ask for what mount does not know.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from ..model import Fault, Signature
from .shared.findings import detector, repairer
from .shared.reading import judge_syntax

__all__ = ("FSTAB_SYNTAX",)

ID = "fstab-syntax"

FSTAB_SYNTAX = Fault(
    id=ID,
    title="A line of /etc/fstab cannot be read, or asks for what mount does not know",
    signatures=(
        Signature(
            r"/etc/fstab: parse error at line (\d{1,6})",
            "line {0} of /etc/fstab cannot be parsed",
            severity="error",
            survives_boot=True,
        ),
        Signature(
            r"systemd-fstab-generator\[\d{1,8}\]: Mount point (\S{1,200}) is not a valid path, ignoring",
            "/etc/fstab names {0} as a mount point, which is no absolute path",
            severity="error",
            survives_boot=True,
        ),
        Signature(
            r"(?:EXT4-fs|ext4|XFS|xfs|BTRFS|btrfs|vfat|FAT-fs)[^:]{0,40}: "
            r"(?:Unknown parameter|Unrecognized mount option|unrecognized mount option) ['\"]?([\w=-]{1,60})",
            "a file system is mounted with the option {0}, which it does not know",
        ),
    ),
    detect=detector(ID, judge_syntax),
    repair=repairer(ID, judge_syntax),
    safe=True,
)
