# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files on the hypervisor, through libvirt's storage API alone: it works for a remote hypervisor as well.

Where no pool covers a directory, a transient one does for the time being.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import functools
import hashlib
import os.path
import threading
import typing as t
import xml.etree.ElementTree as ET

from .._errors import ConnectionLost, OpenRescueError
from .connection import Connection, libvirt, patient_call
from .xml import PREFIX

__all__ = ("Image", "Storage")

_FORMATS = ("qcow2", "raw", "iso")
_FILE_POOLS = ("dir", "fs", "netfs")
_CHUNK = 256 * 1024
_ASYNC = "asynchronous jobs"
_NO_POOL = () if libvirt is None else (libvirt.VIR_ERR_NO_STORAGE_POOL, libvirt.VIR_ERR_OPERATION_INVALID)

T = t.TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Image:
    """A rescue image: where, what, how big, and where its throw-away files go."""

    path: str
    format: str
    capacity: int
    directory: str


class Storage:
    """The storage of one hypervisor."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._images: dict[str, Image] = {}
        self._borrowed: dict[str, bool] = {}

    def image(self, asked: str) -> Image:
        """The rescue image; raises where there is none, or none that can be used."""
        with self._lock:
            if asked not in self._images:
                self._images[asked] = self._find_image(asked)
            return self._images[asked]

    def _find_image(self, asked: str) -> Image:
        with self._connection.explain(f"look at the rescue image '{asked}'"):
            volume = self._volume_by_path(asked) if asked.startswith("/") else self._volume_by_name(asked)
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
            return Image(path, "raw" if kind == "iso" else kind, int(volume.info()[1]), os.path.dirname(path))

    def _volume_by_name(self, asked: str) -> t.Any:
        pool_name, slash, name = asked.partition("/")
        if not slash or not name:
            raise OpenRescueError(
                f"the rescue image '{asked}' is neither an absolute path nor pool/volume",
                code="image_missing",
                hint="Give the path of a file on the hypervisor, or a volume as pool/volume",
            )
        try:
            pool = self._connection.handle.storagePoolLookupByName(pool_name)
            return self._lookup(pool, name)
        except libvirt.libvirtError as exc:
            if exc.get_error_code() not in _NO_POOL:
                raise
            return None

    def _volume_by_path(self, path: str) -> t.Any:
        try:
            return self._connection.handle.storageVolLookupByPath(path)
        except libvirt.libvirtError as exc:
            if exc.get_error_code() != libvirt.VIR_ERR_NO_STORAGE_VOL:
                raise
        name = os.path.basename(path)
        try:
            return self._in_pool(path, lambda pool: self._lookup(pool, name), doing=f"look for '{path}'")
        except OpenRescueError as exc:
            if exc.code == "no_directory":
                return None
            raise

    def exists(self, path: str) -> bool:
        """Whether there is such a file."""
        with self._connection.explain(f"look for '{path}'"):
            return self._volume_by_path(path) is not None

    def _lookup(self, pool: t.Any, name: str) -> t.Any:
        """A volume by its name, looking at the disk again where libvirt does not know it yet; or None."""
        for fresh in (False, True):
            if fresh:
                patient_call(lambda: pool.refresh(0), while_words=_ASYNC)
            try:
                return pool.storageVolLookupByName(name)
            except libvirt.libvirtError as exc:
                if exc.get_error_code() != libvirt.VIR_ERR_NO_STORAGE_VOL:
                    raise
        return None

    def _in_pool(self, path: str, action: t.Callable[[t.Any], T], *, doing: str, code: str = "libvirt_error") -> T:
        """Do something in a pool over a file's directory; again where another run has just given that pool back."""
        directory = os.path.dirname(path)
        for left in (2, 1, 0):
            with self._connection.explain(f"use the directory '{directory}' on the hypervisor", code="no_directory"):
                pool = self._pool_over(directory)
            with self._connection.explain(doing, code=code):
                try:
                    return t.cast("T", patient_call(functools.partial(action, pool), while_words=_ASYNC))
                except libvirt.libvirtError as exc:
                    if not left or exc.get_error_code() not in _NO_POOL:
                        raise
        raise AssertionError("unreachable")

    def _pool_over(self, directory: str) -> t.Any:
        found = self._existing_pool(directory)
        if found is None:
            name = f"{PREFIX}-{hashlib.sha256(directory.encode()).hexdigest()[:12]}"
            pool = ET.Element("pool", {"type": "dir"})
            ET.SubElement(pool, "name").text = name
            ET.SubElement(ET.SubElement(pool, "target"), "path").text = directory
            try:
                found = self._connection.handle.storagePoolCreateXML(ET.tostring(pool, encoding="unicode"), 0)
            except libvirt.libvirtError:
                # Another thread or run was quicker.
                found = self._existing_pool(directory)
                if found is None:
                    raise
            self._borrowed[name] = True
        elif not found.isActive():
            found.create(0)
            self._borrowed[found.name()] = True
        return found

    def _existing_pool(self, directory: str) -> t.Any:
        for pool in self._connection.handle.listAllStoragePools(0):
            try:
                root = ET.fromstring(pool.XMLDesc(0))  # noqa: S314
            except libvirt.libvirtError:
                continue
            path = root.findtext("target/path") or ""
            if root.get("type") in _FILE_POOLS and os.path.normpath(path) == os.path.normpath(directory):
                return pool
        return None

    def create_layer(self, path: str, image: Image) -> None:
        """An empty qcow2 layer over the image, whose format it states."""
        volume = ET.Element("volume")
        ET.SubElement(volume, "name").text = os.path.basename(path)
        ET.SubElement(volume, "capacity").text = str(image.capacity)
        ET.SubElement(volume, "allocation").text = "0"
        ET.SubElement(ET.SubElement(volume, "target"), "format", {"type": "qcow2"})
        backing = ET.SubElement(volume, "backingStore")
        ET.SubElement(backing, "path").text = image.path
        ET.SubElement(backing, "format", {"type": image.format})
        self._create(path, ET.tostring(volume, encoding="unicode"))

    def create_file(self, path: str, content: bytes) -> None:
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

        self._create(path, ET.tostring(volume, encoding="unicode"), fill=fill)

    def _create(self, path: str, xml: str, *, fill: t.Callable[[t.Any], None] = lambda _created: None) -> None:
        def create(pool: t.Any) -> None:
            half_done = self._lookup(pool, os.path.basename(path))
            if half_done is not None:
                half_done.delete(0)
            fill(pool.createXML(xml, 0))

        self._in_pool(path, create, doing=f"create '{path}'", code="cannot_create")

    def remove(self, path: str) -> None:
        """Remove a file of ours; it may be gone already, and its directory too."""
        name = os.path.basename(path)
        if not name.startswith(f"{PREFIX}-"):
            raise OpenRescueError(f"'{path}' is not a file of ours", code="marker_damaged", step="remove its disks")

        def remove(pool: t.Any) -> None:
            volume = self._lookup(pool, name)
            if volume is not None:
                volume.delete(0)

        try:
            self._in_pool(path, remove, doing=f"remove '{path}'")
        except OpenRescueError as exc:
            if exc.code != "no_directory" or os.strerror(errno.ENOENT) not in exc.message:
                raise

    def read(self, path: str, *, length: int, largest: int) -> bytes:
        """The start of a file that is not too large; empty where it cannot be read."""
        try:
            with self._connection.explain(f"read '{path}'"):
                volume = self._volume_by_path(path)
                if volume is None or not length <= int(volume.info()[1]) <= largest:
                    return b""
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
        except OpenRescueError as exc:
            if isinstance(exc, ConnectionLost):
                raise
            return b""

    def close(self) -> None:
        """Give back the pools that were started only for this; never raises."""
        for name in self._borrowed:
            with contextlib.suppress(libvirt.libvirtError, OpenRescueError):
                self._connection.handle.storagePoolLookupByName(name).destroy()
        self._borrowed.clear()


def _no_image(asked: str) -> OpenRescueError:
    return OpenRescueError(
        f"there is no rescue image '{asked}' on the hypervisor",
        code="image_missing",
        hint="Give the path of a file there, or a volume as pool/volume; the role rescue_image builds one",
    )
