# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variables of a server that are nearly ours."""

from __future__ import annotations

DOCUMENTATION = r"""
name: misspelled
short_description: Variables of a server that are nearly ours
version_added: 0.1.0
author:
  - The openrescue authors (@openrescue)
description:
  - Lists the variables of the current host that differ by a letter or two from one that a role or a playbook of this
    collection takes. Ansible itself says nothing of a variable that nobody reads.
options:
  _terms:
    description: Nothing. The lookup takes no terms, and reads the variables of the host that it is used for.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Make sure that no variable is misspelled
  ansible.builtin.assert:
    that: not query('openrescue.server.misspelled')
    fail_msg: "{{ query('openrescue.server.misspelled') | join(', ') }}"
"""

RETURN = r"""
_list:
  description: Each with the name that is likely to be meant, as V(rescue_imag (did you mean rescue_image?\)).
  type: list
  elements: str
"""

import typing as t

from ansible.plugins.lookup import LookupBase
from ansible_collections.openrescue.server.plugins.plugin_utils._inputs import misspelled

__all__ = ("LookupModule",)


class LookupModule(LookupBase):
    """See above."""

    def run(self, terms: t.Any, variables: t.Any = None, **kwargs: t.Any) -> list[str]:  # noqa: ARG002
        """By their names alone: what they hold is not looked at."""
        return misspelled(variables or ())
