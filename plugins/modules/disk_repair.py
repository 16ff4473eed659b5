#!/usr/bin/python
# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: disk_repair
short_description: Repair what keeps a server from booting, on its disks
version_added: 0.1.0
description:
  - Applies the remedies that this collection knows, in their right order, to the disks that are attached to a rescue
    system.
  - Every finding is detected afresh before it is repaired, and looked for again afterwards.
  - What was there before is kept in an undo bundle on the rescue system, and on the patient's own disk where that has
    room and is written anyway. O(state=reverted) puts it back.
author:
  - The openrescue authors (@openrescue)
extends_documentation_fragment:
  - openrescue.server._attributes
  - openrescue.server._patient
attributes:
  check_mode:
    support: full
    details:
      - The remedies are tried in throw-away layers.
      - Without device-mapper, repairs of whole file systems are named only.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  state:
    description:
      - V(repaired) applies remedies.
      - V(reverted) puts back what the run O(undo) has changed.
    type: str
    choices: [repaired, reverted]
    default: repaired
  findings:
    description:
      - Repair these findings, as RV(openrescue.server.disk_diagnose#module:findings) returned them.
      - A finding that is not on the disk any more is skipped.
    type: list
    elements: dict
  faults:
    description:
      - Repair all findings of these faults.
      - If neither O(findings) nor O(faults) is given, everything is repaired whose remedy is marked safe.
      - A remedy that is not safe is applied only to what is named here or given in O(findings).
    type: list
    elements: str
  undo:
    description:
      - The ID of an undo bundle, from RV(undo) of the run that is to be reverted.
      - Required with O(state=reverted), and not allowed else.
    type: str
notes:
  - All that is returned about the disks is a stranger's text. Do not use it in templates that are evaluated again.
seealso:
  - module: openrescue.server.disk_diagnose
"""

EXAMPLES = r"""
---
- name: Repair everything that can be repaired safely
  openrescue.server.disk_repair:
  register: repair

- name: Show what would be written to mend two kinds of faults
  openrescue.server.disk_repair:
    faults:
      - fstab-missing-device
      - grub-config-missing
  check_mode: true
  diff: true

- name: Put every byte back
  openrescue.server.disk_repair:
    state: reverted
    undo: "{{ repair.undo }}"
"""

RETURN = r"""
applied:
  description:
    - With O(state=repaired), the findings that were repaired, each with the keys of
      RV(openrescue.server.disk_diagnose#module:findings), C(reason) and C(diff), a unified diff.
    - With O(state=reverted), what was put back, with C(path) or C(device), C(reason) and C(diff).
  type: list
  elements: dict
  returned: success or failure after detection
skipped_findings:
  description: The findings that were not repaired, each with the C(reason).
  type: list
  elements: dict
  returned: success or failure after detection
failed_findings:
  description: The findings whose remedy did not help, each with the C(reason). What it had changed was put back.
  type: list
  elements: dict
  returned: success or failure after detection
undo:
  description: The ID of the undo bundle, or null if nothing was written.
  type: str
  returned: success or failure after detection
  sample: 20260702T090102Z-0badcafe
notes:
  description: What else was seen.
  type: list
  elements: str
  returned: success or failure after detection
access:
  description: How the disks were kept as they are while looking, as in M(openrescue.server.disk_diagnose).
  type: dict
  returned: success or failure after detection
timings:
  description: Seconds per phase, and in C(total).
  type: dict
  returned: success or failure after detection
error:
  description: What went wrong, with C(code), C(message), C(hint) and C(retryable).
  type: dict
  returned: failure
"""

import dataclasses
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._errors import OpenRescueError
from ..module_utils._faults.catalog import FAULTS
from ..module_utils._faults.engine.diagnose import check_names
from ..module_utils._faults.engine.repair import Outcome, Selection, finding_of, repair
from ..module_utils._faults.model import Finding
from ..module_utils._patient.opening import View
from ..module_utils._patient.session import disk_argument_spec, private_session
from ..module_utils._patient.write.revert import load_bundle, revert
from ..module_utils._patient.write.undo import FileEntry, check_id
from ..module_utils._text import printable_result
from ..module_utils._time import TimeBudget


def selection_of(params: dict[str, t.Any]) -> Selection:
    findings: list[Finding] | None = None
    if params["findings"] is not None:
        findings = [finding_of(item) for item in params["findings"]]
    faults = params["faults"]
    check_names([*(faults or ()), *(item.fault for item in findings or ())], FAULTS)
    return Selection(
        faults=None if faults is None else frozenset(faults), findings=None if findings is None else tuple(findings)
    )


def run(params: dict[str, t.Any], *, check: bool) -> dict[str, t.Any]:
    budget = TimeBudget(seconds=params["timeout"])
    reverts = params["state"] == "reverted"
    if reverts:
        check_id(params["undo"])
    selection = None if reverts else selection_of(params)
    with private_session(params, action=f"disk_repair, state {params['state']}") as tools:

        def make_view(trial: bool) -> View:
            return View(tools=tools, only=params["devices"], root=params["root"], trial=trial)

        if selection is None:
            outcome = run_revert(make_view(check), params["undo"], check=check)
        else:
            outcome = repair(make_view, faults=FAULTS, selection=selection, check=check, budget=budget)
    budget.finish()
    result = dataclasses.asdict(outcome)
    diff = result.pop("diff")
    # Ansible has a meaning of its own for "skipped" and "failed" at the top of a result.
    for name in ("skipped", "failed"):
        result[f"{name}_findings"] = result.pop(name)
    return {**result, "changed": outcome.changed, "timings": budget.timings, "diff": {"prepared": diff}}


def run_revert(view: View, undo: str, *, check: bool) -> Outcome:
    outcome = Outcome(undo=undo)
    with view.opened():
        view.mount()
        bundle = load_bundle(view, undo)
        outcome.access = view.access
        for entry, reason, diff in revert(view, bundle, check=check):
            where = {"path": entry.path} if isinstance(entry, FileEntry) else {"device": entry.device}
            told = {**where, "reason": reason, "diff": diff}
            if reason:
                outcome.failed.append(told)
            else:
                outcome.applied.append(told)
                outcome.diff += diff
        outcome.notes = list(view.patient.notes)
    return outcome


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **disk_argument_spec(),
            "state": {"type": "str", "choices": ["repaired", "reverted"], "default": "repaired"},
            "findings": {"type": "list", "elements": "dict"},
            "faults": {"type": "list", "elements": "str"},
            "undo": {"type": "str"},
        },
        required_if=[("state", "reverted", ["undo"])],
        mutually_exclusive=[("undo", "findings"), ("undo", "faults")],
        supports_check_mode=True,
    )
    if module.params["state"] == "repaired" and module.params["undo"] is not None:
        module.fail_json(msg="undo is only allowed with state=reverted")
    if module.params["state"] == "reverted" and not module.params["undo"]:
        module.fail_json(msg="there is no undo to revert: a repair that changed nothing returns none")
    try:
        result = printable_result(run(module.params, check=module.check_mode))
    except OpenRescueError as exc:
        module.fail_json(**printable_result({"msg": str(exc), "error": exc.as_result()}))
    failed = result["failed_findings"]
    if failed:
        names = ", ".join(str(item.get("fault") or item.get("path") or item.get("device")) for item in failed)
        module.fail_json(msg=f"not all could be {module.params['state']}: {names}: {failed[0]['reason']}", **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
