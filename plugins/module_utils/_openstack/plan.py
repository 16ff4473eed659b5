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

from .._errors import Busy, OpenRescueError
from .._server.plan import Plan
from .._server.refusals import rescued_otherwise
from .model import NovaMarker

if t.TYPE_CHECKING:
    from .._server.model import Wish
    from .model import NovaSituation

__all__ = (
    "IN_TRANSIT",
    "PREVIOUS",
    "History",
    "draft_marker",
    "history_of",
    "is_another_image",
    "needs_history",
    "plan",
    "predict",
    "state_of",
)

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


@dataclasses.dataclass(frozen=True)
class History:
    """What was asked of a server lately, as far as that tells what its status does not.

    :param left_running: it runs only because an unrescue, or a hard reboot after a failed rescue, has started it.
    :param failed_rescue: a rescue has failed, and nothing has made the server's own definition anew since: the next
        rescue would keep that of the failed one as the original, and unrescue would boot it.
    :param rescues: how often it was rescued since it was last given back.
    """

    left_running: bool = False
    failed_rescue: bool = False
    rescues: int = 0


#: actions after which Nova has made the definition of the server anew (those that apply to one in ERROR)
_ANEW = frozenset({"reboot", "start", "rebuild", "evacuate", "resize", "migrate", "create", "unshelve"})


def history_of(actions: t.Sequence[t.Mapping[str, t.Any]]) -> History:
    """What Nova's list of actions, the latest first, tells of a server."""
    rescues, failed, anew = 0, False, False
    for action in actions:
        name, ended_well = action["action"], action.get("message") != "Error"
        if name == "unrescue" and ended_well:
            break
        if name == "rescue":
            rescues += 1
            failed = failed or not (ended_well or anew)
        anew = anew or (name in _ANEW and ended_well)
    latest = [(action["action"], action.get("message") == "Error") for action in actions[:2]]
    left_running = latest[:1] == [("unrescue", False)] or latest == [("reboot", False), ("rescue", True)]
    return History(left_running=left_running, failed_rescue=failed, rescues=rescues)


def needs_history(now: NovaSituation, wish: Wish) -> bool:
    """Whether the plan depends on what was asked of the server before."""
    if now.task_state is not None:
        return False
    if now.vm_state == "error":
        return True
    if now.vm_state == "active":
        return now.marker is not None and now.marker.power == "shutdown"
    return now.vm_state == "rescued" and (wish.state == "unrescued" or is_another_image(now, wish))


def plan(now: NovaSituation, wish: Wish, *, history: History, image: str = "") -> Plan:
    """What leads from here to there; raises where no way leads there.

    :param image: the ID of the rescue image that is wished, where it had to be looked up.
    """
    if now.task_state is not None:
        return _plan_in_transit(now, wish)
    if wish.state == "rescued":
        return _plan_rescue(now, wish, history=history, image=image)
    return _plan_unrescue(now, wish, history=history)


def _plan_in_transit(now: NovaSituation, wish: Wish) -> Plan:
    """Only where the user does not want to wait."""
    if IN_TRANSIT.get(now.task_state or "") == wish.state:
        return Plan()
    raise Busy(
        f"something is being done to it (task state {now.task_state})",
        hint="Wait for its end, or run this with wait: true",
        step=wish.state,
        server=now.name,
        retryable=True,
    )


def _plan_rescue(now: NovaSituation, wish: Wish, *, history: History, image: str) -> Plan:
    power = _power_before(now, history=history)
    if now.vm_state == "error":
        # Nova writes no metadata in ERROR; after a hard reboot it does.
        steps = ("reboot_hard", "write_marker", "rescue") if history.failed_rescue else ("rescue",)
        return Plan(steps=steps, power=power, begins_anew=True)
    if now.vm_state != "rescued":
        return Plan(steps=("write_marker", "rescue"), power=power, begins_anew=True)
    if now.power_state != "running":
        raise OpenRescueError(
            f"it is in RESCUE, but the rescue system is not running (power state {now.power_state})",
            code="rescue_died",
            hint="Nova starts nothing in RESCUE: unrescue it (state: unrescued), then rescue it again",
            step="plan",
            server=now.name,
        )
    marker = now.marker
    # In ERROR a marker cannot be written anew: that of an earlier rescue says nothing of this one.
    if marker is not None and is_another_image(now, wish) and image != marker.image and history.rescues <= 1:
        difference = f"the image {marker.asked or marker.image or 'of its own'} and not {wish.image or 'its own'}"
        raise rescued_otherwise(difference, server=now.name)
    return Plan()


def is_another_image(now: NovaSituation, wish: Wish) -> bool:
    """Whether it is rescued with an image that the user calls by another name: it may still be the same."""
    marker = now.marker
    if now.vm_state != "rescued" or marker is None:
        return False
    return wish.image not in (marker.image, marker.asked)


def _plan_unrescue(now: NovaSituation, wish: Wish, *, history: History) -> Plan:
    marker = now.marker
    off = marker is not None and marker.power == "shutdown" and wish.restore_power_state
    steps: tuple[tuple[str, bool], ...]
    if now.vm_state == "rescued":
        noted = marker is not None or now.hold is not None
        steps = (("unrescue", True), ("stop_server", off), ("remove_marker", noted))
    elif marker is None:
        return Plan()
    elif now.vm_state == "error":
        # A rescue has failed. Nova unrescues nothing in ERROR; a hard reboot boots the server's own system.
        steps = (("reboot_hard", True), ("stop_server", off), ("remove_marker", True))
    else:
        # Cut off between the end of Nova's action and ours.
        off = off and now.vm_state == "active" and history.left_running
        steps = (("stop_server", off), ("remove_marker", True))
    chosen = tuple(step for step, needed in steps if needed)
    # Without waiting, what follows the end of Nova's action has to be left to a later run.
    if not wish.wait and chosen[0] in ("unrescue", "reboot_hard"):
        chosen = chosen[:1]
    return Plan(steps=chosen, ending=True, power="shutdown" if off else "running")


def _power_before(now: NovaSituation, *, history: History) -> str:
    """What unrescue will restore: where a run was interrupted its marker knows better than the state of now."""
    interrupted = now.vm_state == "error" or (now.vm_state == "active" and history.left_running)
    if interrupted and now.marker is not None:
        return now.marker.power
    return PREVIOUS.get(now.vm_state, "")


def draft_marker(wish: Wish, *, power: str, image: str, key: str, size: int = 0) -> NovaMarker:
    """What the server is to remember of a rescue that begins."""
    return NovaMarker(
        id=key,
        image=image,
        image_size=str(size or ""),
        asked=wish.image,
        since=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        # Of a server in ERROR nobody knows what it was before.
        power=power or "running",
    )


def predict(now: NovaSituation, plan: Plan, wish: Wish) -> NovaSituation:
    """The server as the plan would leave it."""
    if not plan.changes:
        return now
    if not plan.ending:
        marked = "write_marker" in plan.steps
        marker = draft_marker(wish, power=plan.power, image=wish.image, key="") if marked else now.marker
        after = dataclasses.replace(now, vm_state="rescued", status="RESCUE", power_state="running", marker=marker)
        return dataclasses.replace(after, declared="rescued", runs="rescue")
    runs, vm_state, status = ("off", "stopped", "SHUTOFF") if plan.power == "shutdown" else ("own", "active", "ACTIVE")
    if plan.steps == ("remove_marker",):
        runs, vm_state, status = now.runs, now.vm_state, now.status
    power_state = "shutdown" if vm_state == "stopped" else "running"
    after = dataclasses.replace(now, vm_state=vm_state, status=status, power_state=power_state, marker=None)
    return dataclasses.replace(after, declared="unrescued", runs=t.cast("t.Any", runs))
