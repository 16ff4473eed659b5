# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""nova-compute with Nova's fake driver, on a host that can be started twice.

Nova's own makes a new node of each process, which the second one is refused for, and forgets its servers. It takes what
it is asked for no matter what, and leaves a machine off that it has rescued or rebooted.
"""

from __future__ import annotations

import sys
import typing as t

# Before anything else of Nova: it decides about threads.
from nova.cmd.compute import main

# isort: split
from nova import context, objects
from nova.compute import power_state
from nova.virt import fake, node


class LastingDriver(fake.RescueBFVDriver):  # type: ignore[misc]  # Nova is not typed
    """The node is the one of the file compute_id, the servers are those that Nova has on this host."""

    def init_host(self, host: str) -> None:
        super().init_host(host)
        for server in objects.InstanceList.get_by_host(context.get_admin_context(), host):
            self.instances[server.uuid] = fake.FakeInstance(server.name, server.power_state, server.uuid)

    def get_available_resource(self, nodename: str) -> dict[str, t.Any]:
        return {**super().get_available_resource(nodename), "uuid": node.get_local_node_uuid()}

    def get_nodenames_by_uuid(self, refresh: bool = False) -> dict[str, str]:
        return {node.get_local_node_uuid(): name for name in self.get_available_nodes()}

    def rescue(self, context: t.Any, instance: t.Any, *args: t.Any) -> None:
        super().rescue(context, instance, *args)
        self.instances[instance.uuid].state = power_state.RUNNING

    def reboot(self, context: t.Any, instance: t.Any, *args: t.Any, **options: t.Any) -> None:
        super().reboot(context, instance, *args, **options)
        self.instances[instance.uuid].state = power_state.RUNNING


# Where compute_driver = fake.LastingDriver is looked for.
fake.LastingDriver = LastingDriver

if __name__ == "__main__":
    sys.exit(main())
