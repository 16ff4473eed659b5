# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which run of Ansible this is."""

from __future__ import annotations

DOCUMENTATION = r"""
name: run
short_description: Name the running ansible-playbook process, or tell whether another one still runs
version_added: 0.1.0
author:
  - The openrescue authors (@openrescue)
description:
  - Without terms, returns one short text that names the running C(ansible-playbook) process for ever, and no other. It
    is the same in all tasks of one run. M(openrescue.server.server_rescue) takes it as
    O(openrescue.server.server_rescue#module:run), so that a server that one run has rescued is not changed by another.
  - With terms, each such a text, says of each of these runs whether it still goes on.
options:
  _terms:
    description:
      - Texts that an earlier run of this lookup, or RV(openrescue.server.server_rescue#module:servers[].hold.run), has
        returned.
    type: list
    elements: str
notes:
  - The text holds a hash of the boot and of the process namespace, the process ID, and the time when the process
    started as the kernel counts it. It says nothing about users or commands.
seealso:
  - module: openrescue.server.server_rescue
"""

EXAMPLES = r"""
---
- name: Rescue a server for this run
  openrescue.server.server_rescue:
    provider: libvirt
    server: web1
    state: rescued
    rescue_image: /var/lib/libvirt/images/openrescue.qcow2
    run: "{{ lookup('openrescue.server.run') }}"
    reason: kernel update of Tuesday

- name: See whether the run that holds a server is still at work
  ansible.builtin.debug:
    msg: "{{ lookup('openrescue.server.run', looked.server.hold.run) }}"
"""

RETURN = r"""
_raw:
  description:
    - The text that names this run; with terms, for each V(alive), V(dead), or V(unknown) where it cannot be seen from
      here, such as from another host or another container.
  type: list
  elements: str
"""

import multiprocessing
import os
import typing as t

from ansible.plugins.lookup import LookupBase

from ..module_utils._server.process import identity, is_running

_WORDS = {True: "alive", False: "dead", None: "unknown"}


class LookupModule(LookupBase):
    """See DOCUMENTATION."""

    def run(self, terms: t.Any, variables: t.Any = None, **kwargs: t.Any) -> list[str]:
        self.set_options(var_options=variables, direct=kwargs)
        if terms:
            return [_WORDS[is_running(str(term))] for term in terms]
        # Tasks run in children of the one process that is the run.
        parent = multiprocessing.parent_process()
        return [identity(os.getpid() if parent is None or parent.pid is None else parent.pid)]
