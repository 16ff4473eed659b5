#!/usr/bin/python
# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: console_diagnose
short_description: Say from its console why a server does not boot
version_added: 0.1.0
description:
  - Reads what a server wrote to its console and looks for the faults that this collection knows.
  - The server is not touched, and it need not be reachable.
  - Only the last boot in the log that came to an end counts. What a later successful boot has outlived is not reported.
author:
  - The openrescue authors (@openrescue)
extends_documentation_fragment:
  - openrescue.server._attributes
  - openrescue.server._attributes.info_module
  - openrescue.server._attributes.actiongroup_rescue
  - openrescue.server._provider
options:
  server:
    description:
      - Name or ID of the server whose console is read, through O(provider).
      - Exactly one of O(server), O(text) and O(path) is needed.
    type: str
  text:
    description:
      - The console log itself, where it was read by other means.
      - Neither this nor O(path) needs a provider. Its options are not used then.
    type: str
  path:
    description:
      - A file with a console log, on the machine where this module runs, such as one that was saved before the server
        was started again.
    type: path
  tail:
    description:
      - How many of the last lines to return, as RV(tail), for people. It does not change what is judged.
    type: int
    default: 20
  wait_timeout:
    description:
      - With O(server), how many seconds to wait until the last boot in the log has come to an end, good or bad.
      - It is no failure where it does not; what was seen last is returned.
    type: int
    default: 0
  unlike:
    description:
      - With O(wait_timeout), what this module returned before, with the same O(tail). An end that was there already
        then is no end. Needed after a server was switched on anew, with a log that goes back further.
    type: dict
notes:
  - With O(provider=libvirt), the log is the file that the serial port of the domain is logged to, so this module has to
    run on the hypervisor, and as a user who may read it.
seealso:
  - module: openrescue.server.disk_diagnose
"""

EXAMPLES = r"""
---
- name: Ask why a server does not boot
  openrescue.server.console_diagnose:
    provider: libvirt
    server: web1
  register: console

- name: Show the reasons
  ansible.builtin.debug:
    msg: "{{ console.findings | map(attribute='summary') | list }}"

- name: Judge a log that was saved before
  openrescue.server.console_diagnose:
    path: /var/tmp/web1.console
"""

RETURN = r"""
boot:
  description:
    - How the last boot that came to an end went.
    - V(booted) if it came to a login prompt or the like, and nothing says that the server went down since.
    - V(failed) if it stopped, such as in emergency mode or at the prompt of the boot loader.
    - V(unknown) if the log says neither. A boot that has only begun does not hide how the one before it failed.
  type: str
  returned: success
  choices:
    - booted
    - failed
    - unknown
  sample: failed
state:
  description:
    - What the server is in where the log ends.
    - V(booted) and V(failed) as in RV(boot), V(booting) if a boot has begun and came to no end yet, V(off) if the
      system has switched itself off, V(unknown) otherwise.
  type: str
  returned: success
  choices:
    - booted
    - failed
    - booting
    - 'off'
    - unknown
  sample: failed
rescue_system:
  description:
    - Whether the log ends in a rescue system. What that says is left out of RV(boot) and RV(findings).
  type: bool
  returned: success
  sample: false
findings:
  description:
    - What is wrong, causes first. General symptoms beside a cause are of severity V(info).
  type: list
  elements: dict
  returned: success
  contains:
    fault:
      description: ID of the fault, or a word that begins with C(boot-) for a general symptom.
      type: str
      sample: fstab-missing-device
    severity:
      description: V(critical), V(error), V(warning) or V(info).
      type: str
      sample: critical
    summary:
      description: What is wrong, in one sentence.
      type: str
      sample: /dev/disk/by-uuid/4711 did not appear in time
    evidence:
      description: The lines of the log that say so.
      type: list
      elements: dict
      contains:
        path:
          description: Always V(console).
          type: str
          sample: console
        line:
          description: Number of the line in the part of the log that was read.
          type: int
          sample: 529
        text:
          description: The line, without control characters.
          type: str
          sample: "[ TIME ] Timed out waiting for device /dev/disk/by-uuid/4711."
        device:
          description: Always null here.
          type: str
    remedy:
      description: Always null here. M(openrescue.server.disk_diagnose) names a remedy once it has seen the disk.
      type: str
    remedy_safe:
      description: Always V(false) here.
      type: bool
      sample: false
    confidence:
      description: V(high), V(medium) or V(low).
      type: str
      sample: high
    key:
      description: What makes it the same finding in two calls.
      type: str
      sample: "fstab-missing-device|console|[ TIME ] Timed out waiting for device /dev/disk/by-uuid/4711."
    causes:
      description: Always empty here.
      type: list
      elements: str
lines:
  description: How many lines that say anything were read.
  type: int
  returned: success
  sample: 570
tail:
  description: The last lines, without control characters.
  type: list
  elements: str
  returned: success
  sample:
    - You are in emergency mode.
error:
  description: What went wrong, for machines.
  type: dict
  returned: failure
  contains:
    code:
      description: A stable word.
      type: str
      sample: console_not_logged
    message:
      description: The whole message.
      type: str
    hint:
      description: What to do next.
      type: str
    retryable:
      description: Whether the same call can succeed later without anybody changing anything.
      type: bool
"""

import os
import stat
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._errors import OpenRescueError
from ..module_utils._faults.catalog import FAULTS
from ..module_utils._faults.engine.console import MAX_CHARACTERS, read_console
from ..module_utils._server.factory import create_provider
from ..module_utils._server.options import SecretsFirst, provider_argument_spec
from ..module_utils._text import printable_result
from ..module_utils._time import Clock, Deadline

if t.TYPE_CHECKING:
    from ..module_utils._faults.engine.console import ConsoleReport

#: seconds between two looks at a console
PAUSE = 3.0


class ConsoleModule(SecretsFirst, AnsibleModule):
    """The options, with the secrets among them kept from every output."""


def wait_for_end(
    look: t.Callable[[], ConsoleReport], *, timeout: float, unlike: t.Mapping[str, t.Any], clock: Clock
) -> ConsoleReport:
    """Look until the last boot has come to an end that was not there before, or the time is up; at least once."""
    deadline = Deadline(clock, seconds=timeout)
    while True:
        report = look()
        is_new = {"lines": report.lines, "tail": list(report.tail)} != {
            key: unlike.get(key) for key in ("lines", "tail")
        }
        if (report.state in ("booted", "failed") and is_new) or deadline.left <= 0:
            return report
        clock.sleep(min(PAUSE, deadline.left))


def report_of_server(params: dict[str, t.Any], clock: Clock) -> ConsoleReport:
    """What the console of the server says."""
    deadline = Deadline(clock, seconds=params["timeout"] + params["wait_timeout"])
    provider = create_provider(params)
    try:
        provider.connect(deadline)
        session = provider.session(deadline)
        server, _name = session.find(params["server"])
        return wait_for_end(
            lambda: read_console(session.console_log(server), faults=FAULTS, tail=params["tail"]),
            timeout=params["wait_timeout"],
            unlike=params["unlike"] or {},
            clock=clock,
        )
    finally:
        provider.close()


def content_of(path: str) -> str:
    """The end of a file that a user names."""
    try:
        with open(path, "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise OSError(0, "it is no regular file")
            file.seek(max(0, found.st_size - MAX_CHARACTERS))
            return file.read(MAX_CHARACTERS).decode("utf-8", "replace")
    except OSError as exc:
        raise OpenRescueError(
            f"the console log '{path}' cannot be read: {exc.strerror}",
            code="console_not_readable",
            hint="Give the path of a file on the machine where this module runs",
        ) from exc


def main() -> None:
    spec = provider_argument_spec()
    spec.update(
        server={"type": "str"},
        text={"type": "str"},
        path={"type": "path"},
        tail={"type": "int", "default": 20},
        wait_timeout={"type": "int", "default": 0},
        unlike={"type": "dict"},
    )
    module = ConsoleModule(
        argument_spec=spec,
        supports_check_mode=True,
        mutually_exclusive=[("server", "text", "path")],
        required_one_of=[("server", "text", "path")],
    )
    params = module.params
    try:
        if params["server"] is not None:
            report = report_of_server(params, Clock())
        else:
            text = params["text"] if params["text"] is not None else content_of(params["path"])
            report = read_console(text, faults=FAULTS, tail=params["tail"])
    except OpenRescueError as exc:
        module.fail_json(**printable_result({"msg": str(exc), "error": exc.as_result()}))
    result = {
        "boot": report.boot,
        "state": report.state,
        "rescue_system": report.rescue,
        "findings": [finding.as_dict() for finding in report.findings],
        "lines": report.lines,
        "tail": list(report.tail),
    }
    module.exit_json(changed=False, **printable_result(result))


if __name__ == "__main__":
    main()
