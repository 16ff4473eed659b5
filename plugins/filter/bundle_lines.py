# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Undo bundles, for people."""

from __future__ import annotations

DOCUMENTATION = r"""
name: bundle_lines
short_description: Undo bundles, for people
version_added: 0.1.0
author:
  - The openrescue authors (@openrescue)
description:
  - Makes a line of each undo bundle that M(openrescue.server.disk_repair) lists, the oldest first.
options:
  _input:
    description: RV(openrescue.server.disk_repair#module:bundles).
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Say what can be taken back
  ansible.builtin.debug:
    msg: "{{ listed.bundles | openrescue.server.bundle_lines }}"
"""

RETURN = r"""
_value:
  description: The lines, as V(20260702T090102Z-0badcafe  kept  fstab-syntax  /etc/fstab).
  type: list
  elements: str
"""

import typing as t

__all__ = ("FilterModule", "bundle_lines")

#: paths of one bundle that are named
MOST = 5


def bundle_lines(bundles: t.Sequence[t.Mapping[str, t.Any]]) -> list[str]:
    """See above."""
    return ["  ".join((str(item["id"]), str(item["state"]), _faults(item), _places(item))) for item in bundles]


def _faults(bundle: t.Mapping[str, t.Any]) -> str:
    return ", ".join(map(str, bundle.get("faults") or ())) or "no fault"


def _places(bundle: t.Mapping[str, t.Any]) -> str:
    places = [str(entry.get("path") or entry.get("device")) for entry in bundle.get("entries") or ()]
    more = [f"and {len(places) - MOST} more"] if len(places) > MOST else []
    return ", ".join([*places[:MOST], *more])


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filter by its name."""
        return {"bundle_lines": bundle_lines}
