# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers as modules return them.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from .model import Job, Situation

__all__ = ("diff", "facts", "inspection", "result", "summary")

#: the serial numbers by which a rescue system tells its own disks from the patient's
OWN_SERIALS = ("openrescue-rescue", "openrescue-seed")


def facts(now: Situation) -> dict[str, t.Any]:
    """What is so, whoever made it so."""
    marker = now.marker
    return {
        "name": now.name,
        "id": now.id,
        "provider": now.provider,
        "state": now.state,
        "status": now.status,
        "task_state": now.task_state,
        "power_state": now.power_state,
        "agent": now.agent,
        "autostart": now.autostart,
        "previous": None if marker is None else {"power_state": marker.power, "autostart": marker.autostart},
        "rescue": _rescue(now),
    }


def _rescue(now: Situation) -> dict[str, t.Any] | None:
    marker = now.marker
    if marker is None and now.state != "rescued":
        return None
    return {
        "id": marker.id or None if marker else None,
        "image": marker.image if marker else None,
        "image_size": int(marker.image_size) if marker and marker.image_size.isdigit() else None,
        "since": marker.since or None if marker else None,
        "disk_access": marker.disk_access if marker else "read_write",
        "holder": marker.holder.who if now.held and marker and marker.holder else None,
        "reach": {"agent": now.agent, **now.reach},
        "console_log": marker.log or None if marker else None,
        "disks": [dict(disk) for disk in now.disks if disk["serial"] not in OWN_SERIALS],
    }


def _seen(job: Job) -> dict[str, t.Any]:
    empty: dict[str, t.Any] = dict.fromkeys(
        ("provider", "state", "status", "task_state", "power_state", "agent", "autostart", "previous", "rescue")
    )
    seen = {"name": job.name or job.asked, "id": job.id or None, **empty}
    if job.after is not None:
        seen.update(facts(job.after))
    return seen


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
