# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several lines of /etc/fstab for one mount point.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from ..model import Fault, Signature
from .shared.duplicates import judge_duplicates
from .shared.findings import detector, repairer

__all__ = ("FSTAB_DUPLICATE_MOUNT_POINT",)

ID = "fstab-duplicate-mount-point"

FSTAB_DUPLICATE_MOUNT_POINT = Fault(
    id=ID,
    title="Two lines of /etc/fstab mount at the same place",
    signatures=(
        Signature(
            r"Failed to create (?:mount )?unit file '?(\S{1,200}?)'?, as it already exists\. "
            r"Duplicate entry in '?/etc/fstab",
            "/etc/fstab mounts twice at the same place: {0}",
            severity="error",
            survives_boot=True,
        ),
    ),
    detect=detector(ID, judge_duplicates),
    repair=repairer(ID, judge_duplicates),
    safe=True,
)
