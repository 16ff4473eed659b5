# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes wrong on a hypervisor, by class.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from .._errors import OpenRescueError

__all__ = ("DirectoryGone", "LibvirtError", "NoDirectory", "NotOurFile", "PoolBusy")


class LibvirtError(OpenRescueError):
    """libvirt's own answer."""

    code = "libvirt_error"


class NoDirectory(OpenRescueError):
    """No pool can be made over a directory of the hypervisor."""

    code = "no_directory"


class DirectoryGone(NoDirectory):
    """There is no such directory any more."""


class PoolBusy(OpenRescueError):
    """Another job goes on in a storage pool, and has not ended in time."""

    code = "pool_busy"


class NotOurFile(OpenRescueError):
    """A marker names a file that no rescue has made."""

    code = "marker_damaged"
