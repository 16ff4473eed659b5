# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask at the terminal whether to go on with one server; documented as the module of this name."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsiblePromptInterrupt, AnsiblePromptNoninteractive
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

__all__ = ("ActionModule", "confirmed")

SPEC: dict[str, t.Any] = {"prompt": {"type": "str", "required": True}}


def confirmed(prompt: str, ask: t.Callable[[str], t.Any]) -> tuple[bool, str]:
    """Whether the answer is yes, and what else it is.

    :param ask: returns what was typed, as bytes; raises the errors of prompts.
    """
    try:
        said = ask(f"{prompt}\nType yes to go on: ")
    except AnsiblePromptNoninteractive:
        return False, "there is no terminal at which anybody could be asked"
    except AnsiblePromptInterrupt:
        return False, "it was interrupted"
    yes = bytes(said).strip().lower() == b"yes"
    return yes, "" if yes else "the answer was not yes"


class ActionModule(ActionBase):
    """See above. The terminal is the main process's: of many servers one asks after the other."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: t.Any = None, task_vars: t.Any = None) -> dict[str, t.Any]:
        """That the answer is no is no failure."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _validated, given = self.validate_argument_spec(argument_spec=SPEC)
        yes, reason = confirmed(given["prompt"], Display().prompt_until)
        return {**result, "changed": False, "confirmed": yes, "reason": reason}
