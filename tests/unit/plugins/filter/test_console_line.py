# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.filter.console_line import console_line


@pytest.mark.parametrize(
    ("console", "said"),
    [
        ({}, "Its console is empty."),
        ({"findings": [], "tail": ["", " "]}, "Its console is empty."),
        ({"msg": "it is not logged"}, "Its console cannot be read: it is not logged."),
        ({"tail": ["a", "b", "c", "", "No bootable device."]}, "Its console ends with 'b / c / No bootable device.'."),
        (
            {"findings": [{"summary": "found nothing to boot from"}], "tail": ["x"]},
            "Its console says: found nothing to boot from. Its console ends with 'x'.",
        ),
    ],
)
def test_console_line(console: dict[str, t.Any], said: str) -> None:
    assert console_line(console) == said
