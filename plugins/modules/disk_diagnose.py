#!/usr/bin/python
# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: disk_diagnose
short_description: Say from its disks why a server does not boot
version_added: 0.1.0
description:
  - Finds the operating system on the disks that are attached to a rescue system, and looks for the faults that this
    collection knows.
  - Not one bit on the disks changes, journals of file systems included.
  - Nothing of what is on the disks is run.
author:
  - The openrescue authors (@openrescue)
extends_documentation_fragment:
  - openrescue.server._attributes
  - openrescue.server._attributes.info_module
  - openrescue.server._patient
options:
  faults:
    description:
      - Look for these faults only. The default is to look for all.
      - Of use where one fault alone is of interest, such as after a repair by hand. Damaged file systems are looked for
        in any case, as what lies on them cannot be judged before.
      - With this, RV(verdict) can say V(unbootable) or V(unknown) only.
    type: list
    elements: str
  list_faults:
    description:
      - Look at no disk, and return the faults that are known, as RV(faults), to choose from for O(faults) or for
        O(openrescue.server.disk_repair#module:faults). With O(faults) only these are returned.
      - This works on any machine, also without root.
    type: bool
    default: false
notes:
  - All that is returned about the disks is a stranger's text. Do not use it in templates that are evaluated again.
seealso:
  - module: openrescue.server.disk_repair
  - module: openrescue.server.console_diagnose
  - name: Faults and their remedies
    description: What each fault means, how it is found, and what its remedy does.
    link: https://github.com/openrescue/ansible-collection-server/blob/main/docs/docsite/rst/faults.rst
"""

EXAMPLES = r"""
---
- name: Find out why the server does not boot
  openrescue.server.disk_diagnose:
  register: disk

- name: Look at one disk for one fault
  openrescue.server.disk_diagnose:
    devices: /dev/vdb
    faults:
      - fstab-missing-device

- name: Learn which faults are known
  openrescue.server.disk_diagnose:
    list_faults: true
  delegate_to: localhost
  register: known
"""

RETURN = r"""
faults:
  description: The faults that are known, in the order in which they are repaired. Nothing else is returned with them.
  type: list
  elements: dict
  returned: with O(list_faults)
  contains:
    fault:
      description: The ID of the fault.
      type: str
      sample: fstab-missing-device
    title:
      description: What is wrong, in one line.
      type: str
      sample: A line of /etc/fstab names a device that the server does not have
    remedy:
      description: Whether M(openrescue.server.disk_repair) can remove it.
      type: bool
      sample: true
    remedy_safe:
      description: Whether it does so without being asked for it by name.
      type: bool
      sample: true
    tools:
      description: Programs of the rescue system without which it is not looked for.
      type: list
      elements: str
      sample: [e2fsck]
    words:
      description:
        - What the page of the fault in the documentation of this collection says, in sentences of reStructuredText.
          C(meaning), C(effect) (what the server does then), C(detection), C(scope) (where it is looked for), C(remedy),
          C(safety) (where the remedy is safe and where not), and C(undo), which is empty where the remedy can be taken
          back as usual.
      type: dict
verdict:
  description:
    - V(unbootable) if a critical finding was made, or a link of RV(chain) is broken.
    - V(bootable) if every check ran, none was made, and RV(chain) is whole.
    - V(unknown) otherwise, for example where the disks hold no operating system, or several and nothing tells which of
      them the server boots. Then RV(message) says of each what was found, and O(root) chooses one.
  type: str
  returned: success
  sample: unbootable
chain:
  description:
    - What has to hold for the server to boot, in its order, and whether it does. Empty if O(faults) was given, or if
      the disks hold no operating system.
    - Where the server could boot in several ways, such as by BIOS and by UEFI, it is the one that comes nearest to a
      boot.
  type: list
  elements: dict
  returned: success
  contains:
    link:
      description: V(loader), V(entry), V(kernel), V(initramfs), V(modules), V(root) or V(init).
      type: str
      sample: kernel
    status:
      description:
        - V(ok) if it was shown to hold, V(broken) if the server certainly does not boot for it, V(unknown) if neither
          can be told.
      type: str
      sample: ok
    evidence:
      description: What was seen.
      type: str
      sample: /boot/vmlinuz-6.1.0-49-cloud-amd64 (bzImage)
message:
  description: The verdict and its reason in one sentence.
  type: str
  returned: success
  sample: The patient does not boot, 1 critical finding
findings:
  description: What is wrong, in the order in which it should be repaired.
  type: list
  elements: dict
  returned: success
  contains:
    fault:
      description: The ID of the fault.
      type: str
      sample: fstab-missing-device
    severity:
      description: One of V(critical), V(error), V(warning), V(info). Critical is what blocks the boot or the access.
      type: str
      sample: critical
    summary:
      description: One sentence.
      type: str
      sample: /boot is to be mounted from a device that does not exist
    evidence:
      description: Where it was seen.
      type: list
      elements: dict
      contains:
        path:
          description: A path on the patient, or null.
          type: str
        line:
          description: A line in that file, counted from 1, or null.
          type: int
        text:
          description: What stands there, made printable, or null.
          type: str
        device:
          description: A device, as the rescue system names it, or null.
          type: str
    remedy:
      description: What M(openrescue.server.disk_repair) would do, or null if it can do nothing.
      type: str
    remedy_safe:
      description: Whether the remedy loses nothing that could be wanted.
      type: bool
    confidence:
      description: One of V(high), V(medium), V(low).
      type: str
    key:
      description:
        - What makes it the same finding before and after a repair, and in two calls. M(openrescue.server.disk_repair)
          knows by it which of the findings it is given are there.
      type: str
      sample: fstab-missing-device|/etc/fstab|UUID=4711 /boot ext4 defaults 0 2
    causes:
      description: The C(key) of each finding that only follows from this one.
      type: list
      elements: str
patient:
  description: What the disks hold.
  type: dict
  returned: success
  contains:
    os:
      description: C(id), C(id_like), C(version_id) and C(pretty_name) of the operating system, or null.
      type: dict
    kernels:
      description:
        - The installed kernels, newest first, with C(version), C(vmlinuz), C(initramfs) (null if it is not there),
          C(expected_initramfs) (where it belongs) and C(has_modules).
      type: list
      elements: dict
    root:
      description: The device with the root file system, or null.
      type: str
      sample: /dev/vdb3
    boot:
      description: The device with /boot, or null if it is a directory of the root.
      type: str
    esp:
      description: The device with the EFI system partition, or null.
      type: str
    layout:
      description: Disks, partitions, volumes and file systems as a tree, with sizes and usage.
      type: list
      elements: dict
    access:
      description:
        - How the disks were kept as they are. C(strategy) is V(overlay) (everything that looking would write went to a
          layer in memory) or V(read_only) (journals were not replayed), C(reason) says why not the former.
      type: dict
    notes:
      description: What else was seen, such as a file system that cannot be mounted.
      type: list
      elements: str
    uncertain:
      description:
        - What of the server is not open here, such as a locked container, a volume group without one of its disks, or a
          disk that is not attached. What may be in it is neither there nor missing.
      type: list
      elements: str
checks:
  description:
    - Each fault with C(status), the C(reason), its C(findings) and C(seconds).
    - The status is V(ran), V(not_applicable) where the disks hold nothing that the fault could be in, or V(skipped)
      where nobody can tell.
  type: list
  elements: dict
  returned: success
bundles:
  description:
    - The undo bundles of earlier repairs of these disks, the oldest first. Each has C(id), C(time), C(state) and
      C(faults), as M(openrescue.server.disk_repair) lists them with more.
  type: list
  elements: dict
  returned: success
  sample: [{"id": "20260702T090102Z-0badcafe", "state": "kept", "faults": ["fstab-syntax"]}]
timings:
  description: Seconds per phase, and in C(total).
  type: dict
  returned: success
  sample: {"open": 0.4, "device_checks": 0.9, "mount": 0.1, "tree_checks": 0.2, "close": 0.1, "total": 1.7}
error:
  description: What went wrong, with C(code), C(message), C(hint) and C(retryable).
  type: dict
  returned: failure
"""

import time
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._errors import OpenRescueError
from ..module_utils._faults.catalog import CHAIN, FAULTS
from ..module_utils._faults.engine.diagnose import as_result, check_names, diagnose
from ..module_utils._patient.opening import View
from ..module_utils._patient.session import disk_argument_spec, private_session
from ..module_utils._patient.write.bundles import listing, unfinished
from ..module_utils._text import printable_result
from ..module_utils._time import TimeBudget


def run(params: dict[str, t.Any]) -> dict[str, t.Any]:
    wanted = params["faults"]
    check_names(wanted or (), FAULTS)
    if params["list_faults"]:
        return {"faults": [fault.as_dict() for fault in FAULTS if wanted is None or fault.id in wanted]}
    budget = TimeBudget(seconds=params["timeout"])
    with private_session(params, action="disk_diagnose") as tools:
        view = View.asked(params, tools=tools, trial=True)
        began = time.monotonic()
        with view.opened():
            budget.lap("open", began)
            report = diagnose(
                view,
                faults=FAULTS,
                budget=budget,
                wanted=None if wanted is None else set(wanted),
                chain=CHAIN if wanted is None else None,
            )
            view.patient.notes += [
                f"a repair was killed while it wrote here: {undo}. The next disk_repair brings it to its end"
                for undo in unfinished(view)
            ]
            result = {**as_result(view, report), "bundles": earlier_repairs(view)}
            began = time.monotonic()
        budget.lap("close", began)
    return {**result, "timings": budget.timings}


def earlier_repairs(view: View) -> list[dict[str, t.Any]]:
    """What can be taken back: nobody may have been told, where a run was killed."""
    return [{"id": item.id, "time": item.time, "state": item.state, "faults": item.faults} for item in listing(view)]


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **disk_argument_spec(),
            "faults": {"type": "list", "elements": "str"},
            "list_faults": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    try:
        result = run(module.params)
    except OpenRescueError as exc:
        module.fail_json(**printable_result({"msg": str(exc), "error": exc.as_result()}))
    module.exit_json(changed=False, **printable_result(result))


if __name__ == "__main__":
    main()
