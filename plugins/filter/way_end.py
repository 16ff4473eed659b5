# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the way of one server has ended."""

from __future__ import annotations

DOCUMENTATION = r"""
name: way_end
short_description: How the way of one server has ended
version_added: 0.1.0
author:
  - The openrescue authors (@openrescue)
description:
  - Says in one word how a server is at the end of a run, why it is not as asked where it is not, and what to do next.
options:
  _input:
    description: The results of the steps, as for P(openrescue.server.run_record#filter).
    type: dict
    required: true
  decision:
    description: What P(openrescue.server.probe_decision#filter) has returned.
    type: dict
    required: true
  error:
    description: What went wrong on the way. Empty where nothing did.
    type: str
    default: ""
  name:
    description: The name of the server at its provider, where that is another one.
    type: str
    default: ""
  step:
    description: The one step that was taken, where it was not the whole way.
    type: str
    default: ""
  host:
    description: The name of the server in the inventory, for the commands that go on.
    type: str
    required: true
  way:
    description: RV(openrescue.server.rescue_host#module:way), where there is a rescue system.
    type: dict
  repair_faults:
    description: Which faults were to be repaired.
    type: raw
    default: safe
  check:
    description: Whether it was a check.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Say how it ended
  ansible.builtin.debug:
    msg: "{{ steps | openrescue.server.way_end(decision=decision, host=inventory_hostname) }}"
"""

RETURN = r"""
_value:
  description:
    - C(outcome), V(back), V(off), V(left_alone), V(rescued), V(collected), V(checked) or V(failed), or of a single step
      V(triaged), V(rescued), V(diagnosed), V(repaired) or V(unrescued); C(error), why it is not as asked; C(said), the
      same for people, in a sentence or two; C(next), the commands that go on.
  type: dict
"""

import shlex
import typing as t

__all__ = ("FilterModule", "way_end")

Result = t.Mapping[str, t.Any]

#: a first command in the patient
LOOK = "openrescue-shell -c 'cat /etc/fstab'"
#: a step -> how a server is after it
STEPS = {
    "triage": "triaged",
    "rescue": "rescued",
    "diagnose": "diagnosed",
    "repair": "repaired",
    "unrescue": "unrescued",
}


def way_end(
    steps: t.Mapping[str, Result | None],
    *,
    decision: t.Mapping[str, t.Any],
    host: str,
    name: str = "",
    step: str = "",
    error: str = "",
    way: t.Mapping[str, t.Any] | None = None,
    repair_faults: t.Any = "safe",
    check: bool = False,
) -> dict[str, t.Any]:
    """See above."""
    unrescued: Result = (steps.get("unrescue") or {}).get("server") or {}
    error = error or ("" if step else _left_unrepaired(steps, unrescued, repair_faults))
    if error:
        # What Ansible itself says of a task names no server.
        named = error if error.startswith("server '") else f"server '{name or host}': {error}"
        return _end("failed", error=named)
    if step:
        return _step_end(steps, step, host, way, check=check)
    if not decision["go"]:
        return _end("left_alone", error=decision["said"] if decision["unsure"] else "", said=decision["said"])
    if check:
        return _end("checked", said=_plan(steps, host))
    archive = (steps.get("collect") or {}).get("archive")
    if archive:
        return _end("collected", said=f"{host}: what was collected is {archive}")
    if not unrescued:
        return _end("rescued", said=f"{host} is left rescued", following=_from_rescued(host, way))
    proof = (steps.get("verify") or {}).get("proof")
    if proof:
        return _end("back", said=f"{unrescued['name']} is back: {proof}")
    return _end("off", said=f"{unrescued['name']} was off before and is off again; start it to see it boot")


def _step_end(
    steps: t.Mapping[str, Result | None],
    step: str,
    host: str,
    way: t.Mapping[str, t.Any] | None,
    *,
    check: bool,
) -> dict[str, t.Any]:
    would = check and step in ("rescue", "unrescue") and bool((steps.get(step) or {}).get("changed"))
    if would:
        return _end("checked", said=f"{host} would be {STEPS[step]}")
    kept = step == "rescue"
    return _end(STEPS[step], said=f"{host} is {STEPS[step]}", following=_from_rescued(host, way) if kept else ())


def _end(outcome: str, *, error: str = "", said: str = "", following: t.Sequence[str] = ()) -> dict[str, t.Any]:
    return {"outcome": outcome, "error": error, "said": said or error, "next": list(following)}


def _from_rescued(host: str, way: t.Mapping[str, t.Any] | None) -> list[str]:
    """How to get in, how to go on, and how to leave."""
    name = shlex.quote(host)
    return [
        *_way_in(way or {}),
        f"ansible-playbook openrescue.server.recover -e rescue_hosts={name}",
        f"ansible-playbook openrescue.server.unrescue -e rescue_hosts={name}",
    ]


def _way_in(way: t.Mapping[str, t.Any]) -> list[str]:
    address = str(way.get("ansible_host") or "")
    if not address:
        return []
    if way.get("ansible_connection") == "ansible.builtin.ssh":
        port = str(way.get("ansible_port") or 22)
        words = ["-p", port] if port != "22" else []
        return [shlex.join(["ssh", "-t", *words, f"{way.get('ansible_user') or 'root'}@{address}", "openrescue-shell"])]
    # Its console lets nobody in without a password; its agent does, a command at a time.
    uri = str(way.get("ansible_libvirt_uri") or "qemu:///system")
    reached = ["-i", f"{address},", "-c", "openrescue.server.guest_agent", "-e", f"ansible_libvirt_uri={uri}"]
    return [shlex.join(["ansible", "all", *reached, "-m", "ansible.builtin.raw", "-a", LOOK])]


def _left_unrepaired(steps: t.Mapping[str, Result | None], unrescued: Result, repair_faults: t.Any) -> str:
    """A server that was off is not seen to boot, so what is known to stop it is told."""
    if not unrescued or unrescued.get("power_state") == "running" or repair_faults == "none":
        return ""
    repaired = {item.get("key") for item in (steps.get("repair") or {}).get("applied") or ()}
    found = (steps.get("diagnose") or {}).get("findings") or ()
    left = [item for item in found if item.get("severity") == "critical" and item.get("key") not in repaired]
    if not left:
        return ""
    names = list(dict.fromkeys(str(item["fault"]) for item in left))
    return (
        f"server '{unrescued['name']}': repair the patient: {', '.join(names)} {'was' if len(names) == 1 else 'were'}"
        " found and left as found, so it will not boot. It has its own system back and is off, as before. See the"
        " findings; -e repair_faults=all repairs all that has a remedy"
    )


def _plan(steps: t.Mapping[str, Result | None], host: str) -> str:
    """What a run without --check would do, as far as that is known."""
    if steps.get("diagnose"):
        would = [str(item["fault"]) for item in (steps.get("repair") or {}).get("applied") or () if item.get("fault")]
        return f"{host} is rescued; its repair would be: {', '.join(would) or 'none'}"
    return f"{host} would be rescued, diagnosed, repaired and given back; nobody can tell yet what is to be repaired"


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """The filter by its name."""
        return {"way_end": way_end}
