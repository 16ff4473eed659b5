# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a stranger's program may do: the last steps before it begins, as a program of their own.

Its source is handed to a fresh Python, so it imports nothing of ours. It is run in namespaces that are new already.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import typing as t

__all__ = ("KEPT", "main")

#: To own, read and write any file of its tree, and to become another user: chown, dac_override, dac_read_search,
#: fowner, fsetid, kill, setgid, setuid, sys_chroot, setfcap. Nothing that mounts, makes devices, or reaches the kernel.
KEPT = (0, 1, 2, 3, 4, 5, 6, 7, 18, 31)
_SYS_CHROOT = 18

_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 1, 2, 4, 8
_MNT_DETACH = 2
_PR_CAPBSET_DROP = 24
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
_CAPABILITY_VERSION_3 = 0x20080522
_MOST = 64

_libc: t.Any = ctypes.CDLL(None, use_errno=True)


def main(arguments: list[str]) -> None:
    """Become the program whose root is the first argument and whose command are the others."""
    top, command = arguments[0], arguments[1:]
    kept = set(KEPT)
    if not _become_root(top):
        # A chroot can be left by whoever may make another one.
        os.chroot(top)
        kept.discard(_SYS_CHROOT)
    os.chdir("/")
    if os.path.isdir("/proc"):
        # What is written there reaches the kernel without asking for a capability: /proc/sysrq-trigger, /proc/sys.
        flags = _MS_RDONLY | _MS_NOSUID | _MS_NODEV | _MS_NOEXEC
        _check(_libc.mount(b"proc", b"/proc", b"proc", ctypes.c_ulong(flags), None), "mount /proc")
    _limit(kept)
    _become(command)


def _become_root(top: str) -> bool:
    """Make the directory the root of this namespace, and let go of all that was there before."""
    os.chdir(top)
    if _libc.pivot_root(b".", b".") != 0:  # the first root, which holds the initramfs, cannot be exchanged
        return False
    _check(_libc.umount2(b".", _MNT_DETACH), "umount the rescue system")
    return True


def _become(command: list[str]) -> None:
    """Without execvp(), which imports a module, and this Python's modules were left behind with its root."""
    for folder in os.environ.get("PATH", "").split(":"):
        path = f"{folder}/{command[0]}"
        if os.access(path, os.X_OK):
            os.execv(path, command)  # noqa: S606 - there is nothing to quote
    os.write(2, f"{command[0]}: not found\n".encode())
    os._exit(127)


def _limit(kept: set[int]) -> None:
    for number in range(_MOST):
        if number not in kept and _libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0) != 0:
            break  # beyond the last that this kernel knows
    _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    mask = sum(1 << number for number in kept)
    low, high = mask & 0xFFFFFFFF, mask >> 32
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    # Effective, permitted and inheritable, for the lower half of all capabilities and then for the upper.
    _check(_libc.capset(header, struct.pack("=6I", low, low, 0, high, high, 0)), "capset")


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


if __name__ == "__main__":
    main(sys.argv[1:])
