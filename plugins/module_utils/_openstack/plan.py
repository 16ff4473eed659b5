# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what Nova says of a server and what is wished to what is to be done.

Nova refuses to touch the metadata of a server in RESCUE or in ERROR (409), so the marker is written before the rescue
and removed after it. See https://docs.openstack.org/api-ref/compute/#rescue-server-rescue-action.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import time
import typing as t

from .._errors import OpenRescueError
from .._server.marker import AT_REST, Marker
from .._server.plan import Plan
from .._server.refusals import rescued_otherwise

if t.TYPE_CHECKING:
    from .._server.model import Situation, Wish

__all__ = ("IN_TRANSIT", "PREVIOUS", "draft_marker", "plan", "predict", "state_of")

#: task state -> the state that it leads to
IN_TRANSIT = {"rescuing": "rescued", "unrescuing": "unrescued"}
#: vm_state before a rescue -> power state that unrescue restores
PREVIOUS = {"active": "running", "stopped": "shutdown"}


def state_of(*, vm_state: str, task_state: str | None, power_state: str, marked: bool) -> str:
    """The state as modules return it. Nova has no status RESCUING: in transit only the task state tells."""
    if task_state in IN_TRANSIT:
        return str(task_state)
    if vm_state == "rescued":
        return "rescued" if power_state == "running" else "interrupted"
    return "interrupted" if marked else "unrescued"


def plan(now: Situation, wish: Wish) -> Plan:
    """What leads from here to there; raises where no way leads there."""
    if now.task_state is not None:
        return _plan_in_transit(now, wish)
    return _plan_rescue(now, wish) if wish.state == "rescued" else _plan_unrescue(now, wish)


def _plan_in_transit(now: Situation, wish: Wish) -> Plan:
    """Only where the user does not want to wait."""
    if IN_TRANSIT.get(now.task_state or "") == wish.state:
        return Plan()
    raise OpenRescueError(
        f"something is being done to it (task state {now.task_state})",
        code="busy",
        hint="Wait for its end, or run this with wait: true",
        step=wish.state,
        server=now.name,
        retryable=True,
    )


def _plan_rescue(now: Situation, wish: Wish) -> Plan:
    power = PREVIOUS.get(now.vm_state, "")
    if now.vm_state != "rescued":
        steps = ("write_marker", "rescue") if power else ("rescue",)
        return Plan(steps=steps, power=power, fresh=True)
    if now.power_state != "running":
        raise OpenRescueError(
            f"it is in RESCUE, but the rescue system is not running (power state {now.power_state})",
            code="rescue_died",
            hint="Nova starts nothing in RESCUE: unrescue it (state: unrescued), then rescue it again",
            step="plan",
            server=now.name,
        )
    _refuse_another_image(now, wish)
    return Plan()


def _refuse_another_image(now: Situation, wish: Wish) -> None:
    marker = now.marker
    if marker is None or wish.image in (marker.image, marker.asked):
        return
    difference = f"the image {marker.asked or marker.image or 'of its own'} and not {wish.image or 'its own'}"
    raise rescued_otherwise(difference, server=now.name)


def _plan_unrescue(now: Situation, wish: Wish) -> Plan:
    marker = now.marker
    if now.vm_state == "rescued":
        off = marker is not None and marker.power == "shutdown" and wish.restore_power_state
        steps = (("unrescue", True), ("stop_server", off), ("remove_marker", marker is not None))
        # Without waiting, what follows the end of unrescue has to be left to a later run.
        chosen = tuple(step for step, needed in steps if needed) if wish.wait else ("unrescue",)
        return Plan(steps=chosen, ending=True, power="shutdown" if off else "running")
    if marker is None:
        return Plan()
    if now.vm_state == "error":
        raise OpenRescueError(
            f"a failed rescue has left it in ERROR ({now.fault or 'no cause given'}), which Nova unrescues not",
            code="server_in_error",
            hint=(
                "Reboot it hard (openstack server reboot --hard), which boots its own system,"
                " or rescue it with a good image and unrescue it then"
            ),
            step="plan",
            server=now.name,
        )
    # Cut off between the end of Nova's action and ours.
    off = now.vm_state == "active" and marker.power == "shutdown" and now.left_running and wish.restore_power_state
    steps_left = ("stop_server", "remove_marker") if off else ("remove_marker",)
    return Plan(steps=steps_left, ending=True, power="shutdown" if off else "running")


def draft_marker(now: Situation, wish: Wish, *, image: str, key: str, size: int = 0) -> Marker:
    """What the server is to remember of a rescue that begins."""
    return Marker(
        id=key,
        phase=AT_REST,
        image=image,
        image_size=str(size or ""),
        asked=wish.image,
        since=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        power=PREVIOUS.get(now.vm_state, ""),
        autostart=False,
        definition="",
    )


def predict(now: Situation, plan: Plan, wish: Wish) -> Situation:
    """The server as the plan would leave it."""
    if not plan.changes:
        return now
    if not plan.ending:
        marker = draft_marker(now, wish, image=wish.image, key="") if plan.power else now.marker
        after = dataclasses.replace(now, vm_state="rescued", status="RESCUE", power_state="running", marker=marker)
        return dataclasses.replace(after, declared="rescued", runs="rescue")
    runs, vm_state, status = ("off", "stopped", "SHUTOFF") if plan.power == "shutdown" else ("own", "active", "ACTIVE")
    if plan.steps == ("remove_marker",):
        runs, vm_state, status = now.runs, now.vm_state, now.status
    power_state = "shutdown" if vm_state == "stopped" else "running"
    after = dataclasses.replace(now, vm_state=vm_state, status=status, power_state=power_state, marker=None)
    return dataclasses.replace(after, declared="unrescued", runs=t.cast("t.Any", runs))
