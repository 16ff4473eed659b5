# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""os-release, parsed and never run."""

from __future__ import annotations

from ansible_collections.openrescue.server.plugins.module_utils._formats.os_release import parse_os_release


def test_os_release() -> None:
    text = 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.20.3\nPRETTY_NAME="a \\"b\\""\n# x=y\nrm -rf /\n'
    assert parse_os_release(text) == {
        "NAME": "Alpine Linux",
        "ID": "alpine",
        "VERSION_ID": "3.20.3",
        "PRETTY_NAME": 'a "b"',
    }
