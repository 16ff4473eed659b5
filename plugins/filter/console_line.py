# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a console ends, in a sentence."""

from __future__ import annotations

DOCUMENTATION = r"""
name: console_line
short_description: How a console ends, in a sentence
version_added: 0.1.0
author:
  - The openrescue authors (@openrescue)
description:
  - Says what was found on a console, and its last lines, for a server that did not come up.
options:
  _input:
    description: What M(openrescue.server.console_diagnose) has returned, also where it has failed.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Say how it ends
  ansible.builtin.debug:
    msg: "{{ console | openrescue.server.console_line }}"
"""

RETURN = r"""
_value:
  description: The sentence, as V(Its console ends with 'No bootable device.'.).
  type: str
"""

import typing as t

__all__ = ("FilterModule", "console_line")

#: of the end
LINES = 3


def console_line(console: t.Mapping[str, t.Any]) -> str:
    """See above."""
    found = [str(item.get("summary")) for item in console.get("findings") or ()]
    tail = [str(line).strip() for line in console.get("tail") or () if str(line).strip()][-LINES:]
    if not tail:
        why = console.get("msg")
        return f"Its console cannot be read: {why}." if why else "Its console is empty."
    said = f"Its console says: {'; '.join(found)}. " if found else ""
    return f"{said}Its console ends with '{' / '.join(tail)}'."


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filter by its name."""
        return {"console_line": console_line}
