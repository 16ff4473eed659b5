# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files on the hypervisor, through libvirt's storage API alone: it works for a remote hypervisor as well.

Where no pool covers a directory, a transient one does for the time being. libvirt opens every file of a pool's
directory: never is one made where opening a file does something.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import hashlib
import os.path
import re
import threading
import time
import typing as t
import xml.etree.ElementTree as ET

from .._errors import ConnectionLost, OpenRescueError
from .connection import Connection, libvirt
from .errors import DirectoryGone, NoDirectory, NotOurFile, PoolBusy
from .xml import PREFIX

if t.TYPE_CHECKING:
    from .._time import Deadline

__all__ = ("RescueImage", "Storage", "may_have_a_pool")

_FORMATS = ("qcow2", "raw", "iso")
_FILE_POOLS = ("dir", "fs", "netfs")
_CHUNK = 256 * 1024
#: pools are never made at or under these: to open a device can reset the machine, or rewind a tape
_NEVER_A_POOL = ("/dev", "/proc", "/sys")
#: seconds between two tries while something else goes on in a pool
_PAUSE = (0.1, 1.0)
_NO_POOL = () if libvirt is None else (libvirt.VIR_ERR_NO_STORAGE_POOL, libvirt.VIR_ERR_OPERATION_INVALID)
#: how libvirt refuses a pool in which another job goes on
_BUSY = () if libvirt is None else (libvirt.VIR_ERR_INTERNAL_ERROR, libvirt.VIR_ERR_RESOURCE_BUSY)
#: what a rescue has made: the server's UUID, and the rescue's own ID
_OURS = re.compile(rf"{PREFIX}-[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}-[0-9a-f]{{8}}[.-]")
_OUR_POOL = re.compile(rf"{PREFIX}-[0-9a-f]{{12}}")

T = t.TypeVar("T")


def may_have_a_pool(directory: str) -> bool:
    """Whether libvirt may open everything in a directory."""
    # POSIX leaves two slashes at the beginning as they are.
    path = "/" + os.path.normpath(directory).lstrip("/")
    return not any(path == root or path.startswith(f"{root}/") for root in _NEVER_A_POOL)


@dataclasses.dataclass(frozen=True)
class RescueImage:
    """A rescue image: where, what, how big, and where its throw-away files go."""

    path: str
    format: str
    capacity: int
    directory: str


class Storage:
    """The storage of one hypervisor. Each call waits for a busy pool until its deadline."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._images: dict[str, RescueImage] = {}
        self._borrowed: dict[str, bool] = {}

    def image(self, asked: str, *, deadline: Deadline) -> RescueImage:
        """The rescue image; raises where there is none, or none that can be used."""
        with self._lock:
            if asked not in self._images:
                self._images[asked] = self._find_image(asked, deadline)
            return self._images[asked]

    def _find_image(self, asked: str, deadline: Deadline) -> RescueImage:
        with self._connection.explain(f"look at the rescue image '{asked}'"):
            if asked.startswith("/"):
                volume = self._volume_by_path(asked, deadline)
            else:
                volume = self._volume_by_name(asked, deadline)
            if volume is None:
                raise _no_image(asked)
            root = ET.fromstring(volume.XMLDesc(0))  # noqa: S314
            path, form = volume.path(), root.find("target/format")
            kind = "" if form is None else form.get("type", "")
            if root.get("type") != "file" or kind not in _FORMATS:
                raise OpenRescueError(
                    f"the rescue image '{asked}' is of type {kind or root.get('type') or 'unknown'}",
                    code="image_format",
                    hint="Give a file in the format qcow2, raw or ISO 9660",
                )
            return RescueImage(path, "raw" if kind == "iso" else kind, int(volume.info()[1]), os.path.dirname(path))

    def _volume_by_name(self, asked: str, deadline: Deadline) -> t.Any:
        pool_name, slash, name = asked.partition("/")
        if not slash or not name:
            raise OpenRescueError(
                f"the rescue image '{asked}' is neither an absolute path nor pool/volume",
                code="image_missing",
                hint="Give the path of a file on the hypervisor, or a volume as pool/volume",
            )
        try:
            pool = self._connection.handle.storagePoolLookupByName(pool_name)
            return self._lookup(pool, name, deadline)
        except libvirt.libvirtError as exc:
            if exc.get_error_code() not in _NO_POOL:
                raise
            return None

    def _volume_by_path(self, path: str, deadline: Deadline) -> t.Any:
        try:
            return self._connection.handle.storageVolLookupByPath(path)
        except libvirt.libvirtError as exc:
            if exc.get_error_code() != libvirt.VIR_ERR_NO_STORAGE_VOL:
                raise
        name = os.path.basename(path)
        try:
            return self._in_pool(path, lambda pool: self._lookup(pool, name, deadline), doing=f"look for '{path}'")
        except NoDirectory:
            return None

    def exists(self, path: str, *, deadline: Deadline) -> bool:
        """Whether there is such a file."""
        with self._connection.explain(f"look for '{path}'"):
            return self._volume_by_path(path, deadline) is not None

    def is_missing(self, directory: str) -> bool:
        """Whether a directory is certainly not there."""
        try:
            self._pool_over(directory)
        except DirectoryGone:
            return True
        except NoDirectory:
            # It may be there, and not for the storage driver to use.
            return False
        return False

    def _lookup(self, pool: t.Any, name: str, deadline: Deadline) -> t.Any:
        """A volume by its name, looking at the disk again where libvirt does not know it yet; or None."""
        for fresh in (False, True):
            if fresh:
                _refresh(pool, deadline)
            try:
                return pool.storageVolLookupByName(name)
            except libvirt.libvirtError as exc:
                if exc.get_error_code() != libvirt.VIR_ERR_NO_STORAGE_VOL:
                    raise
        return None

    def _in_pool(self, path: str, action: t.Callable[[t.Any], T], *, doing: str, code: str = "") -> T:
        """Do something in a pool over a file's directory; again where another run has just given that pool back."""
        directory = os.path.dirname(path)
        for left in (2, 1, 0):
            pool = self._pool_over(directory)
            with self._connection.explain(doing, code=code):
                try:
                    return action(pool)
                except libvirt.libvirtError as exc:
                    if not left or exc.get_error_code() not in _NO_POOL:
                        raise
        raise AssertionError("unreachable")

    def _pool_over(self, directory: str) -> t.Any:
        step = f"use the directory '{directory}' on the hypervisor"
        if not may_have_a_pool(directory):
            raise NoDirectory("libvirt would open everything in it", hint="Keep files elsewhere", step=step)
        try:
            with self._connection.explain(step):
                return self._existing_pool(directory) or self._new_pool(directory)
        except ConnectionLost:
            raise
        except OpenRescueError as exc:
            cause = exc.__cause__
            gone = isinstance(cause, libvirt.libvirtError) and cause.get_int1() == errno.ENOENT
            raise (DirectoryGone if gone else NoDirectory)(exc.message, hint=exc.hint, step=step) from cause

    def _new_pool(self, directory: str) -> t.Any:
        name = f"{PREFIX}-{hashlib.sha256(directory.encode()).hexdigest()[:12]}"
        pool = ET.Element("pool", {"type": "dir"})
        ET.SubElement(pool, "name").text = name
        ET.SubElement(ET.SubElement(pool, "target"), "path").text = directory
        self._borrowed[name] = True
        try:
            return self._connection.handle.storagePoolCreateXML(ET.tostring(pool, encoding="unicode"), 0)
        except libvirt.libvirtError:
            # Another thread or run was quicker.
            found = self._existing_pool(directory)
            if found is None:
                raise
            return found

    def _existing_pool(self, directory: str) -> t.Any:
        for pool in self._connection.handle.listAllStoragePools(0):
            try:
                root = ET.fromstring(pool.XMLDesc(0))  # noqa: S314
            except libvirt.libvirtError:
                continue
            path = root.findtext("target/path") or ""
            if root.get("type") in _FILE_POOLS and os.path.normpath(path) == os.path.normpath(directory):
                if not pool.isActive():
                    pool.create(0)
                    self._borrowed[pool.name()] = True
                if _OUR_POOL.fullmatch(pool.name()):
                    # Another run's, or one that a killed run has left.
                    self._borrowed[pool.name()] = True
                return pool
        return None

    def create_layer(self, path: str, image: RescueImage, *, deadline: Deadline) -> None:
        """An empty qcow2 layer over the image, whose format it states."""
        volume = ET.Element("volume")
        ET.SubElement(volume, "name").text = os.path.basename(path)
        ET.SubElement(volume, "capacity").text = str(image.capacity)
        ET.SubElement(volume, "allocation").text = "0"
        ET.SubElement(ET.SubElement(volume, "target"), "format", {"type": "qcow2"})
        backing = ET.SubElement(volume, "backingStore")
        ET.SubElement(backing, "path").text = image.path
        ET.SubElement(backing, "format", {"type": image.format})
        self._create(path, ET.tostring(volume, encoding="unicode"), deadline=deadline)

    def create_file(self, path: str, content: bytes, *, deadline: Deadline) -> None:
        """A file with that content, which only its owner may read."""
        volume = ET.Element("volume")
        ET.SubElement(volume, "name").text = os.path.basename(path)
        ET.SubElement(volume, "capacity").text = str(len(content))
        target = ET.SubElement(volume, "target")
        ET.SubElement(target, "format", {"type": "raw"})
        ET.SubElement(ET.SubElement(target, "permissions"), "mode").text = "0600"

        def fill(created: t.Any) -> None:
            stream = self._connection.handle.newStream(0)
            created.upload(stream, 0, len(content), 0)
            sent = 0
            while sent < len(content):
                sent += stream.send(content[sent : sent + _CHUNK])
            stream.finish()

        self._create(path, ET.tostring(volume, encoding="unicode"), deadline=deadline, fill=fill)

    def _create(
        self, path: str, xml: str, *, deadline: Deadline, fill: t.Callable[[t.Any], None] = lambda _created: None
    ) -> None:
        def create(pool: t.Any) -> None:
            half_done = self._lookup(pool, os.path.basename(path), deadline)
            if half_done is not None:
                half_done.delete(0)
            fill(pool.createXML(xml, 0))

        self._in_pool(path, create, doing=f"create '{path}'", code="cannot_create")

    def remove(self, path: str, *, deadline: Deadline) -> None:
        """Remove a file of ours; it may be gone already, and its directory too."""
        name = os.path.basename(path)
        if not name.startswith(f"{PREFIX}-"):
            raise NotOurFile(f"'{path}' is not a file of ours", step="remove its disks")

        def remove(pool: t.Any) -> None:
            volume = self._lookup(pool, name, deadline)
            if volume is not None:
                volume.delete(0)

        with contextlib.suppress(DirectoryGone):
            self._in_pool(path, remove, doing=f"remove '{path}'")

    def read(self, path: str, *, length: int, deadline: Deadline) -> bytes | None:
        """The start of a file; None where it cannot be read."""
        try:
            with self._connection.explain(f"read '{path}'"):
                volume = self._volume_by_path(path, deadline)
                if volume is None or volume.info()[0] != libvirt.VIR_STORAGE_VOL_FILE:
                    return None
                return self._download(volume, min(length, int(volume.info()[1])))
        except OpenRescueError as exc:
            if isinstance(exc, ConnectionLost):
                raise
            return None

    def _download(self, volume: t.Any, length: int) -> bytes:
        stream = self._connection.handle.newStream(0)
        volume.download(stream, 0, length, 0)
        content = b""
        while len(content) < length:
            part = stream.recv(length - len(content))
            if not part:
                break
            content += part
        stream.finish()
        return content

    def leftovers(self, known: t.Container[str]) -> list[dict[str, t.Any]]:
        """What rescues have made, in the pools that libvirt has, but for the files that are known. Only reads."""
        found: list[dict[str, t.Any]] = []
        with self._connection.explain("list the storage pools"):
            pools = self._connection.handle.listAllStoragePools(libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE)
        for pool in pools:
            # A pool can vanish while it is read.
            with contextlib.suppress(libvirt.libvirtError):
                if _OUR_POOL.fullmatch(pool.name()) and pool.name() not in self._borrowed:
                    found.append({"kind": "pool", "path": pool.name()})
                ours = [volume.path() for volume in pool.listAllVolumes(0) if _OURS.match(volume.name())]
                found += [{"kind": "file", "path": path} for path in ours if path not in known]
        return found

    def close(self) -> None:
        """Give back the pools that were started only for this; never raises."""
        for name in list(self._borrowed):
            with contextlib.suppress(libvirt.libvirtError, OpenRescueError):
                self._connection.handle.storagePoolLookupByName(name).destroy()
        self._borrowed.clear()


def _refresh(pool: t.Any, deadline: Deadline) -> None:
    """Have libvirt look at the directory again; libvirt refuses that while anything is copied into the pool."""
    pause, longest = _PAUSE
    while True:
        try:
            pool.refresh(0)
        except libvirt.libvirtError as exc:
            if exc.get_error_code() not in _BUSY:
                raise
            if deadline.left <= pause:
                raise PoolBusy(
                    f"the storage pool '{pool.name()}' is busy: {exc.get_error_message()}",
                    hint="Wait until what goes on in it has ended, then run this again, or give a longer timeout",
                    step=f"look into the pool '{pool.name()}'",
                    retryable=True,
                ) from exc
            time.sleep(pause)
            pause = min(2 * pause, longest)
        else:
            return


def _no_image(asked: str) -> OpenRescueError:
    return OpenRescueError(
        f"there is no rescue image '{asked}' on the hypervisor",
        code="image_missing",
        hint="Give the path of a file there, or a volume as pool/volume; the role rescue_image builds one",
    )
