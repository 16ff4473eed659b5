#!/usr/bin/python
# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: disk_collect
short_description: Collect what an analyst needs of a server that does not boot
version_added: 0.1.0
description:
  - Makes one archive of the operating system on the disks that are attached to a rescue system. In it are its journal
    and logs, its settings, the configuration of its boot loader, a listing of what lies in C(/boot) with sizes and
    hashes, its list of packages, and what M(openrescue.server.disk_diagnose) says of it.
  - Not one bit on the disks changes, journals of file systems included, and nothing of what is on them is run.
  - Images of kernels and initramfs are listed, and not in the archive.
author:
  - The openrescue authors (@openrescue)
extends_documentation_fragment:
  - openrescue.server._attributes
  - openrescue.server._patient
attributes:
  check_mode:
    support: full
    details:
      - The disks are looked at, and what would be in the archive is returned as RV(would_collect).
  diff_mode:
    support: none
  idempotent:
    support: none
    details:
      - Each run makes an archive.
options:
  dest:
    description:
      - The archive on the rescue system, a C(.tar.gz) that only root can read. Its directory has to be there.
      - By default it is made in C(/run/openrescue-collect), or where memory is short in C(/var/tmp/openrescue-collect),
        under a name with the time.
    type: path
  include_secrets:
    description:
      - Whether password hashes, private keys and passwords of networks are in the archive.
      - If V(false), a file that is known to hold nothing else is left out, and in the other settings a value whose name
        says that it is a secret is replaced by C((left out)). Both are told in the archive's manifest.
      - What a program has written to a log or to the journal is in the archive as it is.
    type: bool
    default: false
  max_bytes:
    description:
      - How many bytes of the patient's files are taken at most, counted before they are compressed.
      - The journal takes at most three fifths of them, newest files first, then come the logs.
    type: int
    default: 268435456
  max_file_bytes:
    description:
      - How many bytes are taken of one file. Of a log that is larger the end is taken.
      - This does not count for files of the journal, a part of which is of no use.
    type: int
    default: 16777216
  max_files:
    description:
      - How many files are taken at most.
    type: int
    default: 5000
notes:
  - All that is in the archive is a stranger's. Its members are regular files beneath one directory, whose names print.
seealso:
  - module: openrescue.server.disk_diagnose
  - module: ansible.builtin.fetch
"""

EXAMPLES = r"""
---
- name: Collect what an analyst needs
  openrescue.server.disk_collect:
  register: collected

- name: Bring it here
  ansible.builtin.fetch:
    src: "{{ collected.dest }}"
    dest: evidence/web1.tar.gz
    flat: true

- name: Collect little, and say where it goes
  openrescue.server.disk_collect:
    dest: /root/web1.tar.gz
    max_bytes: 20000000
"""

RETURN = r"""
dest:
  description: The archive on the rescue system.
  type: str
  returned: success
  sample: /run/openrescue-collect/20260702T090102Z.tar.gz
size:
  description: Its bytes.
  type: int
  returned: success and not in check mode
sha256:
  description: Its hash.
  type: str
  returned: success and not in check mode
files:
  description: How many of the patient's files are in it.
  type: int
  returned: success
bytes:
  description: How many bytes of them, before they were compressed.
  type: int
  returned: success
would_collect:
  description: The files that would be in it, each with C(path), C(size), and how many bytes of it would be C(taken).
  type: list
  elements: dict
  returned: in check mode
left_out:
  description:
    - Files that are not in it, each with C(path) and C(reason). Here are at most 200 of them, in the archive's
      C(manifest.json) all.
  type: list
  elements: dict
  returned: success
  sample: [{"path": "/etc/shadow", "reason": "it holds a secret, password hashes"}]
left_out_count:
  description: How many there are.
  type: int
  returned: success
truncated:
  description: The files of which only the end is in it, each with C(path), C(size), and how many bytes were C(taken).
  type: list
  elements: dict
  returned: success
verdict:
  description: As M(openrescue.server.disk_diagnose) returns it.
  type: str
  returned: success
message:
  description: The verdict and its reason in one sentence.
  type: str
  returned: success
notes:
  description: What else was seen, such as a file system that cannot be mounted.
  type: list
  elements: str
  returned: success
timings:
  description: Seconds per phase, and in C(total).
  type: dict
  returned: success
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
from ..module_utils._faults.engine.diagnose import as_result, diagnose
from ..module_utils._patient.collect.archive import Archive, default_dest
from ..module_utils._patient.collect.collect import Collected, collect, told
from ..module_utils._patient.collect.plan import Bounds, Plan, plan
from ..module_utils._patient.opening import View
from ..module_utils._patient.session import disk_argument_spec, private_session
from ..module_utils._text import printable_result
from ..module_utils._time import TimeBudget

MOST_TOLD = 200


def run(params: dict[str, t.Any], *, check: bool) -> dict[str, t.Any]:
    budget = TimeBudget(seconds=params["timeout"])
    bounds = Bounds(params["max_bytes"], params["max_file_bytes"], params["max_files"])
    with_secrets = params["include_secrets"]
    with private_session(params, action="disk_collect") as tools:
        view = View.asked(params, tools=tools, trial=True)
        began = time.monotonic()
        with view.opened():
            budget.lap("open", began)
            diagnosis = as_result(view, diagnose(view, faults=FAULTS, budget=budget, chain=CHAIN))
            tree = view.patient.opened_tree
            began = time.monotonic()
            made = plan(tree, bounds=bounds, include_secrets=with_secrets) if tree else Plan()
            began = budget.lap("plan", began)
            dest = params["dest"] or default_dest(made.size)
            result = planned(made) if check else written(view, dest, made, diagnosis, with_secrets=with_secrets)
            began = budget.lap("collect", began)
        budget.lap("close", began)
    told_of = {name: diagnosis[name] for name in ("verdict", "message")}
    return {
        "changed": True,
        "dest": dest,
        **result,
        **told_of,
        "notes": diagnosis["patient"]["notes"],
        "timings": budget.timings,
    }


def planned(made: Plan) -> dict[str, t.Any]:
    """What would come of it."""
    files = [{"path": item.file.path, "size": item.file.size, "taken": item.take} for item in made.chosen]
    return {**summary(Collected(files, made.left_out)), "would_collect": files}


def written(view: View, dest: str, made: Plan, diagnosis: dict[str, t.Any], *, with_secrets: bool) -> dict[str, t.Any]:
    """The archive in its place, and what is in it."""
    archive = Archive(dest, check=view.patient.tools.limit.check)
    try:
        done = collect(
            view.patient.opened_tree,
            archive,
            made,
            documents={"diagnosis": diagnosis},
            include_secrets=with_secrets,
        )
        # What was read of a disk that went away, or of a layer that is full, is not what is there.
        view.check_layers()
        view.check_devices()
        size, digest = archive.finish()
    finally:
        archive.discard()
    return {**summary(done), "size": size, "sha256": digest}


def summary(done: Collected) -> dict[str, t.Any]:
    return {
        "files": len(done.files),
        "bytes": sum(item["taken"] for item in done.files),
        "left_out": told(done.left_out)[:MOST_TOLD],
        "left_out_count": len(done.left_out),
        "truncated": done.truncated,
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **disk_argument_spec(),
            "dest": {"type": "path"},
            "include_secrets": {"type": "bool", "default": False},
            "max_bytes": {"type": "int", "default": 256 * 1024 * 1024},
            "max_file_bytes": {"type": "int", "default": 16 * 1024 * 1024},
            "max_files": {"type": "int", "default": 5000},
        },
        supports_check_mode=True,
    )
    for name in ("max_bytes", "max_file_bytes", "max_files"):
        if module.params[name] < 1:
            module.fail_json(msg=f"{name} must be at least 1")
    if module.params["dest"] and not module.params["dest"].startswith("/"):
        module.fail_json(msg="dest must be an absolute path on the rescue system")
    try:
        result = run(module.params, check=module.check_mode)
    except OpenRescueError as exc:
        module.fail_json(**printable_result({"msg": str(exc), "error": exc.as_result()}))
    module.exit_json(**printable_result(result))


if __name__ == "__main__":
    main()
