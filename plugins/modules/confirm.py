#!/usr/bin/python
# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask at the terminal whether to go on with one server. The work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: confirm
short_description: Ask at the terminal whether to go on with a server
version_added: 0.1.0
author:
  - The openrescue authors (@openrescue)
description:
  - Asks at the terminal of the controller, for each host by itself and with any strategy, unlike
    M(ansible.builtin.pause), which asks once for all hosts and refuses strategies in which no host waits for another.
  - Any answer but V(yes) is a no, and so is that there is no terminal, as in AWX.
extends_documentation_fragment:
  - openrescue.server._attributes
attributes:
  check_mode:
    support: full
    details:
      - Nothing is changed.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  prompt:
    description:
      - What to ask. It should name the server, since others may be asked about at the same time.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Ask whether to go on
  openrescue.server.confirm:
    prompt: Make this change on the disks of {{ inventory_hostname }}?
  register: asked

- name: Stop unless the answer was yes
  ansible.builtin.assert:
    that: asked.confirmed
    fail_msg: "{{ asked.reason }}"
"""

RETURN = r"""
confirmed:
  description: Whether the answer was yes.
  type: bool
  returned: success
reason:
  description: Why not, where it was not.
  type: str
  returned: success
"""
