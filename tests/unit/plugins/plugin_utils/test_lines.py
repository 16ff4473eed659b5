# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines for people."""

from __future__ import annotations

import pytest
from ansible_collections.openrescue.server.plugins.plugin_utils._lines import (
    WIDTH,
    clock,
    command_lines,
    one_line,
    titled,
)

LONG = (
    "ansible-playbook -i servers.yml openrescue.server.undo -e rescue_hosts="
    + "w" * 40
    + " -e undo=20261124T100000Z-0badcafe"
)


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (59.9, "0:59"), (61, "1:01"), (3600, "60:00")])
def test_clock(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


def test_a_short_command_is_one_line() -> None:
    [line] = command_lines("undo web1: ", "ansible-playbook x")
    assert line.text == "undo web1: ansible-playbook x"


def test_a_long_command_can_be_copied() -> None:
    title, *lines = [line.text for line in command_lines("undo web1: ", LONG)]
    assert title == "undo web1:"
    assert len(lines) > 1
    assert all(line.endswith(" \\") for line in lines[:-1])
    assert " ".join("\n".join(lines).replace("\\\n", " ").split()) == LONG
    assert max(map(len, lines)) <= WIDTH


def test_foreign_text_is_one_line_that_prints() -> None:
    assert one_line("a\n\x1b[31m b") == "a \\x1b[31m b"
    assert all(len(line.text) <= WIDTH for line in titled("web1: ", "x " * 5000))
