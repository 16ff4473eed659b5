#!/usr/bin/python
# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make the rescue system of a server a host of its own. The work is done by the action plugin of this name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rescue_host
short_description: Make the rescue system of a server a host of its own
version_added: 0.1.0
author:
  - The openrescue authors (@openrescue)
description:
  - Adds the rescue system of a rescued server to the inventory in memory, so that tasks can be delegated to it.
  - A rescue system is another machine than the server whose address it has. It has another user, another host key, and
    it is often reached in another way. What the inventory says of reaching the server is not changed.
  - The host is called as the server is in the inventory, with C(-rescue) behind it, and is in the group
    C(openrescue_rescue_systems). Its variables are final values.
  - Unlike M(ansible.builtin.add_host) it works for each host of the play by itself, and so with any strategy.
extends_documentation_fragment:
  - openrescue.server._attributes
attributes:
  check_mode:
    support: full
    details:
      - Only the inventory in memory is changed.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  server:
    description:
      - The rescued server, as M(openrescue.server.server_rescue) or M(openrescue.server.server_rescue_info) returns it.
    type: dict
    required: true
  access:
    description:
      - How the rescue system is reached. V(agent) goes through libvirt and needs no network, but an image with the QEMU
        guest agent. V(ssh) is the only way on OpenStack.
    type: str
    choices: [agent, ssh]
    required: true
  agent_uri:
    description:
      - With O(access=agent) the URI of libvirt as seen from the controller, which is another one than the module
        M(openrescue.server.server_rescue) uses where that runs on the hypervisor. The filter
        P(openrescue.server.agent_uri#filter) makes it.
    type: str
    default: qemu:///system
  ssh_user:
    description:
      - With O(access=ssh) the user on the rescue system. Any but V(root) becomes root by C(sudo).
    type: str
    default: root
  ssh_host:
    description:
      - With O(access=ssh) the address of the rescue system. Default is the address that the inventory names, else the
        one that the provider names. Needed where the rescue system has another address than the server, as
        where that has a static one.
    type: str
  ssh_port:
    description:
      - With O(access=ssh) the port of the rescue system, whatever the one of the server is.
    type: int
    default: 22
  ssh_key:
    description:
      - With O(access=ssh) the private key on the controller. Default is the one that the inventory names for the
        server.
    type: path
notes:
  - C(ansible_ssh_common_args), such as C(ProxyJump), C(ansible_ssh_extra_args), C(ansible_ssh_args),
    C(ansible_ssh_executable) and C(ansible_ssh_timeout) of the server hold for its rescue system as well.
  - Its host key is kept in C(~/.ssh/known_hosts.openrescue), under a name that no other rescue has.
seealso:
  - module: openrescue.server.server_rescue
"""

EXAMPLES = r"""
- name: Rescue the server
  openrescue.server.server_rescue:
    provider: libvirt
    server: web1
    state: rescued
    rescue_image: /var/lib/libvirt/images/openrescue.qcow2
  delegate_to: localhost
  register: rescued

- name: Make its rescue system a host of its own
  openrescue.server.rescue_host:
    server: "{{ rescued.server }}"
    access: agent
  register: system

- name: See which disks it has
  ansible.builtin.command:
    argv: [lsblk]
  delegate_to: "{{ system.rescue_host }}"
  changed_when: false
"""

RETURN = r"""
rescue_host:
  description: The name of the rescue system in the inventory.
  type: str
  returned: success
  sample: web1-rescue
way:
  description: The variables that say how it is reached, C(ansible_connection), C(ansible_host) and what goes with them.
  type: dict
  returned: success
"""
