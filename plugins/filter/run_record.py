# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has become of one server in a run, for machines."""

from __future__ import annotations

DOCUMENTATION = r"""
name: run_record
short_description: What has become of one server in a run
version_added: 0.1.0
author:
  - The openrescue authors (@openrescue)
description:
  - Makes one record from what the steps of a playbook have returned, each under its own name. A step that was not
    taken is missing, or empty.
options:
  _input:
    description:
      - The results of the steps, C(triage), C(probe), C(rescue), C(undone), C(diagnose), C(repair), C(unrescue) and
        C(verify).
    type: dict
    required: true
  name:
    description: The name of the server, used where no step has told it, since all of them failed before.
    type: str
    required: true
  provider:
    description: Where the server lives, V(openstack) or V(libvirt).
    type: str
    required: true
  outcome:
    description:
      - How the way of this server has ended, such as V(back), V(off), V(left_alone), V(rescued) or V(repaired). Empty
        where it has failed.
    type: str
    default: ""
  error:
    description: Why it has failed, where the playbook knows it better than the steps do.
    type: str
    default: ""
  last:
    description: What the task said that has failed last. Used where nobody else gave a reason.
    type: str
    default: ""
  life:
    description: What was known of its life before anything was done.
    type: dict
  check:
    description: Whether it was a run in check mode, so that nothing was changed.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Say what has become of the server
  ansible.builtin.debug:
    msg: >-
      {{ {'unrescue': unrescue_result}
         | openrescue.server.run_record(name='web1', provider='libvirt', outcome='unrescued') }}
"""

RETURN = r"""
_value:
  description: The record, as it is described for AWX in the directory C(awx) of the repository.
  type: dict
"""

import typing as t

__all__ = ("FilterModule", "run_record")

Result = t.Mapping[str, t.Any]

#: the steps whose word on the server counts, the last one first
_LAST_WORD = ("verify", "unrescue", "undone", "rescue", "probe")
#: the steps that change something
_CHANGE = ("rescue", "undone", "repair", "unrescue")
#: the steps whose reasons are told, in the order of the way
_REASONS = ("triage", "probe", "rescue", "diagnose", "repair", "undone", "unrescue")


def run_record(
    steps: t.Mapping[str, Result | None],
    *,
    name: str,
    provider: str,
    outcome: str = "",
    error: str = "",
    last: str = "",
    life: t.Mapping[str, t.Any] | None = None,
    check: bool = False,
) -> dict[str, t.Any]:
    """See above."""
    taken: dict[str, Result] = {step: result for step, result in steps.items() if result}
    server: Result = next((found for step in _LAST_WORD if (found := taken.get(step, {}).get("server"))), {})
    repair = taken.get("repair", {})
    return {
        "outcome": outcome or "failed",
        "check": check,
        "name": server.get("name") or name,
        "id": server.get("id"),
        "provider": provider,
        "state": server.get("state"),
        "power_state": server.get("power_state"),
        "changed": any(taken.get(step, {}).get("changed") for step in _CHANGE),
        "life": life or None,
        "console": taken.get("triage", {}).get("boot"),
        "verdict": taken.get("diagnose", {}).get("verdict"),
        "findings": _findings(taken),
        # What was taken back has no fault.
        "applied": [finding["fault"] for finding in repair.get("applied") or [] if finding.get("fault")],
        "not_repaired": [finding["fault"] for finding in repair.get("failed_findings") or []],
        "undo": repair.get("undo"),
        "proof": taken.get("verify", {}).get("proof"),
        "error": (error or None) if outcome else _reason(taken, error=error, last=last),
    }


def _findings(taken: t.Mapping[str, Result]) -> list[dict[str, t.Any]]:
    """Of the disks, else of the console."""
    sources = (taken.get(step, {}).get("findings") for step in ("diagnose", "triage"))
    found: t.Sequence[Result] = next((findings for findings in sources if findings is not None), ())
    return [{key: finding[key] for key in ("fault", "severity", "summary")} for finding in found]


def _reason(taken: t.Mapping[str, Result], *, error: str, last: str) -> str:
    """The reasons that playbook and steps gave, else what stopped the last of them."""
    failed = (result for step in _REASONS if (result := taken.get(step, {})).get("failed"))
    reasons = [error, *(str(result.get("msg", "")) for result in failed)]
    return " | ".join(dict.fromkeys(filter(None, reasons))) or last or "see what the failed task says"


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filter by its name."""
        return {"run_record": run_record}
