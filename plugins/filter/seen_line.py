# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a server was seen last, in words."""

from __future__ import annotations

DOCUMENTATION = r"""
name: seen_line
short_description: How a server was seen last, in words
version_added: 0.1.0
author:
  - The openrescue authors (@openrescue)
description:
  - Says in a few words how a server was seen by its provider, or what its own system said.
options:
  _input:
    description:
      - RV(openrescue.server.server_rescue_info#module:server), or what M(openrescue.server.system_state) returned.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Say how it is
  ansible.builtin.debug:
    msg: "{{ looked.server | openrescue.server.seen_line }}"
"""

RETURN = r"""
_value:
  description: The words, as V(it is unrescued, its power state running, its guest agent disconnected).
  type: str
"""

import typing as t

__all__ = ("FilterModule", "seen_line")


def seen_line(seen: t.Mapping[str, t.Any]) -> str:
    """See above."""
    if "answers" in seen:
        return _system(seen)
    if seen.get("error"):
        return str(seen["error"].get("message") or "it cannot be looked at")
    words = [f"it is {seen.get('state')}, its power state {seen.get('power_state')}"]
    if seen.get("agent"):
        words.append(f"its guest agent {seen['agent']}")
    evidence = (seen.get("life") or {}).get("evidence")
    return ", ".join(words) + (f" ({evidence})" if evidence else "")


def _system(asked: t.Mapping[str, t.Any]) -> str:
    if not asked["answers"]:
        return f"it does not answer: {asked.get('reason') or 'no reason given'}"
    return f"its system says '{asked.get('system') or 'nothing'}'"


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filter by its name."""
        return {"seen_line": seen_line}
