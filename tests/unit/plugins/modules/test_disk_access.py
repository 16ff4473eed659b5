# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.modules.disk_access import wanted_of

HASH = "$6$saltsalt$" + "a" * 86
KIND = b"ssh-ed25519"
BLOB = base64.b64encode(len(KIND).to_bytes(4, "big") + KIND + (32).to_bytes(4, "big") + bytes(32)).decode()
GIVEN: dict[str, t.Any] = {
    "user": "joe",
    "password_hash": None,
    "authorized_keys": [],
    "unlocked": False,
    "shell": None,
}


def test_what_is_taken() -> None:
    lines = f"# mine\n\nssh-ed25519 {BLOB} joe\n"
    wanted = wanted_of({**GIVEN, "password_hash": HASH, "authorized_keys": [lines], "shell": "/bin/bash"})
    assert (wanted.user, wanted.password_hash, wanted.shell) == ("joe", HASH, "/bin/bash")
    assert [key.text for key in wanted.keys] == [f"ssh-ed25519 {BLOB} joe"]


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("user", "", "no name"),
        ("user", "joe:x", "no name"),
        ("user", "joe\nroot", "no name"),
        ("user", "../joe", "no name"),
        ("password_hash", "hunter2", "never taken"),
        ("password_hash", f"{HASH}:0", "never taken"),
        ("password_hash", "", "never taken"),
        ("authorized_keys", ["ssh-ed25519 AAAA"], "'ssh-ed25519 AAAA' is none"),
        ("authorized_keys", ["-----BEGIN OPENSSH PRIVATE KEY-----\nabc"], "a private key is none"),
        ("shell", "bash", "absolute"),
        ("shell", "/bin/bash:x", "absolute"),
        ("shell", "/bin/bash\nroot", "absolute"),
    ],
)
def test_what_is_refused(option: str, value: t.Any, message: str) -> None:
    with pytest.raises(OpenRescueError, match=message) as caught:
        wanted_of({**GIVEN, option: value})
    assert "hunter2" not in str(caught.value)
