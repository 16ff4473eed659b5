# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that all modules with a provider share.

Must be kept in sync with plugins/doc_fragments/_provider.py.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

__all__ = ("provider_argument_spec", "rescue_image_argument_spec")


def provider_argument_spec() -> dict[str, dict[str, t.Any]]:
    """Where the servers live, and how that place is reached."""
    return {
        "provider": {"type": "str", "choices": ["openstack", "libvirt"], "default": "openstack"},
        "server": {"type": "list", "elements": "str", "required": True},
        "libvirt_uri": {"type": "str", "default": "qemu:///system", "aliases": ["uri"]},
        "cloud": {"type": "raw"},
        "auth": {"type": "dict", "no_log": True},
        "auth_type": {"type": "str"},
        "region_name": {"type": "str"},
        "interface": {"type": "str", "choices": ["admin", "internal", "public"], "default": "public"},
        "validate_certs": {"type": "bool", "aliases": ["verify"]},
        "ca_cert": {"type": "str", "aliases": ["cacert"]},
        "client_cert": {"type": "str", "aliases": ["cert"]},
        "client_key": {"type": "str", "aliases": ["key"], "no_log": True},
        "api_timeout": {"type": "int"},
        "timeout": {"type": "int", "default": 600},
    }


def rescue_image_argument_spec() -> dict[str, dict[str, t.Any]]:
    """What the rescue system is booted from, and how the patient's disks are attached."""
    return {
        "rescue_image": {"type": "str"},
        "rescue_kernel": {"type": "str"},
        "rescue_ramdisk": {"type": "str"},
        "rescue_cmdline": {"type": "str"},
        "rescue_device": {"type": "str", "choices": ["disk", "cdrom"]},
        "rescue_bus": {"type": "str", "choices": ["virtio", "scsi", "sata", "usb"]},
        "disk_access": {"type": "str", "choices": ["read_write", "read_only"], "default": "read_write"},
    }
