# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RAID and LVM of the patient, put together from its layers only and taken apart afterwards.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from ..._errors import OpenRescueError
from ..tools import Tools
from .survey import Block

__all__ = ("MEMBERS", "assemble", "lvm_config")

#: what libblkid calls a part of something larger
MEMBERS = ("LVM2_member", "linux_raid_member")


def lvm_config(paths: t.Iterable[str]) -> str:
    """LVM settings for one command: it sees these devices, no others, and keeps nothing on the rescue system."""
    accept = ",".join(f'"a|^{re.escape(path)}$|"' for path in sorted(paths))
    return (
        f'devices {{ use_devicesfile=0 filter=[{accept},"r|.*|"] global_filter=[{accept},"r|.*|"] '
        "obtain_device_list_from_udev=0 allow_changes_with_duplicate_pvs=0 } "
        "activation { udev_sync=0 udev_rules=0 monitoring=0 auto_activation_volume_list=[] } "
        "backup { backup=0 archive=0 } global { event_activation=0 use_lvmpolld=0 }"
    )


def assemble(tools: Tools, members: t.Sequence[tuple[Block, str]], *, writable: t.Container[str]) -> list[str]:
    """Activate what is built from these devices.

    :param members: each device with the path by which it is to be read.
    :param writable: kernel names of those that are to be written; an array of others is read-only, or it would
        begin to synchronise into our layers.
    :returns: what did not work.
    """
    notes: list[str] = []
    arrays: dict[str, list[str]] = {}
    opened: set[str] = set()
    volumes: list[str] = []
    for block, path in members:
        if block.fstype == "linux_raid_member":
            array = block.signature.get("UUID", "")
            arrays.setdefault(array, []).append(path)
            if block.kname in writable:
                opened.add(array)
        elif block.fstype == "LVM2_member":
            volumes.append(path)
    for count, (array, paths) in enumerate(sorted(arrays.items())):
        mode = [] if array in opened else ["--readonly"]
        _try(tools, ["mdadm", "--assemble", *mode, "--run", f"/dev/md{900 + count}", *paths], notes)
    if volumes:
        _try(tools, ["vgchange", "--activate", "y", "--config", lvm_config(volumes)], notes)
    return notes


def _try(tools: Tools, argv: t.Sequence[str], notes: list[str]) -> None:
    try:
        tools.run(argv, timeout=120)
    except OpenRescueError as exc:
        notes.append(exc.message)
