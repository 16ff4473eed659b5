# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several lines of /etc/fstab for one mount point.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from ..model import Fault, Signature, Words
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
    words=Words(
        meaning="Two lines of ``/etc/fstab`` have the same mount point, such as an old line that was left beside its "
        "successor.",
        effect="systemd takes the first line and complains about the others. If the first one names a device that is "
        "gone, the boot waits for it and ends in emergency mode, although the second line would be right. Otherwise "
        "the server boots with what the first line mounts.",
        detection="Lines with the same mount point are compared by what they name. A line with ``noauto`` does not "
        "count.",
        scope="Every distribution. Subvolumes of one btrfs are different things, and not taken for the same.",
        remedy="One line is kept: the first, or, where that names a device that the server certainly lacks, the first "
        "that does not. The others are commented out.",
        safety="Safe where nobody misses the line: it says the same as the kept one, mounts the same file system and "
        "subvolume, or stops the boot for a device that is certainly gone. Otherwise the disks may take turns, and a "
        "person decides.",
    ),
)
