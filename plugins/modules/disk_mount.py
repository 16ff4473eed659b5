#!/usr/bin/python
# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: disk_mount
short_description: Mount the whole tree of a server that does not boot
version_added: 0.1.0
description:
  - Finds the operating system on the disks that are attached to a rescue system, and mounts its whole tree at one path,
    for your own tasks or a chroot.
  - If it is mounted there already and is now asked for in another way, it is mounted anew.
  - Mounted read-only, which is the default, not one bit on the disks changes.
author:
  - The openrescue authors (@openrescue)
extends_documentation_fragment:
  - openrescue.server._attributes
  - openrescue.server._patient
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  state:
    description:
      - V(mounted) mounts the tree.
      - V(unmounted) unmounts it and leaves nothing active, neither volumes nor arrays nor layers.
      - Once V(unmounted) has ended well, no module of this collection works on the disks any more. With O(lock_timeout)
        a playbook waits for that before it takes the rescue system away.
    type: str
    choices: [mounted, unmounted]
    required: true
  path:
    description:
      - Where the tree is mounted. The directory is made if it is missing.
      - Give another one where that place is taken on the rescue system, and then the same one with
        O(state=unmounted).
    type: path
    default: /mnt/patient
  read_only:
    description:
      - Whether the disks are kept as they are.
      - Set it to V(false) to change files or to run the patient's programs in a chroot. The file systems of the patient
        are then mounted for writing.
      - Ext and XFS file systems are checked before, which takes minutes on large ones.
      - One that is damaged is not mounted for writing, and neither is one on a disk that other servers use, or on half
        of a mirror. If it is the root, the module fails. Otherwise it is mounted read-only, see RV(mounts).
    type: bool
    default: true
seealso:
  - module: openrescue.server.disk_repair
"""

EXAMPLES = r"""
---
- name: Mount the server's tree
  openrescue.server.disk_mount:
    state: mounted
    read_only: false

- name: Do your own fix
  ansible.builtin.lineinfile:
    path: /mnt/patient/etc/default/grub
    regexp: ^GRUB_TIMEOUT=
    line: GRUB_TIMEOUT=5

- name: Unmount it
  openrescue.server.disk_mount:
    state: unmounted
"""

RETURN = r"""
mount_point:
  description: Where the tree is, or was.
  type: str
  returned: success
  sample: /mnt/patient
root:
  description: The device with the root file system.
  type: str
  returned: when O(state=mounted) and not in check mode
mounts:
  description:
    - What is mounted beneath RV(mount_point), each with C(path) in the patient's tree, C(device) and C(read_only).
    - With O(read_only=false), RV(notes) says why some of it is read-only all the same.
  type: list
  elements: dict
  returned: when O(state=mounted) and not in check mode
notes:
  description: What else was seen, such as a file system that cannot be mounted.
  type: list
  elements: str
  returned: when O(state=mounted) and not in check mode
error:
  description: What went wrong, with C(code), C(message), C(hint) and C(retryable).
  type: dict
  returned: failure
"""

import os
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._errors import OpenRescueError
from ..module_utils._patient.asked import asked_of, is_as_asked
from ..module_utils._patient.opening import View
from ..module_utils._patient.session import (
    PatientMounted,
    disk_argument_spec,
    exclusive,
    mounted_now,
    remember_mounted,
)
from ..module_utils._patient.tools import Tools
from ..module_utils._patient.tree.mounts import mounts_below
from ..module_utils._text import printable_result


def mount(params: dict[str, t.Any], path: str, *, tools: Tools, check: bool) -> dict[str, t.Any]:
    now = mounted_now()
    if now is not None and now["path"] != path and mounts_below(now["path"]):
        raise PatientMounted(f"the patient is mounted at {now['path']} already", hint="Unmount it there first")
    before = now["asked"] if now is not None and mounts_below(path) else None
    asked = asked_of(params, before=before)
    if now is not None and before is not None and is_as_asked(before, asked) and now["told"]:
        return {"changed": False, "mount_point": path, **now["told"]}
    if check:
        return {"changed": True, "mount_point": path}
    view = View.asked({**params, "server_disks": asked["server_disks"]}, tools=tools, target=path)
    remember_mounted({"path": path, "asked": asked, "told": None})
    try:
        view.open()
        view.mount_for_others(writable=not params["read_only"])
    except BaseException:
        view.close()
        remember_mounted(None)
        raise
    patient = view.patient
    told = {
        "mounts": [
            {"path": item.mount_point, "device": item.device, "read_only": not view.is_written(item)}
            for item in patient.filesystems
            if item.mount_point
        ],
        "root": patient.root.device if patient.root else None,
        "notes": patient.notes,
    }
    remember_mounted({"path": path, "asked": asked, "told": told})
    view.leave()
    return {"changed": True, "mount_point": path, **told}


def unmount(_params: dict[str, t.Any], path: str, *, tools: Tools, check: bool) -> dict[str, t.Any]:
    now = mounted_now()
    if now is None or now["path"] != path:
        return {"changed": False, "mount_point": path}
    if not check:
        View(tools=tools, target=path).close()
        remember_mounted(None)
    return {"changed": True, "mount_point": path}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **disk_argument_spec(),
            "state": {"type": "str", "choices": ["mounted", "unmounted"], "required": True},
            "path": {"type": "path", "default": "/mnt/patient"},
            "read_only": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    state = module.params["state"]
    path = os.path.normpath(module.params["path"])
    if not os.path.isabs(path) or path == "/":
        module.fail_json(msg="path must be absolute, and not /")
    act = mount if state == "mounted" else unmount
    try:
        with exclusive(module.params, action=f"disk_mount, state {state}") as tools:
            result = act(module.params, os.path.realpath(path), tools=tools, check=module.check_mode)
    except OpenRescueError as exc:
        module.fail_json(**printable_result({"msg": str(exc), "error": exc.as_result()}))
    before = {"mounted": (state == "mounted") != result["changed"]}
    module.exit_json(diff={"before": before, "after": {"mounted": state == "mounted"}}, **printable_result(result))


if __name__ == "__main__":
    main()
