# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys as ssh-keygen and clouds write them, and what only looks like one."""

from __future__ import annotations

import base64

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._formats.authorized_keys import (
    parse_key,
    parse_keys,
    with_keys,
)


def blob(kind: str, size: int = 32) -> str:
    return base64.b64encode(
        len(kind).to_bytes(4, "big") + kind.encode() + size.to_bytes(4, "big") + bytes(size)
    ).decode()


ED = f"ssh-ed25519 {blob('ssh-ed25519')} joe@example.org"
RSA = f"ssh-rsa {blob('ssh-rsa', 257)}"
CLOUD = f'no-pty,command="echo \'Please login as \\"debian\\"\';sleep 10" {ED}'


@pytest.mark.parametrize(
    ("line", "options", "kind"),
    [
        (ED, "", "ssh-ed25519"),
        (f"  {RSA}\r", "", "ssh-rsa"),
        (CLOUD, CLOUD.partition(" ssh-")[0], "ssh-ed25519"),
        (f'from="*.example.org, !bad",no-pty {RSA} two words', 'from="*.example.org, !bad",no-pty', "ssh-rsa"),
        (
            f"sk-ssh-ed25519@openssh.com {blob('sk-ssh-ed25519@openssh.com')} joe",
            "",
            "sk-ssh-ed25519@openssh.com",
        ),
        (f"cert-authority {RSA}", "cert-authority", "ssh-rsa"),
    ],
)
def test_keys(line: str, options: str, kind: str) -> None:
    key = parse_key(line)
    assert key is not None
    assert (key.options, key.kind, key.text) == (options, kind, line.strip(" \t\r"))


@pytest.mark.parametrize(
    "line",
    [
        "",
        "#" + ED,
        "ssh-ed25519",
        "ssh-ed25519 AAAA",
        f"ssh-rsa {blob('ssh-ed25519')}",
        f"ssh-dss {blob('ssh-dss')}",
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        f"ssh-ed25519 {blob('ssh-ed25519')[:-3]}",
        f"{ED}\nroot",
        f"{ED}\x1b",
        f'command="open {ED}',
        "ssh-ed25519 " + base64.b64encode(b"\xff" * 40).decode(),
    ],
)
def test_no_keys(line: str) -> None:
    assert parse_key(line) is None


def test_keys_are_added_once() -> None:
    ed, rsa = parse_keys(f"{ED}\n{RSA}")
    assert with_keys("", [ed]) == f"{ED}\n"
    assert with_keys("# mine", [ed, rsa]) == f"# mine\n{ED}\n{RSA}\n"
    assert with_keys(f"{ED}\n", [ed]) == f"{ED}\n"
    other_comment = ED.replace("joe@", "max@")
    assert with_keys(other_comment, [ed]) == other_comment
    # What is commented out does not count.
    assert with_keys(f"#{ED}\n", [ed]) == f"#{ED}\n{ED}\n"


def test_a_key_that_is_bound_by_options_counts_without_them() -> None:
    (ed,) = parse_keys(ED)
    assert with_keys(f"# cloud\n{CLOUD}\n", [ed]) == f"{ED}\n# cloud\n{CLOUD}\n"
