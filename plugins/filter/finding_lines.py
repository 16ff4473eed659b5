# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings as lines for people."""

from __future__ import annotations

DOCUMENTATION = r"""
name: finding_lines
short_description: Findings as lines for people
version_added: 0.1.0
author:
  - The openrescue authors (@openrescue)
description:
  - Writes the findings of M(openrescue.server.disk_diagnose) as lines, each with its evidence and its remedy.
options:
  _input:
    description: RV(openrescue.server.disk_diagnose#module:findings).
    type: list
    elements: dict
    required: true
  chosen:
    description:
      - Where it is given, only the findings that are not among these are written, each in one line that says how it is
        asked for.
    type: list
    elements: dict
"""

EXAMPLES = r"""
- name: Say what is wrong
  ansible.builtin.debug:
    msg: "{{ diagnose_result.findings | openrescue.server.finding_lines }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""

import typing as t

__all__ = ("FilterModule", "finding_lines")

Finding = t.Mapping[str, t.Any]


def finding_lines(findings: t.Sequence[Finding], chosen: t.Sequence[Finding] | None = None) -> list[str]:
    """See above."""
    if chosen is not None:
        left = (finding for finding in findings if finding not in chosen and finding["severity"] != "info")
        return [_left(finding) for finding in left]
    return [line for finding in findings for line in _told(finding)]


def _told(finding: Finding) -> t.Iterator[str]:
    yield f"{finding['severity']} {finding['fault']}: {finding['summary']}"
    for item in finding.get("evidence") or []:
        if item.get("text"):
            where = ":".join(str(part) for part in (item.get("path"), item.get("line")) if part)
            yield f"    {where}  {item['text']}"
    if finding.get("remedy"):
        asked = "" if finding.get("remedy_safe") else " (only when asked for by name)"
        yield f"    remedy{asked}: {finding['remedy']}"


def _left(finding: Finding) -> str:
    fault = finding["fault"]
    way = f"ask for it with -e repair_faults={fault}" if finding.get("remedy") else "no remedy is known"
    return f"left as it is: {fault}; {way}"


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filter by its name."""
        return {"finding_lines": finding_lines}
