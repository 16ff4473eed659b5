# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which first fields of fstab name a device of which can be told whether the server has it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from ...._formats.filesystem_types import is_local

if t.TYPE_CHECKING:
    from ...._formats.fstab import FstabEntry

__all__ = ("is_kernel_name", "names_device")

_TAG = re.compile(r"^(?:UUID|LABEL|PARTUUID|PARTLABEL)=.")
_BY_TAG = re.compile(r"^/dev/disk/by-(?:uuid|label|partuuid|partlabel)/.")
_KERNEL_NAME = re.compile(r"^/dev/(?:(?:sd|vd|xvd|hd)[a-z]{1,2}\d{0,3}|nvme\d+n\d+(?:p\d+)?)$")
# A volume of a group; what crypttab, multipath or a fake RAID maps has names of many other shapes.
_MAPPED = re.compile(
    r"^/dev/mapper/(?!luks-|mpath|[0-9a-f]{16}|(?:ddf1|isw|nvidia|pdc|sil|via|asr|hpt\w*)_)[^/]*[^/-]-[^/-][^/]*$"
)
# Two names are a group and a volume, except where a driver keeps its devices in a directory.
_VOLUME = re.compile(
    r"^/dev/(?!(?:disk|mapper|md|drbd|rbd|zvol|cciss|ida|bcache|etherd|block|char|fd|shm|loop)/)[^/]+/[^/]+$"
)


def names_device(entry: FstabEntry) -> bool:
    """Whether the first field names a device of which can be told that the server does not have it.

    Not the network, not what the kernel makes up, and not names that depend on the bus (by-path, by-id), on removable
    media, or on a driver that gives names as it likes (multipath, DRBD, md).
    """
    options = entry.options
    if not is_local(entry.fstype) or any(item in ("_netdev", "bind", "rbind", "loop") for item in options):
        return False
    if any(item.startswith("loop=") for item in options):
        return False
    return any(pattern.match(entry.spec) for pattern in (_TAG, _BY_TAG, _KERNEL_NAME, _MAPPED, _VOLUME))


def is_kernel_name(spec: str) -> bool:
    """Whether it is a name such as /dev/sdb1, which the next boot may give to another disk."""
    return bool(_KERNEL_NAME.match(spec))
