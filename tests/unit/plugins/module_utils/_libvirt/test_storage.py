# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import typing as t

import libvirt
import pytest
from ansible_collections.openrescue.server.plugins.module_utils._libvirt.connection import Connection
from ansible_collections.openrescue.server.plugins.module_utils._libvirt.errors import NoDirectory, PoolBusy
from ansible_collections.openrescue.server.plugins.module_utils._libvirt.storage import (
    Storage,
    _refresh,
    may_have_a_pool,
)
from ansible_collections.openrescue.server.plugins.module_utils._time import Clock, Deadline

DIRECTORIES = {
    "/var/lib/libvirt/images": True,
    "/dev": False,
    "/dev/": False,
    "//dev": False,
    "/dev/mapper": False,
    "/x/../dev/disk/by-id": False,
    "/devel": True,
    "/proc/self": False,
    "/sys": False,
    "/": True,
}


@pytest.mark.parametrize("directory", DIRECTORIES)
def test_no_pool_where_opening_a_file_does_something(directory: str) -> None:
    """Libvirt opens every node of a pool's directory, such as /dev/watchdog."""
    assert may_have_a_pool(directory) is DIRECTORIES[directory]


class NoHandle(Connection):
    """libvirt knows no volume; whoever wants a pool is told of."""

    def __init__(self) -> None:
        super().__init__("test:///default")
        self.pools: list[str] = []

    @property
    def handle(self) -> t.Any:
        return self

    def alive(self) -> bool:
        return True

    def storageVolLookupByPath(self, _path: str) -> t.Any:  # noqa: N802
        raise failure(libvirt.VIR_ERR_NO_STORAGE_VOL)

    def listAllStoragePools(self, _flags: int) -> list[t.Any]:  # noqa: N802
        return []

    def storagePoolCreateXML(self, xml: str, _flags: int) -> t.Any:  # noqa: N802
        self.pools.append(xml)
        raise failure(libvirt.VIR_ERR_SYSTEM_ERROR)


def failure(code: int, message: str = "in no language that we know") -> libvirt.libvirtError:
    error = libvirt.libvirtError("x")
    error.err = (code, libvirt.VIR_FROM_STORAGE, message, 2, None, None, None, 0, 0)
    return error


def soon() -> Deadline:
    return Deadline(Clock(), seconds=0.3)


@pytest.mark.parametrize("path", ["/dev/watchdog", "/dev/disk/by-id/x", "/proc/kmsg"])
def test_no_way_leads_to_a_pool_over_devices(path: str) -> None:
    connection = NoHandle()
    storage = Storage(connection)
    assert storage.read(path, length=512, deadline=soon()) is None
    assert storage.exists(path, deadline=soon()) is False
    with pytest.raises(NoDirectory):
        storage.create_file(path, b"x", deadline=soon())
    assert connection.pools == []


@pytest.mark.parametrize(("number", "missing"), [(errno.ENOENT, True), (errno.EACCES, False)])
def test_a_directory_is_missing_by_its_number(number: int, monkeypatch: pytest.MonkeyPatch, *, missing: bool) -> None:
    monkeypatch.setattr(libvirt.libvirtError, "get_int1", lambda _self: number)
    assert Storage(NoHandle()).is_missing("/var/log/libvirt/qemu") is missing


class Unreadable(NoHandle):
    """libvirt knows the file, and has nothing of what is in it."""

    def storageVolLookupByPath(self, _path: str) -> t.Any:  # noqa: N802
        return self

    def info(self) -> list[int]:
        return [libvirt.VIR_STORAGE_VOL_FILE, 4096, 4096]

    def newStream(self, _flags: int) -> t.Any:  # noqa: N802
        return self

    def download(self, *_words: t.Any) -> None:
        raise failure(libvirt.VIR_ERR_SYSTEM_ERROR)


def test_of_a_file_whose_read_fails_nothing_is_known() -> None:
    """It is not taken for one that holds nothing."""
    assert Storage(Unreadable()).read("/images/cd.iso", length=512, deadline=soon()) is None


class Pool:
    def __init__(self, *failures: libvirt.libvirtError) -> None:
        self.failures = list(failures)

    def name(self) -> str:
        return "images"

    def refresh(self, _flags: int) -> None:
        if self.failures:
            raise self.failures.pop(0)


def test_a_busy_pool_is_waited_for_by_its_code() -> None:
    """Whatever language the hypervisor speaks."""
    pool = Pool(failure(libvirt.VIR_ERR_INTERNAL_ERROR), failure(libvirt.VIR_ERR_RESOURCE_BUSY))
    _refresh(pool, Deadline(Clock(), seconds=10))
    assert pool.failures == []
    with pytest.raises(PoolBusy) as caught:
        _refresh(Pool(*[failure(libvirt.VIR_ERR_INTERNAL_ERROR) for _again in range(9)]), soon())
    assert caught.value.retryable
    with pytest.raises(libvirt.libvirtError):
        _refresh(Pool(failure(libvirt.VIR_ERR_ACCESS_DENIED)), soon())
