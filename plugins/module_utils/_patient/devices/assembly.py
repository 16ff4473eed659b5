# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Putting RAID and LVM together and unlocking LUKS, without keeping anything on the rescue system.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ..._errors import OpenRescueError
from ..limit import Stopped
from ..tools import Tools
from .graph import Unit

__all__ = ("FIRST_ARRAY", "Assembly", "Failed", "WrongPassphrase", "assemble", "lvm_config")

#: numbers of arrays from here on are ours: the patient's own may be taken on this system
FIRST_ARRAY = 900


#: UUID of a unit -> why it did not come up
Failed = dict[str, OpenRescueError]


class WrongPassphrase(OpenRescueError):
    """None of the passphrases opens the container."""

    code = "luks_passphrase"


@dataclasses.dataclass(frozen=True)
class Assembly:
    """A unit that is to be put together.

    :param paths: by which its members are read: layers over them, or they themselves.
    :param number: of an array: the number of its device.
    :param writable: whether what is built takes writes.
    :param volumes: of a group: names of the volumes that take writes; all the others do not.
    """

    unit: Unit
    paths: tuple[str, ...]
    number: int = 0
    writable: bool = False
    volumes: tuple[str, ...] = ()


def lvm_config(paths: t.Iterable[str], *, read_only: t.Iterable[str] = ()) -> str:
    """LVM settings for one command: it sees these devices, no others, and keeps nothing on the rescue system.

    :param read_only: volumes (``group/volume``) that take no writes once they are active.
    """
    accept = ",".join(f'"a|^{re.escape(path)}$|"' for path in sorted(paths))
    volumes = ",".join(f'"{name}"' for name in sorted(read_only))
    closed = f"read_only_volume_list=[{volumes}] " if volumes else ""
    return (
        f'devices {{ use_devicesfile=0 filter=[{accept},"r|.*|"] global_filter=[{accept},"r|.*|"] '
        "obtain_device_list_from_udev=0 allow_changes_with_duplicate_pvs=0 } "
        f"activation {{ udev_sync=0 udev_rules=0 monitoring=0 auto_activation_volume_list=[] {closed}}} "
        "backup { backup=0 archive=0 } global { event_activation=0 use_lvmpolld=0 }"
    )


def assemble(tools: Tools, wanted: t.Sequence[Assembly], *, passphrases: t.Sequence[str]) -> Failed:
    """Activate what is built from these members. What does not come up keeps nothing else from doing so.

    :param passphrases: each is tried on each container.
    :raises Stopped: the whole call is to end.
    """
    failed: Failed = {}
    for item in wanted:
        try:
            if item.unit.kind == "array":
                _assemble_array(tools, item)
            elif item.unit.kind == "luks":
                _unlock(tools, item, passphrases)
        except Stopped:
            raise
        except OpenRescueError as exc:
            failed[item.unit.uuid] = exc
    groups = [item for item in wanted if item.unit.kind == "group"]
    if groups:
        try:
            _activate(tools, groups)
        except Stopped:
            raise
        except OpenRescueError as exc:
            # Whatever could be activated is active all the same; what is missing is seen by who looks for it.
            failed.update((item.unit.uuid, exc) for item in groups)
    return failed


def _assemble_array(tools: Tools, item: Assembly) -> None:
    # Read-only, since it would begin to synchronise.
    mode = [] if item.writable else ["--readonly"]
    tools.run(["mdadm", "--assemble", *mode, "--run", f"/dev/md{item.number}", *item.paths], timeout=120)


def _activate(tools: Tools, groups: t.Sequence[Assembly]) -> None:
    closed = [
        f"{item.unit.name}/{volume.name}"
        for item in groups
        if item.writable and item.unit.group
        for volume in item.unit.group.volumes
        if volume.name not in item.volumes
    ]
    paths = [path for item in groups for path in item.paths]
    tools.run(["vgchange", "--activate", "y", "--config", lvm_config(paths, read_only=closed)], timeout=120)


def _unlock(tools: Tools, item: Assembly, passphrases: t.Sequence[str]) -> None:
    name = f"luks-{item.unit.uuid}"
    mode = [] if item.writable else ["--readonly"]
    for passphrase in passphrases:
        # By stdin, since a command line is seen by all.
        done = tools.run(
            ["cryptsetup", "open", "--type=luks", "--batch-mode", "--key-file=-", *mode, *item.paths, name],
            timeout=300,
            ok=(0, 2),
            stdin=passphrase.encode("utf-8", "surrogateescape"),
        )
        if done.rc == 0:
            return
    raise WrongPassphrase("no passphrase of 'luks_passphrases' opens it")
