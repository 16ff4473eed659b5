# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which provider a user's options ask for. Nothing else reads the option.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .._time import Clock

if t.TYPE_CHECKING:
    from .provider import Provider

__all__ = ("POLL_INTERVAL", "create_provider")

#: seconds between two looks at a server: a cloud's API counts them, libvirt does not
POLL_INTERVAL: dict[str, float] = {"openstack": 2.0, "libvirt": 0.1}


def create_provider(params: t.Mapping[str, t.Any]) -> Provider:
    """The provider for these module options, not connected yet."""
    # Only the one that is asked for is loaded: each brings a library of its own.
    if params["provider"] == "libvirt":
        from .._libvirt.provider import LibvirtProvider

        return LibvirtProvider(params["libvirt_uri"], clock=Clock())
    from .._openstack.provider import OpenStackProvider

    return OpenStackProvider(params, clock=Clock())
