# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a server is to be recovered, by the signs of life that it gave."""

from __future__ import annotations

DOCUMENTATION = r"""
name: probe_decision
short_description: Whether a server is to be recovered
version_added: 0.1.0
author:
  - The openrescue authors (@openrescue)
description:
  - Decides by the signs of life of a server whether it is to be rescued. That would stop one that is well, and a
    pattern for a fleet fits healthy servers too. So a server that is up is left alone, and so is one of which nobody
    can tell. That nothing answers is no evidence of a failure.
options:
  _input:
    description: RV(openrescue.server.server_rescue_info#module:server).
    type: dict
    required: true
  login:
    description:
      - What M(openrescue.server.system_state) returned. It counts only as a proof of life; that a bastion is down, a
        key is refused or an address is wrong says nothing of the server.
    type: dict
  running:
    description: Whether servers that are up are meant as well, and those of which nobody can tell.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Decide whether to go on
  ansible.builtin.set_fact:
    decision: "{{ looked.server | openrescue.server.probe_decision(login=asked) }}"
"""

RETURN = r"""
_value:
  description:
    - C(go), whether to rescue it; C(life), what is known of its life; C(said), why it is left alone, in a sentence;
      C(unsure), whether it is left alone because nobody can tell.
  type: dict
"""

import typing as t

__all__ = ("FilterModule", "probe_decision")

ALL_THE_SAME = "-e recover_running=true recovers it all the same"


def probe_decision(
    server: t.Mapping[str, t.Any], *, login: t.Mapping[str, t.Any] | None = None, running: bool = False
) -> dict[str, t.Any]:
    """See above."""
    life: t.Mapping[str, t.Any] = server.get("life") or {"state": "unknown", "evidence": "", "by": None}
    # The rescue system lets us in as well.
    if login and login.get("answers") and login.get("system") != "rescue":
        life = {"state": "up", "evidence": "it lets us log in", "by": "ssh"}
    if server["state"] != "unrescued" or life["state"] == "down" or running:
        return {"go": True, "life": dict(life), "said": "", "unsure": False}
    name = server["name"]
    if life["state"] == "up":
        said = (
            f"{name} is up and was left alone ({life['evidence']}); -e recover_running=true recovers also servers that"
            " are up"
        )
        return {"go": False, "life": dict(life), "said": said, "unsure": False}
    known = "it is booting" if life["state"] == "booting" else "nobody can tell"
    refused = f"; it does not let us log in: {login['reason']}" if login and not login.get("answers") else ""
    evidence = f"{life['evidence']}{refused}"
    said = (
        f"server '{name}': see whether it is up: {known} ({evidence}), so it was left alone. Give it time, or a way to"
        f" be asked (verify_by); {ALL_THE_SAME}"
    )
    return {"go": False, "life": dict(life), "said": said, "unsure": True}


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filter by its name."""
        return {"probe_decision": probe_decision}
