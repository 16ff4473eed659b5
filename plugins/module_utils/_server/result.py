# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers as modules return them.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from .hold import is_mine

if t.TYPE_CHECKING:
    from .model import Job, Situation

__all__ = ("diff", "facts", "inspection", "result", "summary")

#: the serial numbers by which a rescue system tells its own disks from the patient's
OWN_SERIALS = ("openrescue-rescue", "openrescue-seed")
#: what holds of a disk of which its provider says nothing else
_DISK = {"hidden": False, "shared": False}
#: and of a rescue
_RESCUE: dict[str, t.Any] = {
    **dict.fromkeys(("id", "image", "image_size", "since", "console_log", "root_serial")),
    "disk_access": "read_write",
}


def facts(now: Situation) -> dict[str, t.Any]:
    """What is so, whoever made it so."""
    return {
        "name": now.name,
        "id": now.id,
        "provider": now.provider,
        "state": now.state,
        "status": now.status,
        "task_state": now.task_state,
        "power_state": now.power_state,
        **now.details,
        "previous": None if now.marker is None else now.marker.previous,
        "rescue": _rescue(now),
    }


def _rescue(now: Situation) -> dict[str, t.Any] | None:
    marker = now.marker
    if marker is None and now.state != "rescued":
        return None
    known = {} if marker is None else {"id": marker.id or None, "image": marker.image, "since": marker.since or None}
    return {
        **_RESCUE,
        **known,
        **({} if marker is None else marker.details),
        "reach": {"agent": now.details["agent"], **now.reach},
        "disks": [{**_DISK, **disk} for disk in now.disks if disk["serial"] not in OWN_SERIALS],
    }


def _seen(job: Job) -> dict[str, t.Any]:
    empty: dict[str, t.Any] = dict.fromkeys(
        ("provider", "state", "status", "task_state", "power_state", "agent", "autostart", "previous", "rescue")
    )
    seen = {"name": job.name or job.asked, "id": job.id or None, **empty}
    seen["hold"] = None
    if job.after is not None:
        seen.update(facts(job.after), hold=_hold(job.after, job))
    return seen


def _hold(now: Situation, job: Job) -> dict[str, t.Any] | None:
    hold = now.hold
    if hold is None:
        return None
    return {
        "owner": hold.owner,
        "reason": hold.reason or None,
        "since": hold.since or None,
        "phase": hold.phase or None,
        "run": hold.run or None,
        "alive": now.hold_alive,
        "mine": is_mine(hold, job.wish.claim),
    }


def _error(job: Job) -> dict[str, t.Any] | None:
    return None if job.error is None else job.error.as_result()


def result(job: Job) -> dict[str, t.Any]:
    """One server's result. What a call that failed has seen is in it, too."""
    return {
        **_seen(job),
        "changed": job.changed,
        "actions": list(job.actions),
        "stopped_by": job.stopped_by or None,
        "timings": dict(job.timings),
        "request_id": job.request_id or None,
        "unwritten": dict(job.unwritten),
        "error": _error(job),
    }


def inspection(job: Job) -> dict[str, t.Any]:
    """One server's facts, and what stands in the way of its rescue."""
    return {
        **_seen(job),
        "rescuable": job.error is None and not job.blockers,
        "blockers": [problem.as_dict() for problem in job.blockers],
        "warnings": [problem.as_dict() for problem in job.warnings],
        "life": job.life.as_dict() if job.life else None,
        "error": _error(job),
    }


def _shown(now: Situation | None) -> dict[str, t.Any]:
    if now is None:
        return {}
    shown = facts(now)
    rescue = shown["rescue"] or {}
    kept = ("state", "power_state", "autostart", "previous")
    return {**{key: shown[key] for key in kept}, "rescue_image": rescue.get("image")}


def diff(jobs: t.Sequence[Job]) -> dict[str, dict[str, t.Any]]:
    """Before and after, by server, as ``--diff`` shows them."""
    return {
        "before": {job.name or job.asked: _shown(job.before) for job in jobs},
        "after": {job.name or job.asked: _shown(job.after) for job in jobs},
    }


def summary(jobs: t.Sequence[Job]) -> str:
    """What went wrong, in one message."""
    failed = [job for job in jobs if job.error is not None]
    if len(jobs) == 1:
        return str(failed[0].error)
    return f"{len(failed)} of {len(jobs)} servers failed. " + " | ".join(str(job.error) for job in failed)
