#!/usr/bin/python
# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: disk_access
short_description: Let somebody in again to a server to which nobody can log in
version_added: 0.1.0
description:
  - Sets a password hash, adds an authorized key, or unlocks an account, in the operating system on the disks that are
    attached to a rescue system.
  - What was there before is kept in an undo bundle, as M(openrescue.server.disk_repair) keeps it. Its
    O(openrescue.server.disk_repair#module:state=reverted) puts every byte back.
  - Owner, mode, attributes and SELinux labels stay as they are. What is new in a home belongs to its user, and gets the
    label that the policy wants to see there.
  - Nothing of what is on the disks is run.
author:
  - The openrescue authors (@openrescue)
extends_documentation_fragment:
  - openrescue.server._attributes
  - openrescue.server._patient
attributes:
  check_mode:
    support: full
    details:
      - The change is tried in throw-away layers.
  diff_mode:
    support: full
    details:
      - Password hashes are not shown. In their place are numbers, so that another hash is another number.
  idempotent:
    support: full
options:
  user:
    description:
      - Who is to be let in. The patient has to know the user already.
    type: str
    required: true
  password_hash:
    description:
      - The hash of the user's new password, as C(mkpasswd), C(openssl passwd -6) or the filter
        P(ansible.builtin.password_hash#filter) make it. It replaces the old one, and with it what locks the account.
      - A plain password is refused.
      - The patient has to know the method. C($6$) is known everywhere, C($y$) since about 2020.
    type: str
  authorized_keys:
    description:
      - Public keys that are to let the user in, as they stand in a C(.pub) file. One that is there already is not
        added again, one that is there with other options is added at the beginning, where it counts.
      - They are written to C(.ssh/authorized_keys) in the home that the patient's C(/etc/passwd) names. No symbolic
        link is followed there, for the user may have made it.
    type: list
    elements: str
    default: []
  unlocked:
    description:
      - If V(true), what locks the account is taken away. That is the C(!) before its hash, an expiry date that has
        passed, and the end of the time in which a new password had to be set.
      - An account that is locked and has no password does not become one that is open to everybody. It can be entered
        by a key then.
      - V(false) leaves it as it is.
    type: bool
    default: false
  shell:
    description:
      - The user's new login shell, such as V(/bin/bash) in place of V(/usr/sbin/nologin). It has to be a program of the
        patient.
    type: str
notes:
  - All that is returned about the disks is a stranger's text. Do not use it in templates that are evaluated again.
  - The undo bundle holds the old C(/etc/shadow). It is readable by root only, on the rescue system and on the patient.
seealso:
  - module: openrescue.server.disk_repair
"""

EXAMPLES = r"""
---
- name: Let root in by a key
  openrescue.server.disk_access:
    user: root
    authorized_keys:
      - "{{ lookup('ansible.builtin.file', '~/.ssh/id_ed25519.pub') }}"
  register: access

- name: Set a password, and unlock the account
  openrescue.server.disk_access:
    user: debian
    password_hash: "{{ new_password | ansible.builtin.password_hash('sha512') }}"
    unlocked: true

- name: Take it back later
  openrescue.server.disk_repair:
    state: reverted
    undo: "{{ access.undo }}"
"""

RETURN = r"""
undo:
  description: The ID of the undo bundle, or null if nothing was written.
  type: str
  returned: success
  sample: 20260702T090102Z-0badcafe
notes:
  description:
    - What was done to unlock the account, and what may keep the user out all the same, such as a line of
      C(sshd_config).
  type: list
  elements: str
  returned: success
  sample: ["/etc/ssh/sshd_config says: PermitRootLogin no"]
recovered:
  description: What was brought to an end of runs that were killed before, as in M(openrescue.server.disk_repair).
  type: list
  elements: dict
  returned: success
access:
  description: How the disks were kept as they are while looking, as in M(openrescue.server.disk_diagnose).
  type: dict
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

import dataclasses
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._errors import OpenRescueError
from ..module_utils._faults.catalog import FAULTS
from ..module_utils._faults.engine.access import give_access
from ..module_utils._formats.authorized_keys import PublicKey, parse_key
from ..module_utils._formats.shadow import is_crypt_hash
from ..module_utils._patient.opening import View
from ..module_utils._patient.session import disk_argument_spec, private_session
from ..module_utils._patient.write.access import Wanted
from ..module_utils._text import printable, printable_result
from ..module_utils._time import TimeBudget

DAY = 86400


def wanted_of(params: dict[str, t.Any]) -> Wanted:
    """What is asked for; refused before any device is touched where it cannot be meant."""
    user, shell, password_hash = params["user"], params["shell"], params["password_hash"]
    if not user or not user.isprintable() or set(user) & set(":/ "):
        raise bad_input(f"'{printable(user)}' is no name of a user")
    if password_hash is not None and not is_crypt_hash(password_hash):
        raise bad_input(
            "password_hash is not a whole hash of crypt(5), and a plain password is never taken",
            hint="Make one with 'openssl passwd -6', or with the filter ansible.builtin.password_hash",
        )
    if shell is not None and not (shell.startswith("/") and shell.isprintable() and ":" not in shell):
        raise bad_input("shell must be an absolute path on the patient")
    return Wanted(user, password_hash, keys_of(params["authorized_keys"]), params["unlocked"], shell)


def keys_of(texts: t.Sequence[str]) -> tuple[PublicKey, ...]:
    lines = [line.strip() for text in texts for line in text.splitlines()]
    keys = []
    for line in lines:
        if not line or line.startswith("#"):
            continue
        key = parse_key(line)
        if key is None:
            shown = "a private key" if "PRIVATE" in line else f"'{printable(line, limit=60)}'"
            raise bad_input(f"authorized_keys takes public keys, and {shown} is none")
        keys.append(key)
    return tuple(keys)


def bad_input(message: str, *, hint: str = "") -> OpenRescueError:
    return OpenRescueError(message, code="bad_input", hint=hint)


def run(params: dict[str, t.Any], *, check: bool) -> dict[str, t.Any]:
    budget = TimeBudget(seconds=params["timeout"])
    wanted = wanted_of(params)
    with private_session(params, action="disk_access") as tools:

        def make_view(trial: bool) -> View:
            return View.asked(params, tools=tools, trial=trial)

        told = give_access(make_view, wanted, faults=FAULTS, check=check, budget=budget, today=int(time.time() // DAY))
    budget.finish()
    result = dataclasses.asdict(told)
    return {**result, "timings": budget.timings, "diff": {"prepared": told.diff}}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **disk_argument_spec(),
            "user": {"type": "str", "required": True},
            "password_hash": {"type": "str", "no_log": True},
            "authorized_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
            "unlocked": {"type": "bool", "default": False},
            "shell": {"type": "str"},
        },
        supports_check_mode=True,
    )
    asked = ("password_hash", "authorized_keys", "unlocked", "shell")
    if not any(module.params[name] for name in asked):
        module.fail_json(msg=f"one of these is needed: {', '.join(asked)}")
    try:
        result = run(module.params, check=module.check_mode)
    except OpenRescueError as exc:
        module.fail_json(**printable_result({"msg": str(exc), "error": exc.as_result()}))
    module.exit_json(**printable_result(result))


if __name__ == "__main__":
    main()
