#!/usr/bin/python
# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask a server's own system how it is. The work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: system_state
short_description: Ask a server's own system how it is
version_added: 0.1.0
author:
  - The openrescue authors (@openrescue)
description:
  - Logs in by the connection of the host, and asks what runs there how far it has come. That needs a shell there, but
    no Python, and no other user than the one that logs in.
  - A server that does not answer is no failure and not unreachable. So the play goes on with it, and nothing is red
    where an answer was not expected.
  - Unlike M(ansible.builtin.wait_for_connection) it tells the server's own system from a rescue system.
extends_documentation_fragment:
  - openrescue.server._attributes
attributes:
  check_mode:
    support: full
    details:
      - It only reads.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  timeout:
    description:
      - How many seconds to try, until the server answers and its system has started. With V(0) it is asked once.
    type: int
    default: 0
  interval:
    description:
      - How many seconds to wait between two attempts.
    type: int
    default: 5
  system:
    description:
      - Which system is to answer. With V(own), one that is still starting is waited for. With V(rescue), any answer
        will do, as a rescue system can be used before all of it has started.
    type: str
    choices: [own, rescue]
    default: own
seealso:
  - module: openrescue.server.server_rescue_info
"""

EXAMPLES = r"""
- name: Wait until the server is up
  openrescue.server.system_state:
    timeout: 300
  register: asked

- name: Make sure that it is
  ansible.builtin.assert:
    that: asked.system in ['running', 'degraded']
    fail_msg: "{{ asked.reason or asked.system }}"
"""

RETURN = r"""
answers:
  description: Whether the server lets us log in.
  type: bool
  returned: success
system:
  description:
    - What is said there. V(running) and V(degraded) mean that it is up, also where it runs no systemd; V(starting) that
      it still boots; V(rescue) that it is the rescue system. Any other word of C(systemctl is-system-running) may come.
  type: str
  returned: success
  sample: running
reason:
  description: Why it could not be asked. Empty where it could.
  type: str
  returned: success
"""
