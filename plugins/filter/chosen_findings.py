# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The findings that are to be repaired."""

from __future__ import annotations

DOCUMENTATION = r"""
name: chosen_findings
short_description: The findings that are to be repaired
version_added: 0.1.0
author:
  - The openrescue authors (@openrescue)
description:
  - Chooses from the findings of M(openrescue.server.disk_diagnose) those that have a remedy and are asked for.
positional: faults
options:
  _input:
    description: RV(openrescue.server.disk_diagnose#module:findings).
    type: list
    elements: dict
    required: true
  faults:
    description:
      - V(safe) for those whose remedy is marked safe, V(all) for all that have a remedy, V(none), one fault, or a list
        of them. Faults that are named are chosen whether their remedies are safe or not.
    type: raw
    required: true
"""

EXAMPLES = r"""
- name: Show what would be repaired
  ansible.builtin.debug:
    msg: "{{ diagnose_result.findings | openrescue.server.chosen_findings('safe') }}"
"""

RETURN = r"""
_value:
  description: The chosen ones, in their order.
  type: list
  elements: dict
"""

import typing as t

__all__ = ("FilterModule", "chosen_findings")


def chosen_findings(findings: t.Sequence[t.Mapping[str, t.Any]], faults: t.Any) -> list[t.Mapping[str, t.Any]]:
    """See above."""
    wanted = faults.replace(",", " ").split() if isinstance(faults, str) else list(faults or [])
    with_remedy = [finding for finding in findings if finding.get("remedy")]
    return [
        finding
        for finding in with_remedy
        if "all" in wanted or finding["fault"] in wanted or ("safe" in wanted and finding.get("remedy_safe"))
    ]


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filter by its name."""
        return {"chosen_findings": chosen_findings}
