# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults that are asked for and that nobody knows."""

from __future__ import annotations

DOCUMENTATION = r"""
name: unknown_faults
short_description: Faults that are asked for and that nobody knows
version_added: 0.1.0
author:
  - The openrescue authors (@openrescue)
description:
  - Says what of the variable C(repair_faults) is neither V(safe), V(all) or V(none) nor a fault that is known,
    each with the nearest word that is known. A misspelled fault would be found out minutes later.
options:
  _input:
    description: V(safe), V(all), V(none), one fault, or a list of them.
    type: raw
    required: true
"""

EXAMPLES = r"""
- name: Make sure that the faults are known
  ansible.builtin.assert:
    that: not repair_faults | openrescue.server.unknown_faults
    fail_msg: "{{ repair_faults | openrescue.server.unknown_faults | join(', ') }}"
"""

RETURN = r"""
_value:
  description: What is not known, as V(fstab-sintax (did you mean fstab-syntax?\)).
  type: list
  elements: str
"""

import difflib
import functools
import typing as t

from ansible_collections.openrescue.server.plugins.module_utils._text import printable

__all__ = ("FilterModule", "unknown_faults")

GROUPS = ("safe", "all", "none")


@functools.cache
def _known() -> tuple[str, ...]:
    # All faults are loaded for it, which most runs do not need.
    from ansible_collections.openrescue.server.plugins.module_utils._faults.catalog import FAULTS

    return (*GROUPS, *sorted(fault.id for fault in FAULTS))


def unknown_faults(faults: t.Any) -> list[str]:
    """See above."""
    asked = faults.replace(",", " ").split() if isinstance(faults, str) else [str(word) for word in faults or []]
    unknown = [word for word in asked if word not in GROUPS]
    return [_told(word) for word in unknown if word not in _known()]


def _told(word: str) -> str:
    near = difflib.get_close_matches(word, _known(), n=1)
    shown = printable(word, limit=60)
    return f"{shown} (did you mean {near[0]}?)" if near else f"{shown} (there are: {', '.join(_known())})"


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filter by its name."""
        return {"unknown_faults": unknown_faults}
