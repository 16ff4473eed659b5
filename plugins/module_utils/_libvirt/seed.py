# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The disk that tells cloud-init on the rescue system whom to let in.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import hashlib
import io
import json
import typing as t

from ansible.module_utils.basic import missing_required_lib

from .._errors import OpenRescueError

try:
    import pycdlib
except ImportError as exc:
    PYCDLIB_ERROR: ImportError | None = exc
else:
    PYCDLIB_ERROR = None

__all__ = ("START", "fingerprint", "is_config_drive", "require_pycdlib", "seed_image")

#: labels by which cloud-init knows what is meant for it
_LABELS = (b"cidata", b"config-2")
#: where file systems have theirs: ISO 9660, FAT12 and FAT16, FAT32
_LABEL_PLACES = ((32808, 32), (43, 11), (71, 11))


def require_pycdlib() -> None:
    """Raise where no seed can be made, before anything else is done."""
    if PYCDLIB_ERROR is not None:
        raise OpenRescueError(
            missing_required_lib("pycdlib", reason="to hand ssh_authorized_keys and user_data to the rescue system"),
            code="library_missing",
            hint="Install it for the Python that runs this module, or leave those options out",
        ) from PYCDLIB_ERROR


def fingerprint(keys: t.Sequence[str], user_data: str) -> str:
    """A short word for what a seed holds of the user's; empty for none. No secret can be had from it."""
    if not keys and not user_data:
        return ""
    return hashlib.sha256(json.dumps([sorted(keys), user_data]).encode()).hexdigest()[:16]


def seed_image(*, instance_id: str, hostname: str, keys: t.Sequence[str], user_data: str) -> bytes:
    """An ISO image for cloud-init's NoCloud; JSON is YAML."""
    require_pycdlib()
    meta = {"instance-id": instance_id, "local-hostname": hostname, "public-keys": list(keys)}
    files = {
        "meta-data": json.dumps(meta, indent=2).encode() + b"\n",
        "user-data": (user_data or "#cloud-config\n{}\n").encode(),
    }
    iso = pycdlib.PyCdlib()
    iso.new(interchange_level=3, joliet=3, rock_ridge="1.09", vol_ident="cidata")
    for name, content in files.items():
        short = name.upper().replace("-", "_")
        iso.add_fp(io.BytesIO(content), len(content), f"/{short}.;1", rr_name=name, joliet_path=f"/{name}")
    result = io.BytesIO()
    iso.write_fp(result)
    iso.close()
    return result.getvalue()


#: bytes of a disk that tell what it is
START = 34 * 1024


def is_config_drive(start: bytes) -> bool:
    """Whether a disk that begins so is meant for cloud-init."""
    return any(start[place : place + size].strip(b" \0").lower() in _LABELS for place, size in _LABEL_PLACES)
