# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of sshd_config keeps somebody out."""

from __future__ import annotations

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._formats.sshd_config import obstacles

TEXT = """\
#PermitRootLogin no
PermitRootLogin prohibit-password
PasswordAuthentication no
  pubkeyauthentication = "no"
AuthorizedKeysFile /etc/ssh/keys/%u
AllowUsers joe
Match User max
"""


@pytest.mark.parametrize(
    ("by_key", "by_password", "as_root", "found"),
    [
        (True, False, True, [4, 5, 6]),
        (False, True, True, [2, 3, 6]),
        (False, True, False, [3, 6]),
        (False, False, False, [6]),
    ],
)
def test_obstacles(by_key: bool, by_password: bool, as_root: bool, found: list[int]) -> None:
    words = [" ".join(TEXT.splitlines()[number - 1].replace("=", " ").split()) for number in found]
    assert obstacles(TEXT, by_key=by_key, by_password=by_password, as_root=as_root) == words


@pytest.mark.parametrize(
    "line",
    [
        "PermitRootLogin yes",
        "PubkeyAuthentication yes",
        "AuthorizedKeysFile .ssh/authorized_keys",
        "AuthorizedKeysFile /etc/ssh/keys/%u .ssh/authorized_keys",
        "AuthorizedKeysFile %h/.ssh/authorized_keys",
        "Subsystem sftp /usr/lib/openssh/sftp-server",
        "",
        "nothing",
        "\udcff \x1b",
    ],
)
def test_nothing_in_the_way(line: str) -> None:
    assert obstacles(line, by_key=True, by_password=True, as_root=True) == []


def test_no_more_lines_than_anybody_reads() -> None:
    assert len(obstacles("AllowUsers a\n" * 1000, by_key=True, by_password=True, as_root=True)) == 20
