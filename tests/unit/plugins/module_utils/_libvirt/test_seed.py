# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._libvirt.seed import is_config_drive, seed_image


def test_seed() -> None:
    image = seed_image(
        instance_id="openrescue-1", hostname="rescue", keys=["ssh-ed25519 A"], user_data="#cloud-config\n"
    )
    assert is_config_drive(image[: 34 * 1024])
    for text in (b'"instance-id": "openrescue-1"', b"ssh-ed25519 A", b"#cloud-config\n"):
        assert text in image


@pytest.mark.parametrize(
    ("start", "is_one"),
    [
        (b"", False),
        (b"\0" * 40000, False),
        (b"\0" * 32808 + b"cidata" + b" " * 26, True),
        (b"\0" * 32808 + b"Debian 12" + b" " * 26, False),
        (b"\0" * 43 + b"CIDATA     ", True),
        (b"\0" * 71 + b"config-2   ", True),
    ],
)
def test_config_drives(start: bytes, *, is_one: bool) -> None:
    assert is_config_drive(start) is is_one
