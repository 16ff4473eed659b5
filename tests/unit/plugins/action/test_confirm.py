# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
import yaml
from ansible.errors import AnsiblePromptInterrupt, AnsiblePromptNoninteractive
from ansible_collections.openrescue.server.plugins.action.confirm import SPEC, confirmed
from ansible_collections.openrescue.server.plugins.modules import confirm as documented


@pytest.mark.parametrize(
    ("said", "yes", "reason"),
    [
        (b"yes", True, ""),
        (b" Yes\r", True, ""),
        (b"y", False, "not yes"),
        (b"", False, "not yes"),
        (AnsiblePromptNoninteractive("no"), False, "no terminal"),
        (AnsiblePromptInterrupt("no"), False, "interrupted"),
    ],
)
def test_only_yes_is_yes(said: bytes | Exception, yes: bool, reason: str) -> None:
    def ask(prompt: str) -> bytes:
        assert prompt.startswith("Change web1?")
        if isinstance(said, Exception):
            raise said
        return said

    found = confirmed("Change web1?", ask)
    assert found[0] is yes
    assert reason in found[1]


def test_the_options_are_those_that_are_documented() -> None:
    options = yaml.safe_load(documented.DOCUMENTATION)["options"]
    assert {name: (about["type"], about["required"]) for name, about in options.items()} == {
        name: (about["type"], about["required"]) for name, about in SPEC.items()
    }
