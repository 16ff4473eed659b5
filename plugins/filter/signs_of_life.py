# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a server is up, is down, or nobody can tell."""

from __future__ import annotations

DOCUMENTATION = r"""
name: signs_of_life
short_description: Whether a server is up, is down, or nobody can tell
version_added: 0.1.0
author:
  - The openrescue authors (@openrescue)
description:
  - Weighs what the provider tells of a server, what its console shows and whether it lets us log in.
  - That nothing answers is never taken for a failure. A server is down where its power state or its console says so.
positional: console
options:
  _input:
    description: The server, as M(openrescue.server.server_rescue_info) returns it.
    type: dict
    required: true
  console:
    description: What M(openrescue.server.console_diagnose) has returned. Empty where the console could not be read.
    type: dict
    default: {}
  login:
    description: Whether a login has succeeded. Only success says anything.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Say whether the server is up
  ansible.builtin.debug:
    msg: "{{ looked.server | openrescue.server.signs_of_life(triage_result) }}"
"""

RETURN = r"""
_value:
  description: >-
    The C(state), V(up), V(booting), V(down) or V(unknown), the C(evidence) in words, and what it comes C(by),
    V(power_state), V(agent), V(console), V(ssh) or null.
  type: dict
  sample: {state: up, evidence: it lets us log in, by: ssh}
"""

import typing as t

__all__ = ("FilterModule", "signs_of_life")

Facts = t.Mapping[str, t.Any]


def signs_of_life(server: Facts, console: Facts | None = None, *, login: bool = False) -> dict[str, t.Any]:
    """See above."""
    told = dict(server.get("life") or {"state": "unknown", "evidence": "the provider does not say", "by": None})
    if told["state"] in ("up", "down"):
        # A server that is off lets nobody in; one that only seems to be down may do so.
        return _life("up", "it lets us log in", "ssh") if login and told["by"] != "power_state" else told
    if login:
        return _life("up", "it lets us log in", "ssh")
    return _by_console(console or {}) or told


def _by_console(console: Facts) -> dict[str, t.Any] | None:
    if console.get("boot") == "booted":
        return _life("up", "its console shows that the boot came to its end", "console")
    if console.get("boot") == "failed":
        said = "; ".join(str(finding["summary"]) for finding in console.get("findings") or [])
        return _life("down", f"its console says: {said}" if said else "its console shows a failed boot", "console")
    return None


def _life(state: str, evidence: str, by: str) -> dict[str, t.Any]:
    return {"state": state, "evidence": evidence, "by": by}


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filter by its name."""
        return {"signs_of_life": signs_of_life}
