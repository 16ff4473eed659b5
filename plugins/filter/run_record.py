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
  end:
    description: What P(openrescue.server.way_end#filter) has returned.
    type: dict
    required: true
  run:
    description: The run, as P(openrescue.server.run#lookup) names it.
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
         | openrescue.server.run_record(name='web1', provider='libvirt', end=end) }}
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
    end: Result,
    run: str = "",
    life: t.Mapping[str, t.Any] | None = None,
    check: bool = False,
) -> dict[str, t.Any]:
    """See above."""
    taken: dict[str, Result] = {step: result for step, result in steps.items() if result}
    server: Result = next((found for step in _LAST_WORD if (found := taken.get(step, {}).get("server"))), {})
    repair = taken.get("repair", {})
    return {
        "outcome": end["outcome"],
        "run": run or None,
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
        "earlier": _earlier(taken.get("diagnose", {})),
        "archive": taken.get("collect", {}).get("archive") or None,
        "proof": taken.get("verify", {}).get("proof"),
        "error": _reason(taken, end["error"]) if end["outcome"] == "failed" else end["error"] or None,
        "said": end["said"],
        "next": list(end["next"]),
    }


def _earlier(diagnosis: Result) -> list[str]:
    """The repairs of before that can be taken back."""
    return [str(item["id"]) for item in diagnosis.get("bundles") or [] if item.get("state") == "kept"]


def _findings(taken: t.Mapping[str, Result]) -> list[dict[str, t.Any]]:
    """Of the disks, else of the console."""
    sources = (taken.get(step, {}).get("findings") for step in ("diagnose", "triage"))
    found: t.Sequence[Result] = next((findings for findings in sources if findings is not None), ())
    return [{key: finding[key] for key in ("fault", "severity", "summary")} for finding in found]


def _reason(taken: t.Mapping[str, Result], error: str) -> str:
    """The reasons that the playbook and the steps gave, each once."""
    failed = (result for step in _REASONS if (result := taken.get(step, {})).get("failed"))
    told = [error] if error else []
    for message in (str(result.get("msg", "")) for result in failed):
        if not any(message in other for other in told):
            told.append(message)
    return " | ".join(told) or "no reason given"


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filter by its name."""
        return {"run_record": run_record}
