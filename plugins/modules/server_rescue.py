#!/usr/bin/python
# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rescue servers, and give them their own system back."""

from __future__ import annotations

DOCUMENTATION = r"""
module: server_rescue
short_description: Boot servers into a rescue system, and back
version_added: 0.1.0
author:
  - The openrescue authors (@openrescue)
description:
  - Boots a server from a rescue image, with the server's own disks attached, and back from its own disks.
  - On libvirt the rescue system runs from a temporary definition. The persistent one is not rewritten, but for a marker
    in its metadata while the server is rescued, with what the way back needs.
  - A server that was rescued is held, by the run of Ansible that O(run) names or by O(owner), until it is unrescued.
    Who does not hold it is told who does, and changes nothing.
  - A run that is cut off at any point is finished, or put back, by the next run with the same options.
  - Many servers in one call are driven at the same time. A failure of one does not hide the others.
extends_documentation_fragment:
  - openrescue.server._attributes
  - openrescue.server._attributes.actiongroup_rescue
  - openrescue.server._provider
  - openrescue.server._provider.servers
  - openrescue.server._provider.rescue_image
  - openrescue.server._provider.hold
requirements:
  - pycdlib, for O(ssh_authorized_keys) and O(user_data)
attributes:
  check_mode:
    support: full
    details:
      - Every check that precedes a change is made.
  diff_mode:
    support: full
  idempotent:
    support: full
    details:
      - A server that is in the state asked for is left alone, nothing is started or stopped.
options:
  rescue_image:
    description:
      - Required with O(state=rescued) on libvirt, and only there. With O(state=unrescued) it is not looked at.
  state:
    description:
      - With V(rescued) the server runs the rescue system. Where it does already, with the same image, nothing is done.
        Where it does with another image or another O(disk_access), that is an error.
      - With V(unrescued) the server has its own system back, in the power state that it had before.
      - On OpenStack a server that a failed rescue has left in ERROR is rebooted hard first, for both. Nova would take
        the definition of the failed rescue for the server's own.
    type: str
    choices: [rescued, unrescued]
    required: true
  ssh_authorized_keys:
    description:
      - libvirt only. SSH keys that cloud-init lets into the rescue system, for the default user of the image, or for
        root of an image of the role P(openrescue.server.rescue_image#role). Needed to reach it by SSH where no key is
        in the image, and not for its guest agent.
      - On OpenStack refused. Nova gives the rescue system the key pair of the server and nothing else.
    type: list
    elements: str
    default: []
  user_data:
    description:
      - libvirt only. User data for cloud-init on the rescue system, in place of the server's own. Needed where the
        rescue system has to be set up before it can be used, such as with a static address.
      - On OpenStack refused. Nova gives the rescue system the user data of the server.
    type: str
  admin_password:
    description:
      - OpenStack only. The password that the rescue system is asked to set. It reaches the rescue system by a config
        drive only, and cloud-init ignores it there (U(https://github.com/canonical/cloud-init/issues/2402)).
    type: str
  return_password:
    description:
      - OpenStack only. Whether the password is returned, as RV(servers[].admin_password). Needed to know the one that
        Nova has made where O(admin_password) is not given. Set C(no_log) on such a task.
    type: bool
    default: false
  shutdown_timeout:
    description:
      - libvirt only. How many seconds the running guest has to stop by itself before it is switched off.
      - It is asked by its guest agent for half of that time, then by its power button. Where the agent is not
        connected, or cannot do it, and the guest leaves its disks alone for 8 seconds, Ctrl-Alt-Del is tried, which a
        system in emergency mode still hears, and which makes it end cleanly.
      - A guest that has left its disks alone all the time, and does so for 8 seconds more, is switched off without
        waiting longer.
    type: int
    default: 60
  restore_power_state:
    description:
      - With O(state=unrescued) whether a server that was off before is off afterwards. When V(false) it is started, to
        see it boot.
    type: bool
    default: true
  wait:
    description:
      - Whether to wait until the server has reached O(state). Set V(false) only where something else waits for it.
      - On OpenStack Nova's own action is waited for. Without that, an unrescue neither restores the power state from
        before nor removes the note in the metadata; a later run with O(wait=true) does.
      - On libvirt the steps themselves are always waited for. With V(true) the rescue system is also seen to stay up
        for half a second. That its system has booted is not waited for.
    type: bool
    default: true
  poll_interval:
    description:
      - Seconds between two looks at a server. By default 2 on OpenStack and 0.1 on libvirt. Raise it to spare a cloud
        whose API is slow or limits how often it is asked.
    type: float
seealso:
  - module: openrescue.server.server_rescue_info
  - plugin: openrescue.server.run
    plugin_type: lookup
"""

EXAMPLES = r"""
---
- name: Boot a server of this hypervisor into the rescue system
  openrescue.server.server_rescue:
    provider: libvirt
    server: web1
    state: rescued
    rescue_image: /var/lib/libvirt/images/openrescue.qcow2

- name: Give it its own system back
  openrescue.server.server_rescue:
    provider: libvirt
    server: web1
    state: unrescued

- name: Rescue a server for this run of Ansible alone
  openrescue.server.server_rescue:
    provider: libvirt
    server: web1
    state: rescued
    rescue_image: /var/lib/libvirt/images/openrescue.qcow2
    run: "{{ lookup('openrescue.server.run') }}"
    owner: alice@bastion
    reason: kernel update of Tuesday

- name: Give a server back that another run has left rescued, once it is sure that this run has ended
  openrescue.server.server_rescue:
    provider: libvirt
    server: web1
    state: unrescued
    force_takeover: true

- name: Rescue a server on OpenStack
  openrescue.server.server_rescue:
    cloud: mycloud
    server: web1
    state: rescued
    rescue_image: openrescue

- name: Give it its own system back; a server that was SHUTOFF before is SHUTOFF again
  openrescue.server.server_rescue:
    cloud: mycloud
    server: web1
    state: unrescued

- name: Rescue several servers for a look at their disks only, and log in by SSH
  openrescue.server.server_rescue:
    provider: libvirt
    libvirt_uri: qemu+ssh://root@hypervisor1.example.com/system
    server: [web1, web2, db1]
    state: rescued
    rescue_image: images/openrescue.qcow2
    disk_access: read_only
    ssh_authorized_keys:
      - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExampleExampleExampleExampleExampleExample me@example.com
"""

RETURN = r"""
servers:
  description: Every server, in the order asked.
  type: list
  elements: dict
  returned: always
  contains:
    name:
      description: The name of the server.
      type: str
      returned: always
      sample: web1
    id:
      description: Its ID, on libvirt the UUID of the domain. V(null) where it was not found.
      type: str
      returned: always
      sample: 2f1f8b8c-6f0b-4d2c-9f3e-7f6f0e8d1a11
    provider:
      description: Where it lives.
      type: str
      returned: always
      sample: libvirt
    state:
      description:
        - V(rescued) or V(unrescued); V(rescuing) or V(unrescuing) while another run is at it; V(interrupted) where
          a run was cut off, or where the rescue system is no longer running.
      type: str
      returned: always
      sample: rescued
    status:
      description: The provider's own word for the status, on libvirt the word of C(virsh domstate).
      type: str
      returned: always
      sample: running
    task_state:
      description: What is being done to it, in the word of the provider. V(null) at rest.
      type: str
      returned: always
    power_state:
      description: V(running), V(shutdown), V(paused), V(crashed), V(suspended) or V(unknown).
      type: str
      returned: always
      sample: running
    agent:
      description:
        - The guest agent of what runs there, V(connected), V(disconnected), or V(none) without a channel for it and on
          OpenStack, whose API does not reach it.
      type: str
      returned: always
      sample: connected
    autostart:
      description: libvirt only. Whether the server starts with its host. It does not while it is rescued.
      type: bool
      returned: always
      sample: false
    previous:
      description: What unrescue will restore. V(null) while the server is not rescued.
      type: dict
      returned: always
      contains:
        power_state:
          description: V(running) or V(shutdown); empty where the server was in ERROR before.
          type: str
          returned: always
        autostart:
          description: Whether the server started with its host.
          type: bool
          returned: always
    hold:
      description:
        - Who has the server from its rescue to its unrescue. V(null) where nobody does, also for a server that was
          rescued by other means.
      type: dict
      returned: always
      contains:
        owner:
          description: Who holds it, as O(owner) said.
          type: str
          returned: always
          sample: alice@bastion
        reason:
          description: What for, as O(reason) said. V(null) where nothing was said.
          type: str
          returned: always
          sample: kernel update of Tuesday
        since:
          description: Since when, in UTC.
          type: str
          returned: always
          sample: "2026-11-25T09:12:33Z"
        phase:
          description: What was about to be done last, as O(phase) said. V(null) where nothing was said.
          type: str
          returned: always
          sample: repair
        run:
          description: The run that holds it, as O(run) named it. V(null) where a person holds it.
          type: str
          returned: always
          sample: 5c1f0e9a77b2/41523/8833412
        alive:
          description:
            - Whether that run still goes on. V(null) where that cannot be seen from here, and for a person.
          type: bool
          returned: always
        mine:
          description: Whether it is held by O(run), or, where a person holds it, by O(owner).
          type: bool
          returned: always
    rescue:
      description: The rescue. V(null) while the server is not rescued.
      type: dict
      returned: always
      contains:
        id:
          description: The ID of this rescue. Another rescue has another one.
          type: str
          returned: always
        image:
          description: The rescue image.
          type: str
          returned: always
        image_size:
          description:
            - OpenStack. The size in bytes of the disk that the rescue system boots from, by which it is told from the
              disks of the server. V(null) where Glance does not know it.
          type: int
          returned: always
        since:
          description: When the rescue began, in UTC.
          type: str
          returned: always
          sample: "2026-11-23T17:00:00Z"
        disk_access:
          description: How the disks of the server are attached.
          type: str
          returned: always
        reach:
          description: How the rescue system is reached.
          type: dict
          returned: always
          contains:
            agent:
              description: The guest agent, as in RV(servers[].agent).
              type: str
              returned: always
            libvirt_uri:
              description: The hypervisor.
              type: str
              returned: on libvirt
            domain:
              description: The domain there.
              type: str
              returned: on libvirt
            addresses:
              description: OpenStack. The addresses, each with C(network), C(address) and C(type).
              type: list
              elements: dict
              returned: on OpenStack
            access_ipv4:
              description: OpenStack. The IPv4 address by which the server is meant to be reached.
              type: str
              returned: on OpenStack
            access_ipv6:
              description: OpenStack. The IPv6 address by which the server is meant to be reached.
              type: str
              returned: on OpenStack
            key_name:
              description: OpenStack. The key pair of the server, which the rescue system gets as well.
              type: str
              returned: on OpenStack
            config_drive:
              description: OpenStack. Whether the server has a config drive.
              type: bool
              returned: on OpenStack
            interfaces:
              description: The network interfaces, each with C(mac) and C(network).
              type: list
              elements: dict
              returned: on libvirt
        console_log:
          description: The file on the hypervisor with what the rescue system says on its serial port.
          type: str
          returned: always
        root_serial:
          description:
            - The serial number of the disk that the rescue system has its root on. What answers from another root is
              not the rescue system. V(null) where the rescue system boots from elsewhere, such as a CD image that is
              copied to memory, and on OpenStack.
          type: str
          returned: always
          sample: openrescue-rescue
        disks:
          description:
            - The disks of the server, as they are attached. On OpenStack its volumes, by their IDs, and C(ephemeral)
              and C(swap) where its flavor gives such disks. Nova does not tell of the root disk.
          type: list
          elements: dict
          returned: always
          contains:
            target:
              description: The name that libvirt knows it by.
              type: str
              returned: always
              sample: vda
            bus:
              description: Its bus.
              type: str
              returned: always
            kind:
              description: V(disk), V(lun), V(cdrom) or V(floppy).
              type: str
              returned: always
            source:
              description: Where its bytes are.
              type: str
              returned: always
            format:
              description: The format of the source.
              type: str
              returned: always
            serial:
              description:
                - Its serial number. A disk without one has C(openrescue-) and its target while the server is rescued.
              type: str
              returned: always
              sample: openrescue-vda
            read_only:
              description: Whether it is attached read-only.
              type: bool
              returned: always
            hidden:
              description:
                - Whether the rescue system does not see it, as on OpenStack without C(hw_rescue_device) on the image.
                  V(true) also where nobody knows how the server was rescued.
              type: bool
              returned: always
            shared:
              description: Whether other servers may have it at the same time. Nothing on such a disk is repaired.
              type: bool
              returned: always
            device:
              description: The link by which the rescue system knows it. V(null) where that cannot be told from outside.
              type: str
              returned: always
              sample: /dev/disk/by-id/virtio-openrescue-vda
    changed:
      description: Whether anything was done to it, or would be done in check mode.
      type: bool
      returned: always
    actions:
      description: What was done, in order, or would be done in check mode.
      type: list
      elements: str
      returned: always
      sample: [write_marker, create_disks, stop_server, start_rescue, write_marker]
    stopped_by:
      description:
        - What made the system that ran before stop, V(agent), V(power button), V(Ctrl-Alt-Del), V(switched off)
          or V(killed). V(null) where nothing was stopped.
      type: str
      returned: always
      sample: agent
    timings:
      description:
        - Seconds by phase. C(switch) is this module's own share of the downtime, from the end of the one system to the
          start of the other.
      type: dict
      returned: always
      sample: {preflight: 0.02, create_disks: 0.08, stop_server: 3.1, start_rescue: 0.9, switch: 0.4, total: 4.3}
    request_id:
      description: The ID of the request that asked the cloud for the change. V(null) on libvirt.
      type: str
      returned: always
      sample: req-7b1f7e3e-2f0f-4ab6-9e3f-7a3d7a9b8f0e
    admin_password:
      description: The password that Nova has made up or taken for the rescue system.
      type: str
      returned: with O(return_password=true)
    unwritten:
      description:
        - OpenStack. What should have been noted in the metadata of the server and could not be, by its key, because
          the quota is full or the policy does not allow it. Empty elsewhere.
      type: dict
      returned: always
      sample: {}
    error:
      description: What went wrong. V(null) where nothing did.
      type: dict
      returned: always
      contains:
        code:
          description: A stable word for the kind of error.
          type: str
          returned: always
          sample: image_missing
        message:
          description: What happened, on which server, in which step, and what to do.
          type: str
          returned: always
        hint:
          description: What to do next.
          type: str
          returned: always
        retryable:
          description: Whether the same call can succeed later without anybody changing anything.
          type: bool
          returned: always
server:
  description: The same for a call with one server.
  type: dict
  returned: when one server was asked for
"""

import traceback
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._server.factory import POLL_INTERVAL, create_provider
from ansible_collections.openrescue.server.plugins.module_utils._server.fleet import change_servers
from ansible_collections.openrescue.server.plugins.module_utils._server.model import Wish
from ansible_collections.openrescue.server.plugins.module_utils._server.options import (
    SecretsFirst,
    claim_from,
    hold_argument_spec,
    provider_argument_spec,
    rescue_image_argument_spec,
)
from ansible_collections.openrescue.server.plugins.module_utils._server.result import diff, result, summary
from ansible_collections.openrescue.server.plugins.module_utils._time import Clock, Deadline


class RescueModule(SecretsFirst, AnsibleModule):
    """The options, with the secrets among them kept from every output."""


def build_module() -> RescueModule:
    """The options, and what of them goes together."""
    return RescueModule(
        argument_spec={
            **provider_argument_spec(),
            **rescue_image_argument_spec(),
            **hold_argument_spec(),
            "state": {"type": "str", "choices": ["rescued", "unrescued"], "required": True},
            "ssh_authorized_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
            "user_data": {"type": "str", "no_log": True},
            "admin_password": {"type": "str", "no_log": True},
            "return_password": {"type": "bool", "default": False, "no_log": False},
            "shutdown_timeout": {"type": "int", "default": 60},
            "restore_power_state": {"type": "bool", "default": True},
            "wait": {"type": "bool", "default": True},
            "poll_interval": {"type": "float"},
        },
        required_by={"rescue_ramdisk": ["rescue_kernel"], "rescue_cmdline": ["rescue_kernel"]},
        supports_check_mode=True,
    )


def build_wish(params: t.Mapping[str, t.Any]) -> Wish:
    """The options as the rest of this collection takes them."""
    return Wish(
        state=params["state"],
        image=params["rescue_image"] or "",
        kernel=params["rescue_kernel"] or "",
        ramdisk=params["rescue_ramdisk"] or "",
        cmdline=params["rescue_cmdline"] or "",
        device=params["rescue_device"] or "",
        bus=params["rescue_bus"] or "",
        disk_access=params["disk_access"],
        ssh_authorized_keys=tuple(params["ssh_authorized_keys"]),
        user_data=params["user_data"] or "",
        admin_password=params["admin_password"] or "",
        shutdown_timeout=params["shutdown_timeout"],
        restore_power_state=params["restore_power_state"],
        wait=params["wait"],
        timeout=params["timeout"],
        poll_interval=params["poll_interval"] or POLL_INTERVAL[params["provider"]],
        claim=claim_from(params),
    )


def main() -> None:
    """Rescue or unrescue every server, and say how each ended."""
    module = build_module()
    wanted = (module.params["state"], module.params["provider"]) == ("rescued", "libvirt")
    if wanted and not module.params["rescue_image"]:
        module.fail_json(msg="state is rescued but all of the following are missing: rescue_image")
    wish, clock = build_wish(module.params), Clock()
    provider = create_provider(module.params)
    try:
        provider.connect(Deadline(clock, seconds=wish.timeout))
        jobs = change_servers(provider, module.params["server"], wish, clock=clock, check=module.check_mode)
    except OpenRescueError as exc:
        error = exc.told_of(", ".join(module.params["server"]))
        module.fail_json(msg=str(error), exception=traceback.format_exc(), error=error.as_result(), servers=[])
    finally:
        provider.close()
    servers = [result(job) for job in jobs]
    if module.params["return_password"]:
        for server, job in zip(servers, jobs):
            server["admin_password"] = job.password or None
    values: dict[str, t.Any] = {"changed": any(job.changed for job in jobs), "servers": servers, "diff": diff(jobs)}
    if len(servers) == 1:
        values["server"] = servers[0]
    for job in jobs:
        for problem in job.warnings:
            module.warn(f"server '{job.name}': {problem}")
    if any(job.error for job in jobs):
        module.fail_json(msg=summary(jobs), **values)
    module.exit_json(**values)


if __name__ == "__main__":
    main()
