# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One server on its way through Nova's own actions.

An action is judged by where the server ends up, never by the answer to the request: Nova answers 200 and can fail
after that, even without a trace in the server's status.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import calendar
import re
import secrets
import time
import typing as t

from .._errors import OpenRescueError, StateChanged
from .._server import refusals
from .._server.provider import Run
from .._time import wait_until
from . import plan as nova_plan
from .errors import PASSING
from .patience import SURROUNDINGS, Patience
from .server import METADATA_KEY, Json, marker_to_metadata

if t.TYPE_CHECKING:
    from .._server.model import Job, Situation
    from .errors import Answer
    from .provider import OpenStackProvider

__all__ = ("NovaRun",)

#: what Nova's refusals say -> code, what to do
_REFUSALS = (
    (
        r"Host unable to rescue a volume-backed",
        "volume_backed_host",
        "Its hypervisor cannot (trait COMPUTE_RESCUE_BFV): ask the administrators to move it to one that can",
    ),
    (
        r"Cannot rescue a volume-backed",
        "volume_backed",
        "Set hw_rescue_device and hw_rescue_bus on the rescue image; the Compute API has to know 2.87",
    ),
    (
        r"vTPM|TPM",
        "vtpm",
        "Nova rescues no server with an emulated TPM: snapshot it and boot the snapshot's disk apart",
    ),
    (
        r"rescue image .* is not supported",
        "image_refused",
        "See whether the rescue image is still there and holds a disk",
    ),
    (r"is locked", "locked", "Unlock it first (openstack server unlock), or ask who has locked it"),
    (r"[Vv]olume", "volume_not_in_use", "See to its attached volumes: each has to be in-use"),
)

#: after these a request may still be on its way to Nova
_NOBODY_KNOWS = frozenset({"bad_gateway", "gateway_timeout", "connection_failed", "no_answer", "answer_not_json"})


class NovaRun(Run):
    """See :class:`Run`. Nova itself is the hold: it takes no second action while one is going on."""

    def __init__(self, provider: OpenStackProvider, now: Situation, job: Job) -> None:
        self._provider = provider
        self._clock = provider.clock
        self._before = now
        self._job = job
        self._sent = self._changed_at = 0.0

    def finish(self) -> None:
        """What is to be left behind is written by the steps."""

    def do(self, step: str) -> bool:
        if self._provider.deadline.left <= 0:
            raise refusals.time_is_up(self._job.wish.timeout, step=step, server=self._before.name)
        return bool(getattr(self, f"_{step}")())

    # -- steps

    def _write_marker(self) -> bool:
        image = self._provider.image or {}
        marker = nova_plan.draft_marker(
            self._before,
            self._job.wish,
            image=str(image.get("id", "")),
            # The rescue disk has the size of the image, and not of the flavor.
            size=int(image.get("virtual_size") or 0),
            key=secrets.token_hex(4),
        )
        body = {"metadata": {METADATA_KEY: marker_to_metadata(marker)}}
        self._refusable("POST", "/metadata", step="write_marker", body=body)
        return True

    def _remove_marker(self) -> bool:
        try:
            self._refusable("DELETE", f"/metadata/{METADATA_KEY}", step="remove_marker")
        except OpenRescueError as exc:
            if exc.code != "not_found":
                raise
            return False
        return True

    def _rescue(self) -> bool:
        wish = self._job.wish
        options = {
            "adminPass": wish.admin_password,
            "rescue_image_ref": str((self._provider.image or {}).get("id", "")),
        }
        given = {key: value for key, value in options.items() if value}
        answer = self._act({"rescue": given or None}, step="rescue", goal="rescued")
        if answer is not None:
            self._job.password = str((answer.json() or {}).get("adminPass", ""))
        if wish.wait:
            self._see_rescued()
        return True

    def _unrescue(self) -> bool:
        self._act({"unrescue": None}, step="unrescue", goal="active")
        if self._job.wish.wait:
            now = self._end_of("unrescue")
            if now.vm_state != "active":
                raise self._failed("unrescue", now)
        return True

    def _stop_server(self) -> bool:
        if self._provider.observe(self._before.id).vm_state == "stopped":
            return False
        self._act({"os-stop": None}, step="stop_server", goal="stopped")
        now = self._end_of("stop_server")
        if now.vm_state != "stopped":
            raise self._failed("stop_server", now)
        return True

    # -- asking

    def _call(self, method: str, path: str, *, step: str, **options: t.Any) -> Answer:
        path = f"/servers/{self._before.id}{path}"
        return self._provider.compute(method, path, step=step, server=self._before.name, **options)

    def _refusable(self, method: str, path: str, *, step: str, **options: t.Any) -> Answer:
        """A call that Nova refuses where the server is not as it was when the plan was made."""
        try:
            return self._call(method, path, step=step, **options)
        except OpenRescueError as exc:
            raise self._refused(exc) from exc

    def _act(self, body: Json, *, step: str, goal: str) -> Answer | None:
        """Ask for an action, and never twice without looking: None where it took although no answer came back."""
        patience = Patience(self._clock, self._provider.deadline)
        self._changed_at = _seconds(self._provider.shown.get("updated"))
        lost = False
        while True:
            self._sent = self._clock.wall()
            self._provider.committed = True
            self._provider.in_doubt = False
            try:
                answer = self._call("POST", "/action", step=step, body=body, again=False)
            except OpenRescueError as exc:
                # Of two requests the one that seemed lost may have come first.
                if lost and exc.code == "conflict" and self._took(next(iter(body)), goal=goal):
                    return None
                if exc.code not in PASSING | SURROUNDINGS:
                    raise self._refused(exc) from exc
                again = patience.wait(exc)
                # Who is asked to keep away, and has no time for that, does not look either.
                if (again or exc.code != "over_limit") and self._took(next(iter(body)), goal=goal):
                    return None
                lost = lost or exc.code in _NOBODY_KNOWS
                if not again:
                    self._provider.in_doubt = exc.code in _NOBODY_KNOWS
                    raise
            else:
                self._job.request_id = answer.request_id
                return answer

    def _took(self, action: str, *, goal: str) -> bool:
        """Whether an action whose answer was lost has reached Nova."""
        now = self._provider.observe(self._before.id)
        name = {"os-stop": "stop"}.get(action, action)
        latest = next((one for one in self._provider.actions(self._before.id) if one["action"] == name), None)
        # An earlier action began before the server last changed, both by Nova's clock: ours may differ.
        if latest is not None and _seconds(latest["start_time"]) > self._changed_at:
            self._job.request_id = str(latest["request_id"])
            return True
        return now.task_state is not None or now.vm_state == goal

    def _refused(self, exc: OpenRescueError) -> OpenRescueError:
        """A refusal in the light of how the server is now."""
        for pattern, code, hint in _REFUSALS:
            if exc.code in ("bad_request", "conflict") and re.search(pattern, exc.message):
                return OpenRescueError(exc.message, code=code, hint=hint, step=exc.step, server=self._before.name)
        if exc.code != "conflict":
            return exc
        now = self._provider.observe(self._before.id)
        seen, before = (now.vm_state, now.task_state), (self._before.vm_state, self._before.task_state)
        if seen != before:
            # Somebody else was faster: look again, and plan from there.
            return StateChanged(exc.message, hint=exc.hint, step=exc.step, server=exc.server, retryable=True)
        return exc

    # -- waiting and judging

    def _see_rescued(self) -> None:
        while True:
            now = self._end_of("rescue")
            if now.vm_state == "rescued":
                break
            if now.vm_state == "error" or self._ended():
                raise self._failed("rescue", now)
            # The answer may be older than the action.
            self._clock.sleep(self._job.wish.poll_interval)
        if now.power_state not in ("running", "unknown"):
            raise OpenRescueError(
                f"the rescue system is not running (power state {now.power_state}), although Nova says RESCUE",
                code="rescue_died",
                hint="See the console of the server; unrescue it, then rescue it with another image",
                step="rescue",
                server=now.name,
            )

    def _end_of(self, step: str) -> Situation:
        """The server when nothing is being done to it any more."""
        seen: list[Situation] = []

        def look() -> Situation | None:
            seen[:] = [self._provider.observe(self._before.id)]
            return seen[0] if seen[0].task_state is None else None

        wish = self._job.wish
        end = wait_until(look, deadline=self._provider.deadline, clock=self._clock, poll_interval=wish.poll_interval)
        if end is None:
            error = self._provider.stuck(seen[0], wish)
            error.step = step
            raise error
        return end

    def _action(self) -> Json:
        """What Nova has noted of the request; empty where it has forgotten it."""
        if not self._job.request_id:
            return {}
        try:
            path = f"/os-instance-actions/{self._job.request_id}"
            answer = self._call("GET", path, step="read what became of it", holds="instanceAction")
        except OpenRescueError as exc:
            if exc.code != "not_found":
                raise
            return {}
        return t.cast("Json", answer.json()["instanceAction"])

    def _ended(self) -> bool:
        """Whether the action is over: noted as failed, or all of its events have a result, or it is long ago."""
        action = self._action()
        results = [event.get("result") for event in action.get("events") or []]
        over = action.get("message") == "Error" or (bool(results) and all(results))
        return over or self._clock.wall() - self._sent > 10 * self._job.wish.poll_interval

    def _failed(self, step: str, now: Situation) -> OpenRescueError:
        if now.vm_state == "error":
            return OpenRescueError(
                f"Nova has failed and left it in ERROR: {now.fault or 'no cause given'}{self._request()}",
                code="server_in_error",
                hint=(
                    "Reboot it hard (openstack server reboot --hard), which boots its own system,"
                    " or rescue it with a good image"
                ),
                step=step,
                server=now.name,
            )
        return OpenRescueError(
            f"Nova has taken the request and given it up without a word: it is {now.status} again{self._cause()}",
            code=f"{step}_reverted",
            hint=(
                "The usual causes are an image that is gone, and Glance or Neutron that do not answer: see to these,"
                " then run this again; the compute service's log has the cause under the request ID"
            ),
            step=step,
            server=now.name,
            retryable=True,
        )

    def _request(self) -> str:
        return f" (request {self._job.request_id})" if self._job.request_id else ""

    def _cause(self) -> str:
        action = self._action()
        events = [
            " ".join(filter(None, (event.get("event"), event.get("result"), event.get("details"))))
            for event in action.get("events") or []
            if event.get("result") != "Success"
        ]
        said = "; ".join(filter(None, (action.get("message"), *events)))
        return f"{self._request()}" + (f", os-instance-actions says: {said}" if said else "")


def _seconds(moment: t.Any) -> float:
    """Seconds since the epoch of a time as Nova writes it, in UTC."""
    try:
        return float(calendar.timegm(time.strptime(str(moment)[:19], "%Y-%m-%dT%H:%M:%S")))
    except ValueError:
        return 0.0
