# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Layers that keep a foreign disk as it is: the read-only flag, and throw-away snapshots over it.

With device-mapper, each device gets a snapshot in memory, so that a journal can be replayed, a file system
checked and mounted, and a repair tried, while nothing of it reaches the disk. Without device-mapper there
is the read-only flag alone, and journals are not replayed.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import typing as t

from ..._errors import OpenRescueError
from ..syscalls import attach_loop, set_read_only
from ..tools import Tools
from .survey import OVERLAY_PREFIX, Block

__all__ = ("Layers",)

_SECTOR = 512
_CHUNK = 8  # sectors: 4 KiB, the smallest that a snapshot copies


class Layers:
    """The layers over one set of devices, and their way back, also after a run that was killed.

    :param tag: ``run`` for one module call, ``mount`` for what stays after it; they do not touch each other.
    :param folder: on memory; the snapshots' changed blocks go here.
    :param state: a file that outlives the process: which devices were set read-only.
    """

    def __init__(self, *, tools: Tools, tag: str, folder: str, state: str) -> None:
        self._tools = tools
        self._prefix = f"{OVERLAY_PREFIX}{tag}-"
        self._folder = folder
        self._state = state
        self._held: list[int] = []
        #: kernel name of a device -> path of the snapshot over it, and of the file with its changed blocks
        self.snapshots: dict[str, str] = {}
        self.stores: dict[str, str] = {}
        #: why there are no snapshots; empty if there are
        self.reason = ""

    def protect(self, blocks: t.Iterable[Block]) -> None:
        """Set devices read-only, remembering which were not, before anything else touches them."""
        fresh = [block.path for block in blocks if not block.read_only]
        self._remember("protected", fresh)
        for path in fresh:
            set_read_only(path, value=True)

    def lay(self, blocks: t.Sequence[Block]) -> None:
        """Put a snapshot over each device; where the kernel cannot, say so in :attr:`reason`."""
        if not self._tools.has("dmsetup"):
            self.reason = "the rescue system has no dmsetup"
            return
        if not blocks:
            return
        tables = [self._table(block) for block in blocks]
        try:
            # Without udev: its rules would look at the new devices, and hold them while they do.
            self._tools.run(
                ["dmsetup", "create", "--noudevsync", "--noudevrules", "--concise", ";".join(tables)], timeout=60
            )
        except OpenRescueError as exc:
            if self.snapshots:
                raise
            self.reason = f"device-mapper does not work here ({exc.message.rpartition(': ')[2]})"
            self._release()
            return
        names = _mapped(self._prefix)
        for name, path in names.items():
            # lsblk and LVM know a device by this name only, and udev was told to leave it alone.
            if not os.path.lexists(f"/dev/mapper/{name}"):
                os.symlink(path, f"/dev/mapper/{name}")
        self.snapshots.update({block.kname: names[self._name(block)] for block in blocks})
        self.stores.update({block.kname: self._store(block) for block in blocks})

    def check(self) -> None:
        """Say so if a snapshot has run out of memory, since all that is read from it then is wrong."""
        if not self.snapshots:
            return
        status = self._tools.run(["dmsetup", "status", "--target", "snapshot"], timeout=60, ok=(0, 1)).stdout
        full = [
            line.split(":")[0] for line in status.splitlines() if re.search(r" snapshot (?:Invalid|Overflow)", line)
        ]
        mine = [name for name in full if name.startswith(self._prefix)]
        if mine:
            raise OpenRescueError(
                f"the memory for the throw-away layer over {mine[0][len(self._prefix) :]} is used up",
                code="overlay_full",
                hint="Give the rescue system more memory, or limit the run with 'faults'",
            )

    def remove(self) -> None:
        """Take everything away again: what is stacked on our snapshots, the snapshots, the read-only flags."""
        mapped = _mapped("")
        ours = {path for name, path in mapped.items() if name.startswith(self._prefix)}
        names = {path: name for name, path in mapped.items()}
        state = _read_state(self._state)
        kept = {os.path.realpath(path) for path in (*state.get("opened", []), *state.get("bases", []))}
        stacked = _stacked_on(ours | kept)
        before = {os.path.realpath(path) for path in state.get("found", [])}
        built = {path for path in stacked if path in names or os.path.basename(path).startswith("md")} - before
        for is_mapped, paths in itertools.groupby((path for path in stacked if path in built), names.__contains__):
            if is_mapped:
                found = [names[path] for path in paths]
                self._tools.run(["dmsetup", "remove", "--retry", "--noudevsync", *found], timeout=60)
                for name in found:
                    _remove_links(name)
            else:
                self._tools.run(["mdadm", "--stop", *paths], timeout=60)
        self._release()
        for path in state.get("protected", []):
            with contextlib.suppress(OSError):  # it is gone with its disk
                set_read_only(path, value=False)
        if os.path.exists(self._state):
            os.unlink(self._state)

    def leave(self) -> None:
        """Keep the layers when this process ends: they hold their loop devices themselves."""
        while self._held:
            os.close(self._held.pop())

    def open_up(self, blocks: t.Iterable[Block]) -> None:
        """Let writes through to these devices: only to those that were writable before we came."""
        paths = [block.path for block in blocks]
        self._remember("opened", paths)
        ours = _read_state(self._state).get("protected", [])
        for path in paths:
            if path in ours:
                set_read_only(path, value=False)

    def keep(self, blocks: t.Iterable[Block]) -> None:
        """Volumes and arrays that were active before we came stay so."""
        self._remember("found", [block.path for block in blocks])

    def build_on(self, paths: t.Iterable[str]) -> None:
        """Something is about to be built on these devices themselves, and has to go when all is taken away."""
        self._remember("bases", sorted(paths))

    def _remember(self, what: str, paths: t.Sequence[str]) -> None:
        if paths:
            state = _read_state(self._state)
            _write_state(self._state, {**state, what: sorted({*state.get(what, []), *paths})})

    def _table(self, block: Block) -> str:
        room = os.statvfs(self._folder)
        backing = self._store(block)
        with open(backing, "wb") as file:
            # Sparse: it takes what is written. A snapshot's bookkeeping is a little more than its data.
            file.truncate(min(block.size + block.size // 64 + 1024 * 1024, room.f_blocks * room.f_frsize))
        loop, held = attach_loop(backing)
        self._held.append(held)
        sectors = block.size // _SECTOR
        return f"{self._name(block)},,,rw,0 {sectors} snapshot {block.path} {loop} P {_CHUNK}"

    def _store(self, block: Block) -> str:
        return os.path.join(self._folder, f"{self._name(block)}.cow")

    def _name(self, block: Block) -> str:
        return self._prefix + re.sub(r"[^A-Za-z0-9]", "_", block.kname)

    def _release(self) -> None:
        while self._held:
            os.close(self._held.pop())
        self.snapshots, self.stores = {}, {}
        if os.path.isdir(self._folder):
            for name in os.listdir(self._folder):
                if name.endswith(".cow"):
                    os.unlink(os.path.join(self._folder, name))


def _mapped(prefix: str) -> dict[str, str]:
    """Names of device-mapper devices and their paths."""
    found: dict[str, str] = {}
    for kname in os.listdir("/sys/block"):
        file = f"/sys/block/{kname}/dm/name"
        if kname.startswith("dm-") and os.path.exists(file):
            with open(file, encoding="utf-8") as opened:
                name = opened.read().strip()
            if name.startswith(prefix):
                found[name] = f"/dev/{kname}"
    return found


def _stacked_on(paths: t.Collection[str]) -> list[str]:
    """These devices and all that is built on them, the uppermost first."""
    order: list[str] = []

    def visit(path: str) -> None:
        holders = f"/sys/class/block/{os.path.basename(path)}/holders"
        for holder in os.listdir(holders) if os.path.isdir(holders) else ():
            visit(f"/dev/{holder}")
        if path not in order:
            order.append(path)

    for path in sorted(paths):
        visit(path)
    return order


def _remove_links(name: str) -> None:
    """The names in /dev that outlive a device, where udev is not asked to make them and take them away."""
    if os.path.lexists(f"/dev/mapper/{name}"):
        os.unlink(f"/dev/mapper/{name}")
    parts = [part.replace("--", "-") for part in re.split(r"(?<!-)-(?!-)", name)]
    link = "/dev/" + "/".join(parts)
    if len(parts) == 2 and os.path.islink(link) and not os.path.exists(link):
        os.unlink(link)
        if not os.listdir(os.path.dirname(link)):
            os.rmdir(os.path.dirname(link))


def _read_state(path: str) -> dict[str, list[str]]:
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        return {str(key): [str(item) for item in value] for key, value in json.load(file).items()}


def _write_state(path: str, state: t.Mapping[str, t.Sequence[str]]) -> None:
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        json.dump(state, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(f"{path}.new", path)
