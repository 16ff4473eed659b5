# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong is told by its name; what says nothing is as if it were not there."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleError
from ansible_collections.openrescue.server.plugins.lookup.wrong_inputs import OMITTED, LookupModule


class Templar:
    """Values as they are; an exception is raised."""

    def template(self, value: t.Any) -> t.Any:
        if isinstance(value, Exception):
            raise value
        return value


def told(**variables: t.Any) -> list[str]:
    return LookupModule(loader=None, templar=Templar()).run([], variables)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, []),
        ({"rescue_image": None, "verify_timeout": 10, "mine": AnsibleError("never looked at")}, []),
        ({"rescue_ssh_port": "__omit_place_holder__2f88"}, []),
        ({"rescue_imag": "x"}, ["nobody knows rescue_imag (did you mean rescue_image?)"]),
        ({"verify_by": "ping"}, ["verify_by must be one of agent, ssh, console, and is 'ping'"]),
        ({"rescue_reason": AnsibleError("'x' is\nundefined")}, ["rescue_reason cannot be read: 'x' is undefined"]),
    ],
)
def test_wrong_inputs(variables: dict[str, t.Any], words: list[str]) -> None:
    assert told(**variables) == words


def test_what_is_omitted_is_not_there() -> None:
    """An ansible-core before 2.19 knows a text for it only."""
    if isinstance(OMITTED, type):
        assert told(rescue_ssh_port=OMITTED()) == []
