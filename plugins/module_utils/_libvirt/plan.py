# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what is seen and what is wished to what is to be done, in order.

Every plan is made from what is seen now, so that a run that was killed is finished or put back by the next one
without knowing how far it came.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import typing as t

from .._server.model import Problem
from .._server.plan import Plan
from .._server.refusals import rescued_otherwise
from .model import AT_REST, LibvirtMarker
from .seed import fingerprint

if t.TYPE_CHECKING:
    from .._server.model import Runs, Wish
    from .model import LibvirtSituation

__all__ = ("STEPS", "plan", "plan_unrescue", "predict", "unheeded")

#: Every step there is, in the order in which they can follow each other.
STEPS = (
    "remove_disks",
    "create_disks",
    "disable_autostart",
    "stop_server",
    "start_rescue",
    "stop_rescue",
    "start_server",
    "enable_autostart",
)


def plan(now: LibvirtSituation, wish: Wish) -> Plan:
    """What leads from here to there; raises where no way leads there."""
    return _plan_rescue(now, wish) if wish.state == "rescued" else plan_unrescue(now, wish)


def plan_unrescue(now: LibvirtSituation, wish: Wish) -> Plan:
    """The way back, from wherever the server is."""
    marker = now.marker
    if marker is None:
        return Plan()
    wanted = marker.power == "running" or not wish.restore_power_state
    # A server that somebody has started by hand from its own definition is left alone.
    start = wanted and now.runs in ("off", "rescue")
    steps = (
        ("stop_rescue", now.runs == "rescue"),
        ("start_server", start),
        ("enable_autostart", marker.autostart),
        ("remove_disks", True),
    )
    return Plan(
        steps=tuple(step for step, needed in steps if needed),
        ending=True,
        power=marker.power,
        autostart=marker.autostart,
        marker_around_steps=True,
    )


def _plan_rescue(now: LibvirtSituation, wish: Wish) -> Plan:
    marker = now.marker
    if marker is None:
        power = "running" if now.runs == "own" else "shutdown"
        return _fresh_rescue(now, power=power, autostart=now.autostart, leftovers=False)
    _refuse_another_rescue(now, wish)
    if now.runs == "rescue":
        return _keep_rescue(now)
    # Interrupted, switched off from inside, or somebody started the server by hand: begin anew.
    power = "running" if now.runs == "own" else marker.power
    return _fresh_rescue(now, power=power, autostart=marker.autostart or now.autostart, leftovers=True)


def _fresh_rescue(now: LibvirtSituation, *, power: str, autostart: bool, leftovers: bool) -> Plan:
    steps = (
        ("remove_disks", leftovers),
        ("create_disks", True),
        ("disable_autostart", now.autostart),
        ("stop_server", now.runs == "own"),
        ("start_rescue", True),
    )
    needed = tuple(step for step, applies in steps if applies)
    return Plan(steps=needed, power=power, autostart=autostart, begins_anew=True, marker_around_steps=True)


def _keep_rescue(now: LibvirtSituation) -> Plan:
    """The rescue system runs: at most the marker has to catch up."""
    marker = now.marker
    if marker is None:
        raise AssertionError("a rescued server has a marker")
    steps = ("disable_autostart",) if now.autostart else ()
    return Plan(
        steps=steps,
        power=marker.power,
        autostart=marker.autostart or now.autostart,
        corrects_marker=not marker.at_rest or bool(steps),
        marker_around_steps=True,
    )


def _refuse_another_rescue(now: LibvirtSituation, wish: Wish) -> None:
    marker = now.marker
    if marker is None:
        raise AssertionError("a rescued server has a marker")
    differences = [
        f"{option} {was or 'none'} and not {asked or 'none'}"
        for option, was, asked in (
            ("rescue_image", marker.image, wish.image),
            ("disk_access", marker.disk_access, wish.disk_access),
            ("rescue_kernel", marker.kernel, wish.kernel),
        )
        if was != asked
    ]
    if differences:
        raise rescued_otherwise(", ".join(differences), server=now.name)


def unheeded(now: LibvirtSituation, wish: Wish) -> list[Problem]:
    """What of the wish a rescue that goes on does not have: its seed was read when it began."""
    marker, asked = now.marker, fingerprint(wish.ssh_authorized_keys, wish.user_data)
    # A marker of an older release does not say what its seed holds; who asks for none is content with any.
    if marker is None or not asked or asked == marker.seed_holds or (marker.seed and not marker.seed_holds):
        return []
    return [
        Problem(
            "unheeded",
            "it is rescued already, with other ssh_authorized_keys or user_data, which the rescue system keeps",
            "Unrescue it first (state: unrescued), then rescue it as you want",
        )
    ]


def predict(now: LibvirtSituation, plan: Plan, wish: Wish) -> LibvirtSituation:
    """The server as the plan would leave it."""
    if not plan.changes:
        return now
    if plan.ending:
        runs = now.runs if now.runs == "own" else ("own" if "start_server" in plan.steps else "off")
        return dataclasses.replace(
            now,
            marker=None,
            runs=t.cast("Runs", runs),
            power_state="running" if runs == "own" else "shutdown",
            autostart=now.autostart or plan.autostart,
        )
    marker = now.marker or LibvirtMarker(
        id="",
        phase=AT_REST,
        image=wish.image,
        since="",
        power=plan.power,
        autostart=plan.autostart,
        definition=now.definition,
        disk_access=wish.disk_access,
    )
    marker = dataclasses.replace(marker, phase=AT_REST, power=plan.power, autostart=plan.autostart, worker=None)
    return dataclasses.replace(now, marker=marker, runs="rescue", power_state="running", autostart=False)
