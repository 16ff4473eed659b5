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
  - What was there before is kept in an undo bundle on the rescue system, before anything is changed. Where files are
    changed, the patient's own disk gets a copy in C(/var/lib/openrescue/undo), whose name is there before the first of
    them is written; the contents follow as far as there is room. O(state=reverted) puts it back.
  - Kill it at any moment. What a killed run was writing is brought to its end by the next run on the same disks, before
    it does anything else, also in another rescue system. RV(recovered) tells it.
  - A remedy that needs a program of the patient's own, such as C(mkinitramfs), runs it on a throw-away layer in
    namespaces of its own, without network, and with none of the capabilities that would let it reach a disk, the kernel
    or another process. Of what it wrote, only the files that it was run for are taken over.
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
      - V(reverted) puts back what the run O(undo) has changed. What was changed again since is left as it is, and
        reported in RV(failed_findings). Blocks of a file system that was repaired as a whole, and files that were moved
        away to make room, are kept on the rescue system only, so that they can be put back until the server is
        unrescued.
      - V(listed) changes nothing and lists the undo bundles of these disks in RV(bundles).
    type: str
    choices: [repaired, reverted, listed]
    default: repaired
  findings:
    description:
      - Repair these findings, as RV(openrescue.server.disk_diagnose#module:findings) returned them. Use this to repair
        what a person or a filter has chosen from a diagnosis; all else on the disks is left as it is.
      - A finding that is not on the disk any more is skipped.
    type: list
    elements: dict
  faults:
    description:
      - Repair all findings of these faults. O(openrescue.server.disk_diagnose#module:list_faults) lists them.
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
  - name: Faults and their remedies
    description: What each fault means, how it is found, and what its remedy does.
    link: https://github.com/openrescue/ansible-collection-server/blob/main/docs/docsite/rst/faults.rst
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

- name: List what can be put back
  openrescue.server.disk_repair:
    state: listed
  register: kept

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
recovered:
  description:
    - What was brought to an end of runs that were killed before. Each has C(undo), the ID of its bundle, and C(done),
      a list of sentences.
  type: list
  elements: dict
  returned: success or failure after detection
  sample: [{"undo": "20260702T090102Z-0badcafe", "done": ["/etc/fstab: was written, and is whole"]}]
bundles:
  description:
    - The undo bundles of these disks, the oldest first. Each has C(id), C(time), C(state), C(faults), the C(entries)
      with C(path) or C(device) and C(state), and C(where), a list of V(rescue_system) and V(patient).
    - The C(state) is V(kept), V(reverted), or V(unfinished) if its run was killed in the middle of a write.
  type: list
  elements: dict
  returned: with O(state=listed)
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
from ..module_utils._patient.write.bundles import listing
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
    state = params["state"]
    if state == "reverted":
        check_id(params["undo"])
    selection = selection_of(params) if state == "repaired" else None
    with private_session(params, action=f"disk_repair, state {state}") as tools:

        def make_view(trial: bool) -> View:
            return View.asked(params, tools=tools, trial=trial)

        if state == "listed":
            return {"changed": False, "bundles": run_list(make_view(True))}
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


def run_list(view: View) -> list[dict[str, t.Any]]:
    with view.opened():
        view.mount(read_only=True)
        return [dataclasses.asdict(item) for item in listing(view)]


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
            "state": {"type": "str", "choices": ["repaired", "reverted", "listed"], "default": "repaired"},
            "findings": {"type": "list", "elements": "dict"},
            "faults": {"type": "list", "elements": "str"},
            "undo": {"type": "str"},
        },
        required_if=[("state", "reverted", ["undo"])],
        mutually_exclusive=[("undo", "findings"), ("undo", "faults")],
        supports_check_mode=True,
    )
    if module.params["state"] != "reverted" and module.params["undo"] is not None:
        module.fail_json(msg="undo is only allowed with state=reverted")
    if module.params["state"] == "reverted" and not module.params["undo"]:
        module.fail_json(msg="there is no undo to revert: a repair that changed nothing returns none")
    try:
        result = printable_result(run(module.params, check=module.check_mode))
    except OpenRescueError as exc:
        module.fail_json(**printable_result({"msg": str(exc), "error": exc.as_result()}))
    failed = result.get("failed_findings")
    if failed:
        names = ", ".join(str(item.get("fault") or item.get("path") or item.get("device")) for item in failed)
        module.fail_json(msg=f"not all could be {module.params['state']}: {names}: {failed[0]['reason']}", **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
