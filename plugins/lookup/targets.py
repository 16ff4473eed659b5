# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The servers that a pattern means, or an error."""

from __future__ import annotations

DOCUMENTATION = r"""
name: targets
short_description: The servers that a pattern means
version_added: 0.1.0
author:
  - The openrescue authors (@openrescue)
description:
  - Lists the hosts of the inventory that fit the pattern and the C(--limit) of the command line.
  - Ansible itself ends well where a pattern fits no host. Here that is an error.
  - Tags of the command line are an error, since they would leave out all that has none of them, and end well.
  - A rescue system that this run has added to the inventory is never a target.
  - A variable of the command line that differs by a letter or two from one that this collection takes is an error, too.
options:
  _terms:
    description: Patterns, as after C(hosts:) in a play, such as V(dead:!db1).
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Do something with servers
  hosts: "{{ query('openrescue.server.targets', rescue_hosts) }}"
  tasks: []
"""

RETURN = r"""
_list:
  description: The names of the hosts, at least one.
  type: list
  elements: str
"""

import typing as t

from ansible.errors import AnsibleLookupError
from ansible.inventory.manager import InventoryManager
from ansible.plugins.lookup import LookupBase
from ansible_collections.openrescue.server.plugins.plugin_utils._inputs import misspelled

__all__ = ("LookupModule",)

#: the group of the rescue systems that the action rescue_host adds
RESCUE_SYSTEMS = "openrescue_rescue_systems"


class LookupModule(LookupBase):
    """See above."""

    def run(self, terms: t.Any, variables: t.Any = None, **kwargs: t.Any) -> list[str]:  # noqa: ARG002
        """The names that fit."""
        wrong = misspelled(variables)
        if wrong:
            raise AnsibleLookupError(f"no variable of openrescue.server: {', '.join(wrong)}. Nothing was done")
        tags = variables.get("ansible_run_tags") or ["all"]
        if "all" not in tags:
            raise AnsibleLookupError(
                f"--tags {','.join(map(str, tags))} would leave out the steps of openrescue.server. Nothing was done;"
                " run it without --tags"
            )
        patterns = [
            pattern for term in terms for pattern in ([term] if isinstance(term, str) else term or []) if pattern
        ]
        inventory = InventoryManager(self._loader, parse=False)
        for group, hosts in variables["groups"].items():
            inventory.add_group(group)
            for host in hosts:
                inventory.add_host(host, group=group)
        said = ",".join(map(str, patterns))
        limit = variables.get("ansible_limit")
        if limit:
            inventory.subset(limit)
            said += f" and --limit {limit}"
        added = variables["groups"].get(RESCUE_SYSTEMS, [])
        found = [host.name for host in inventory.get_hosts(patterns) if host.name not in added] if patterns else []
        if not found:
            raise AnsibleLookupError(f"rescue_hosts is '{said}': no host of the inventory fits. Nothing was done")
        return found
