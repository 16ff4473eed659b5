# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that all modules with a provider share.

Must be kept in sync with plugins/doc_fragments/_provider.py.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import re
import typing as t

from .hold import Claim
from .process import this_user

__all__ = (
    "SecretsFirst",
    "claim_from",
    "hold_argument_spec",
    "provider_argument_spec",
    "rescue_image_argument_spec",
    "secrets_in",
)

#: Options with secrets and much else in them: only what is named like a secret is hidden. A user name that is hidden
#: like a password would be cut out of every word of the result that it happens to be a part of.
_WITH_SECRETS = ("auth", "cloud")
#: keystoneauth's own secret options, and what plugins beside it call theirs; not access_token_endpoint, token_type
_SECRET = re.compile(r"(?:pass(?:word|wd|phrase|code)|secret|token|api_?key|(?:access|private)_key)$", re.IGNORECASE)
#: deeper than any configuration of a cloud
_DEEPEST = 10


def secrets_in(params: t.Mapping[str, t.Any]) -> set[str]:
    """The values in these module options that nobody may see, of options whose other values everybody may see."""
    return {secret for option in _WITH_SECRETS for secret in _secrets(_as_dict(params.get(option)), depth=0)}


def _as_dict(value: t.Any) -> t.Any:
    """A dictionary may come as its text: as JSON, or as ``key=value`` with commas or spaces between."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        pairs = (part.partition("=") for part in re.split(r"[,\s]+", value))
        return {key: text for key, equals, text in pairs if equals}


def _secrets(value: t.Any, *, depth: int, named: bool = False) -> t.Iterator[str]:
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _secrets(inner, depth=depth + 1, named=named or bool(_SECRET.search(str(key))))
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _secrets(inner, depth=depth + 1, named=named)
    elif named and isinstance(value, (str, int)) and not isinstance(value, bool) and value != "":
        yield str(value)


class SecretsFirst:
    """Before AnsibleModule in the bases of a module: its secrets are known before anything can be printed or logged.

    AnsibleModule itself calls ``_load_params`` first of all: an option that it refuses ends with all options shown, and
    the call is written to the system's log, before the module has a say.
    """

    params: dict[str, t.Any]
    no_log_values: set[str]

    def _load_params(self) -> None:
        super()._load_params()  # type: ignore[misc]
        self.no_log_values.update(secrets_in(self.params))


def provider_argument_spec() -> dict[str, dict[str, t.Any]]:
    """Where the servers live, and how that place is reached."""
    return {
        "provider": {"type": "str", "choices": ["openstack", "libvirt"], "default": "openstack"},
        "server": {"type": "list", "elements": "str", "required": True},
        "libvirt_uri": {"type": "str", "default": "qemu:///system", "aliases": ["uri"]},
        # Of these two the secrets are hidden by SecretsFirst.
        "cloud": {"type": "raw"},
        "auth": {"type": "dict"},
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


def hold_argument_spec() -> dict[str, dict[str, t.Any]]:
    """Who asks, and for which run."""
    return {
        "owner": {"type": "str"},
        "reason": {"type": "str"},
        "run": {"type": "str"},
        "phase": {"type": "str"},
        "force_takeover": {"type": "bool", "default": False},
    }


def claim_from(params: t.Mapping[str, t.Any]) -> Claim:
    """Who asks, from the options that a module has of them."""
    return Claim(
        owner=params.get("owner") or this_user(),
        reason=params.get("reason") or "",
        run=params.get("run") or "",
        phase=params.get("phase") or "",
        force=bool(params.get("force_takeover")),
    )
