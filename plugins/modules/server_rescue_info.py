#!/usr/bin/python
# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Say how servers are, and whether they can be rescued."""

from __future__ import annotations

DOCUMENTATION = r"""
module: server_rescue_info
short_description: Look at servers before, while and after they are rescued
version_added: 0.1.0
author:
  - The openrescue authors (@openrescue)
description:
  - Says of each server how it is, whether it is rescued, what unrescue will restore, and how the rescue system is
    reached, who holds it, and whether its own system lives.
  - Without O(server), lists the servers that are rescued or held, and what earlier rescues have left behind.
  - Makes every check that M(openrescue.server.server_rescue) makes before it changes anything.
extends_documentation_fragment:
  - openrescue.server._attributes
  - openrescue.server._attributes.info_module
  - openrescue.server._attributes.actiongroup_rescue
  - openrescue.server._provider
  - openrescue.server._provider.servers
  - openrescue.server._provider.rescue_image
options:
  server:
    description:
      - Without it, all servers of the project or the hypervisor are meant that are rescued or held, to find what was
        left behind, or who is at work.
    required: false
  owner:
    description:
      - Who asks, by which RV(servers[].hold.mine) is told. By default the user and the host that the module runs as
        and on.
    type: str
  run:
    description:
      - The run of Ansible that asks, by which RV(servers[].hold.mine) is told. Needed only to learn that.
    type: str
  rescue_image:
    description:
      - Give it to have the image checked too, as before a rescue with it. Nothing is rescued.
  wait_for:
    description:
      - What to wait for. Without it, each server is looked at once.
      - With V(settled), a server that is booting is looked at again, until it is clear whether its own system is up.
        One of which nobody can tell that it boots is not waited for.
      - With V(agent), until the guest agent of its own system answers, as after an unrescue.
      - With V(running), until it runs its own system, whether that is up or not.
      - It is no failure where that does not come; what was seen last is returned.
    type: str
    choices: [settled, agent, running]
  wait_timeout:
    description:
      - With O(wait_for), how many seconds to wait.
      - With O(wait_for=settled) they count from when the console last went on. After five times as many there is an end
        of waiting, however much a console says.
    type: int
    default: 300
seealso:
  - module: openrescue.server.server_rescue
"""

EXAMPLES = r"""
---
- name: See whether two servers can be rescued with this image
  openrescue.server.server_rescue_info:
    provider: libvirt
    server: [web1, web2]
    rescue_image: /var/lib/libvirt/images/openrescue.qcow2
  register: looked

- name: List all servers of this hypervisor that are rescued, and by whom
  openrescue.server.server_rescue_info:
    provider: libvirt
  register: rescued

- name: Wait until it is clear whether a server that was just switched on comes up
  openrescue.server.server_rescue_info:
    provider: libvirt
    server: web1
    wait_for: settled
    wait_timeout: 60

- name: Say what stands in the way
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.blockers | map(attribute='message') | join('; ') }}"
  loop: "{{ looked.servers | rejectattr('rescuable') }}"
  loop_control:
    label: "{{ item.name }}"
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
          description: What for, as C(reason) of M(openrescue.server.server_rescue) said. V(null) where nothing was.
          type: str
          returned: always
          sample: kernel update of Tuesday
        since:
          description: Since when, in UTC.
          type: str
          returned: always
          sample: "2026-11-25T09:12:33Z"
        phase:
          description:
            - What was about to be done last, as C(phase) of M(openrescue.server.server_rescue) said. V(null) where
              nothing was said.
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
    life:
      description:
        - Whether the server's own system lives. It is told by the power state, by the guest agent (libvirt), and then
          by the console, which is looked at twice within two seconds. Nothing is run in the server for it.
      type: dict
      returned: always
      contains:
        state:
          description:
            - V(up) if it was seen to live, V(booting) if it is on its way there, V(down) if it is off or has stopped,
              and V(unknown) if nobody can tell.
          type: str
          returned: always
          choices: [up, booting, down, unknown]
          sample: up
        evidence:
          description: What says so.
          type: str
          returned: always
          sample: its guest agent answers, Debian GNU/Linux 13 (trixie)
        by:
          description: Where that comes from. V(null) where the state is V(unknown).
          type: str
          returned: always
          choices: [power_state, agent, console]
          sample: agent
    rescuable:
      description: Whether nothing stands in the way of a rescue.
      type: bool
      returned: always
    blockers:
      description: What stands in the way.
      type: list
      elements: dict
      returned: always
      contains:
        code:
          description: A stable word for the kind of problem.
          type: str
          returned: always
          sample: managed_save_image
        message:
          description: What is the matter.
          type: str
          returned: always
        hint:
          description: What to do.
          type: str
          returned: always
    warnings:
      description: What does not stand in the way, but should be known.
      type: list
      elements: dict
      returned: always
      contains:
        code:
          description: A stable word for the kind of problem.
          type: str
          returned: always
          sample: managed_save_image
        message:
          description: What is the matter.
          type: str
          returned: always
        hint:
          description: What to do.
          type: str
          returned: always
    extension:
      description:
        - What the cloud's extension query says of C(os-rescue), and what it really offers beside it.
        - V(null) on libvirt.
        - Every Nova of today has that extension. Whether a hypervisor can rescue is not said by it.
      type: dict
      returned: always
      contains:
        found:
          description: Whether the extension query knows C(os-rescue).
          type: bool
          returned: on OpenStack
        alias:
          description: The alias of the extension.
          type: str
          returned: on OpenStack
          sample: os-rescue
        name:
          description: Its name.
          type: str
          returned: on OpenStack
          sample: Rescue
        description:
          description: Its description.
          type: str
          returned: on OpenStack
        updated:
          description: When it was last changed, as the cloud says.
          type: str
          returned: on OpenStack
        namespace:
          description: Its XML namespace of old.
          type: str
          returned: on OpenStack
        microversions:
          description: What the Compute API speaks, C(minimum) and C(maximum).
          type: dict
          returned: on OpenStack
          sample: {minimum: "2.1", maximum: "2.104"}
        volume_backed:
          description: Whether servers that boot from a volume can be rescued, which takes the microversion 2.87.
          type: bool
          returned: on OpenStack
    microversion:
      description: The microversion that the cloud is asked with. V(null) on libvirt.
      type: str
      returned: always
      sample: "2.98"
    error:
      description: Why the server could not be looked at. V(null) where it could.
      type: dict
      returned: always
      contains:
        code:
          description: A stable word for the kind of error.
          type: str
          returned: always
        message:
          description: What happened, on which server, and what to do.
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
leftovers:
  description:
    - Files and storage pools that a rescue has made and that no server knows of any more. Nothing needs them. libvirt
      only.
  type: list
  elements: dict
  returned: without O(server)
  contains:
    kind:
      description: V(file) or V(pool).
      type: str
      returned: always
      sample: file
    path:
      description: Where it is; of a pool, its name.
      type: str
      returned: always
      sample: /var/lib/libvirt/images/openrescue-2f1f8b8c-6f0b-4d2c-9f3e-7f6f0e8d1a11-5e1c2a3b.qcow2
server:
  description: The same for a call with one server.
  type: dict
  returned: when one server was asked for
"""

import traceback
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._life import MOST_PATIENCE, Watch
from ansible_collections.openrescue.server.plugins.module_utils._server.factory import create_provider
from ansible_collections.openrescue.server.plugins.module_utils._server.fleet import look_at_servers
from ansible_collections.openrescue.server.plugins.module_utils._server.model import Job, Wish
from ansible_collections.openrescue.server.plugins.module_utils._server.options import (
    SecretsFirst,
    claim_from,
    provider_argument_spec,
    rescue_image_argument_spec,
)
from ansible_collections.openrescue.server.plugins.module_utils._server.provider import Provider
from ansible_collections.openrescue.server.plugins.module_utils._server.result import inspection, summary
from ansible_collections.openrescue.server.plugins.module_utils._time import Clock, Deadline


class InfoModule(SecretsFirst, AnsibleModule):
    """The options, with the secrets among them kept from every output."""


def build_wish(params: t.Mapping[str, t.Any]) -> Wish:
    """The rescue that would be asked for."""
    return Wish(
        state="rescued",
        image=params["rescue_image"] or "",
        kernel=params["rescue_kernel"] or "",
        ramdisk=params["rescue_ramdisk"] or "",
        cmdline=params["rescue_cmdline"] or "",
        device=params["rescue_device"] or "",
        bus=params["rescue_bus"] or "",
        disk_access=params["disk_access"],
        timeout=params["timeout"] + (MOST_PATIENCE * params["wait_timeout"] if params["wait_for"] else 0),
        claim=claim_from(params),
    )


def build_module() -> InfoModule:
    """The options."""
    return InfoModule(
        argument_spec={
            **provider_argument_spec(),
            **rescue_image_argument_spec(),
            "server": {"type": "list", "elements": "str"},
            "owner": {"type": "str"},
            "run": {"type": "str"},
            "wait_for": {"type": "str", "choices": ["settled", "agent", "running"]},
            "wait_timeout": {"type": "int", "default": 300},
        },
        supports_check_mode=True,
    )


def look(provider: Provider, names: list[str] | None, wish: Wish, watch: Watch) -> tuple[list[Job], dict[str, t.Any]]:
    """The servers that are asked for, or all that are rescued or held; and what is said of the place as a whole."""
    deadline = Deadline(watch.clock, seconds=wish.timeout)
    provider.connect(deadline)
    whole: dict[str, t.Any] = {}
    if names is None:
        names = provider.rescued(deadline)
        whole["leftovers"] = provider.leftovers(deadline)
    return look_at_servers(provider, names, wish, clock=watch.clock, watch=watch), whole


def main() -> None:
    """Look at every server."""
    module = build_module()
    wish, clock, names = build_wish(module.params), Clock(), module.params["server"]
    watch = Watch(clock, module.params["wait_for"], module.params["wait_timeout"])
    provider = create_provider(module.params)
    try:
        jobs, whole = look(provider, names, wish, watch)
        cloud = provider.describe(Deadline(clock, seconds=wish.timeout))
    except OpenRescueError as exc:
        error = exc.told_of(", ".join(names or ()))
        module.fail_json(msg=str(error), exception=traceback.format_exc(), error=error.as_result(), servers=[])
    finally:
        provider.close()
    servers = [{**inspection(job), **cloud} for job in jobs]
    values: dict[str, t.Any] = {"changed": False, "servers": servers, **whole}
    if names is not None and len(servers) == 1:
        values["server"] = servers[0]
    if any(job.error for job in jobs):
        module.fail_json(msg=summary(jobs), **values)
    module.exit_json(**values)


if __name__ == "__main__":
    main()
