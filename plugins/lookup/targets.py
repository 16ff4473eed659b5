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
  - So is a plain name, in the patterns or in the limit, that no host and no group has, although others fit. A typo
    would skip a server, or not spare it, and nobody would see that.
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

import re
import typing as t

from ansible import constants
from ansible.errors import AnsibleLookupError
from ansible.inventory.manager import InventoryManager, split_host_pattern
from ansible.plugins.lookup import LookupBase
from ansible_collections.openrescue.server.plugins.plugin_utils._inputs import misspelled

__all__ = ("LookupModule",)

#: the group of the rescue systems that the action rescue_host adds
RESCUE_SYSTEMS = "openrescue_rescue_systems"
#: A name, also one to be left out or of which only a part is meant. A wildcard, an expression and a file are none.
PLAIN = re.compile(r"[!&]?(?P<name>[^!&@~*?\[][^*?\[]*)(\[[-:0-9]+\])?")


def unknown(patterns: t.Any, known: t.Collection[str]) -> list[str]:
    """The plain names in these patterns that nobody has."""
    plain = (PLAIN.fullmatch(pattern) for pattern in split_host_pattern(patterns))
    names = (match["name"] for match in plain if match)
    return sorted({name for name in names if name not in known and name not in constants.LOCALHOST})


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
        groups = variables["groups"]
        inventory = InventoryManager(self._loader, parse=False)
        for group, hosts in groups.items():
            inventory.add_group(group)
            for host in hosts:
                inventory.add_host(host, group=group)
        said = ",".join(map(str, patterns))
        limit = variables.get("ansible_limit")
        if limit:
            inventory.subset(limit)
            said += f" and --limit {limit}"
        strangers = unknown([*patterns, *([limit] if limit else [])], {*groups, *groups["all"]})
        if strangers:
            raise AnsibleLookupError(
                f"rescue_hosts is '{said}': no host or group of the inventory is called {', '.join(strangers)}."
                " Nothing was done"
            )
        added = groups.get(RESCUE_SYSTEMS, [])
        found = [host.name for host in inventory.get_hosts(patterns) if host.name not in added] if patterns else []
        if not found:
            raise AnsibleLookupError(f"rescue_hosts is '{said}': no host of the inventory fits. Nothing was done")
        return found
