# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._formats.versions import version_key


@pytest.mark.parametrize(
    "versions",
    [
        ("6.1.0-9-amd64", "6.1.0-10-amd64", "6.10.0-1-amd64"),
        ("5.14.0-70.el9", "5.14.0-70.13.1.el9_0.x86_64", "5.14.0-503.el9"),
        ("6.2.0-rc1", "6.2.0-rc2", "6.2.0", "6.2.1"),
        ("0-rescue-0123456789abcdef", "5.14.0-1.el9"),
        ("linux", "linux-lts", "1"),
        ("1.0~beta", "1.0", "1.0a", "1.0.1"),
    ],
)
def test_the_order_of_versions(versions: tuple[str, ...]) -> None:
    shuffled = list(versions[::-1])
    assert sorted(shuffled, key=version_key) == list(versions)


def test_a_hostile_version_is_cut() -> None:
    assert len(version_key("1." * 100000)) < 300
