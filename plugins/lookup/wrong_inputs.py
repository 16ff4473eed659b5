# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with the variables of a server, before anything is done."""

from __future__ import annotations

DOCUMENTATION = r"""
name: wrong_inputs
short_description: What is wrong with the variables of a server
version_added: 0.1.0
author:
  - The openrescue authors (@openrescue)
description:
  - Lists the variables of the current host that differ by a letter or two from one that a role or a playbook of this
    collection takes. Ansible itself says nothing of a variable that nobody reads.
  - Lists the variables of all roles that have a value which their role would refuse, also of those whose turn comes
    when the server is already stopped.
options:
  _terms:
    description: Nothing.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Make sure that all variables are right
  ansible.builtin.assert:
    that: not query('openrescue.server.wrong_inputs')
    fail_msg: "{{ query('openrescue.server.wrong_inputs') | join(', ') }}"
"""

RETURN = r"""
_list:
  description:
    - What is wrong, as V(nobody knows rescue_imag (did you mean rescue_image?\)). Values of secrets are not shown.
  type: list
  elements: str
"""

import typing as t

from ansible import errors
from ansible.plugins.lookup import LookupBase
from ansible_collections.openrescue.server.plugins.module_utils._text import printable
from ansible_collections.openrescue.server.plugins.plugin_utils._inputs import inputs, misspelled, wrong_values

__all__ = ("LookupModule",)

#: What a variable with ``omit`` for its value is: to ansible-core 2.19 and later an error, before that a text.
OMITTED = getattr(errors, "AnsibleValueOmittedError", ())
PLACE_HOLDER = "__omit_place_holder__"


class LookupModule(LookupBase):
    """See above."""

    def run(self, terms: t.Any, variables: t.Any = None, **kwargs: t.Any) -> list[str]:  # noqa: ARG002
        """Of variables that are not ours, only the name is looked at."""
        given = variables or {}
        told = [f"nobody knows {name}" for name in misspelled(given)]
        values = {}
        for name in sorted(inputs() & set(given)):
            try:
                value = self._templar.template(given[name])
                if not str(value).startswith(PLACE_HOLDER):
                    values[name] = value
            except OMITTED:
                continue
            except errors.AnsibleError as exc:
                told.append(f"{name} cannot be read: {printable(' '.join(str(exc).split()), limit=300)}")
        return told + wrong_values(values)
