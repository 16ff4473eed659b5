# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The few system calls that Python 3.9 lacks: mounts, mount namespaces, loop devices, the read-only flag.

Called directly and not through mount(8) and losetup(8): no process per mount, no fstab, no helper, no guessing
of a file system's type.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import platform
import signal
import struct
import typing as t

__all__ = (
    "MS_BIND",
    "MS_NOATIME",
    "MS_NODEV",
    "MS_NOEXEC",
    "MS_NOSUID",
    "MS_RDONLY",
    "MS_REMOUNT",
    "attach_loop",
    "btrfs_spaces",
    "die_with_parent",
    "forget_btrfs",
    "inode_flags",
    "is_read_only",
    "make_private",
    "mount",
    "private_mounts",
    "set_inode_flags",
    "set_read_only",
    "sync_filesystem",
    "unmount",
)

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_NOATIME = 1024
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18

_CLONE_NEWNS = 0x00020000
_MNT_DETACH = 2
_UMOUNT_NOFOLLOW = 8
_BLKROSET = 0x125D
_BLKROGET = 0x125E
_LOOP_SET_FD = 0x4C00
_LOOP_SET_STATUS64 = 0x4C04
_LOOP_CTL_GET_FREE = 0x4C82
_LO_FLAGS_AUTOCLEAR = 4
_BTRFS_FORGET_DEV = 0x50009405
_BTRFS_SPACES = 64

_PR_SET_PDEATHSIG = 1

# _IOR('f', 1, long) and _IOW('f', 2, long), which PowerPC and a few others number in their own way.
_READ, _WRITE = (1 << 30, 2 << 30) if platform.machine().startswith("ppc") else (2 << 30, 1 << 30)
_BTRFS_SPACE_INFO = _READ | _WRITE | 16 << 16 | 0x9414
_FS_IOC_GETFLAGS = _READ | struct.calcsize("l") << 16 | 0x6601
_FS_IOC_SETFLAGS = _WRITE | struct.calcsize("l") << 16 | 0x6602

_libc: t.Any = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def mount(source: str, target: str, fstype: str, *, flags: int, data: str = "") -> None:
    """mount(2); ``target`` may be ``/proc/self/fd/N``, which is how a place inside a hostile tree is named."""
    _check(
        _libc.mount(
            os.fsencode(source), os.fsencode(target), fstype.encode() or None, ctypes.c_ulong(flags), data.encode()
        ),
        target,
    )


def unmount(target: str, *, lazy: bool = False) -> None:
    _check(_libc.umount2(os.fsencode(target), _UMOUNT_NOFOLLOW | (_MNT_DETACH if lazy else 0)), target)


def private_mounts() -> None:
    """From here on this process has mounts of its own, which end with it, however it ends."""
    _check(_libc.unshare(_CLONE_NEWNS), "unshare")
    make_private("/")


def make_private(target: str) -> None:
    """What is mounted at or beneath it from here on is seen nowhere else."""
    _check(_libc.mount(b"none", os.fsencode(target), None, ctypes.c_ulong(MS_REC | MS_PRIVATE), None), target)


def set_read_only(device: str, *, value: bool) -> None:
    """The kernel's own flag: while it is set, no write reaches the device, whoever asks."""
    fd = os.open(device, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.ioctl(fd, _BLKROSET, struct.pack("i", int(value)))
    finally:
        os.close(fd)


def is_read_only(device: str) -> bool:
    """Whether the kernel's own flag is set."""
    fd = os.open(device, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        value = bytearray(4)
        fcntl.ioctl(fd, _BLKROGET, value)
        return any(value)
    finally:
        os.close(fd)


def sync_filesystem(fd: int) -> None:
    """All that the file system of this open file holds is on its device; btrfs frees what was removed only then."""
    _check(_libc.syncfs(fd), "syncfs")


def inode_flags(fd: int) -> int:
    """What chattr(1) sets; nothing where the file system knows no such flags."""
    flags = bytearray(8)  # the number says long, the kernel writes an int
    try:
        fcntl.ioctl(fd, _FS_IOC_GETFLAGS, flags)
    except OSError as exc:
        if exc.errno in (errno.ENOTTY, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
            return 0
        raise
    return int(struct.unpack_from("=I", flags)[0])


def set_inode_flags(fd: int, flags: int) -> None:
    fcntl.ioctl(fd, _FS_IOC_SETFLAGS, struct.pack("=II", flags, 0))


def die_with_parent() -> None:
    """Between fork and exec: this process is killed as soon as the one that started it has ended."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def forget_btrfs() -> None:
    """Let the kernel forget which devices it saw a btrfs on, but for what is mounted.

    It takes a device for an old copy that it must not mount if it has seen one with a later generation, such as the
    layer over that device that was thrown away.
    """
    if not os.path.exists("/dev/btrfs-control"):
        return
    control = os.open("/dev/btrfs-control", os.O_RDWR | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):  # Linux before 5.4, or nothing to forget
            fcntl.ioctl(control, _BTRFS_FORGET_DEV, bytearray(4096))
    finally:
        os.close(control)


def btrfs_spaces(fd: int) -> list[tuple[int, int, int]]:
    """Kind, size and use of each space of a btrfs, in bytes; nothing on another file system."""
    # struct btrfs_ioctl_space_args: how many may be told, how many there are, and three numbers of each.
    asked = bytearray(struct.pack("=2Q", _BTRFS_SPACES, 0) + bytes(24 * _BTRFS_SPACES))
    try:
        fcntl.ioctl(fd, _BTRFS_SPACE_INFO, asked)
    except OSError:
        return []
    told = min(_BTRFS_SPACES, struct.unpack_from("=2Q", asked)[1])
    return [struct.unpack_from("=3Q", asked, 16 + 24 * number) for number in range(told)]


def attach_loop(backing: str) -> tuple[str, int]:
    """A loop device over a file; it lives as long as somebody holds it open.

    :returns: its path, and the descriptor that holds it.
    """
    control = os.open("/dev/loop-control", os.O_RDWR | os.O_CLOEXEC)
    file = os.open(backing, os.O_RDWR | os.O_CLOEXEC)
    try:
        for attempt in range(16):
            path = f"/dev/loop{fcntl.ioctl(control, _LOOP_CTL_GET_FREE)}"
            loop = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.ioctl(loop, _LOOP_SET_FD, file)
            except OSError:
                os.close(loop)  # somebody else was quicker
                if attempt == 15:
                    raise
                continue
            name = os.path.basename(backing).encode()[:63]
            # struct loop_info64: five numbers of 64 bits, four of 32 (the last are the flags), two names, a key.
            info = struct.pack("=5Q4I64s64s32s2Q", 0, 0, 0, 0, 0, 0, 0, 0, _LO_FLAGS_AUTOCLEAR, name, b"", b"", 0, 0)
            fcntl.ioctl(loop, _LOOP_SET_STATUS64, info)
            return path, loop
        raise AssertionError("unreachable")
    finally:
        os.close(file)
        os.close(control)
