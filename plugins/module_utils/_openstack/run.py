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
from .._server.model import Problem
from .._server.provider import Run
from .._time import wait_until
from . import plan as nova_plan
from .errors import BadRequest, CloudError, Conflict, Forbidden, Lost, NotFound, Passing, Surroundings, TooLarge
from .patience import Patience
from .preflight import disk_facts
from .server import HOLD_KEY, METADATA_KEY, Json, hold_to_metadata, marker_to_metadata

if t.TYPE_CHECKING:
    from .._server.model import Job
    from .._server.plan import Plan
    from .errors import Answer
    from .model import NovaSituation
    from .session import OpenStackSession

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

#: how often a server at rest is looked at before it counts as given up: an answer may be older than the action
_LOOKS = 10


class NovaRun(Run):
    """See :class:`Run`. Nova itself is the hold: it takes no second action while one is going on."""

    def __init__(self, session: OpenStackSession, now: NovaSituation, plan: Plan, job: Job) -> None:
        self._session = session
        self._clock = session.clock
        self._before = now
        self._plan = plan
        self._job = job
        self._changed_at = 0.0
        self._why_unwritten = ""
        self._steps: dict[str, t.Callable[[], bool]] = {
            "write_marker": self._write_marker,
            "remove_marker": self._remove_marker,
            "rescue": self._rescue,
            "unrescue": self._unrescue,
            "reboot_hard": self._reboot_hard,
            "stop_server": self._stop_server,
        }

    def finish(self) -> None:
        """What is to be left behind is written by the steps."""

    def do(self, step: str) -> bool:
        if self._session.deadline.left <= 0:
            raise refusals.time_is_up(self._job.wish.timeout, step=step, server=self._before.name)
        return self._steps[step]()

    # -- steps

    def _write_marker(self) -> bool:
        facts = self._session.memory.facts
        image = facts.booted or {}
        # The rescue disk has the size of the image, and not of the flavor.
        raw = image.get("size") if image.get("disk_format") == "raw" else 0
        marker = nova_plan.draft_marker(
            self._job.wish,
            power=self._plan.power,
            image=str(image.get("id", "")),
            size=int(image.get("virtual_size") or raw or 0),
            key=secrets.token_hex(4),
        )
        self._session.memory.disks = disk_facts(facts)
        values = {METADATA_KEY: marker_to_metadata(marker, disk_facts(facts)), **self._hold()}
        written = self._write_metadata(values)
        if not written and len(values) > 1:
            # There may be room for one: what unrescue restores is worth more than who has it.
            written = self._write_metadata({METADATA_KEY: values[METADATA_KEY]})
        self._tell_unwritten(values, written)
        return bool(written)

    def _hold(self) -> dict[str, str]:
        hold = self._job.hold
        return {} if hold is None else {HOLD_KEY: hold_to_metadata(hold)}

    def _write_metadata(self, values: dict[str, str]) -> dict[str, str]:
        """What of it is written: nothing where the quota is full, or the policy allows no metadata."""
        try:
            self._refusable("POST", "/metadata", step="write_marker", body={"metadata": values})
        except (Forbidden, TooLarge) as exc:
            self._why_unwritten = exc.message
            return {}
        return values

    def _tell_unwritten(self, wanted: dict[str, str], written: dict[str, str]) -> None:
        """The rescue goes on without what could not be noted with the server."""
        unwritten = {key: value for key, value in wanted.items() if key not in written}
        self._job.unwritten.update(unwritten)
        for key in unwritten:
            code, what, hint = _UNWRITTEN[key]
            self._job.warnings.append(Problem(code, f"{what} cannot be noted with it: {self._why_unwritten}", hint))

    def _remove_marker(self) -> bool:
        there = self._session.memory.shown.get("metadata") or {}
        removed = [self._remove(key) for key in (METADATA_KEY, HOLD_KEY) if key in there]
        return any(removed)

    def _remove(self, key: str) -> bool:
        try:
            self._refusable("DELETE", f"/metadata/{key}", step="remove_marker")
        except NotFound:
            return False
        return True

    def _rescue(self) -> bool:
        wish = self._job.wish
        if "write_marker" not in self._plan.steps:
            self._why_unwritten = f"Nova writes no metadata in {self._before.status}"
            self._tell_unwritten(self._hold(), {})
        options = {
            "adminPass": wish.admin_password,
            "rescue_image_ref": str((self._session.memory.facts.image or {}).get("id", "")),
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
            self._arrive("unrescue", "active")
        history = self._session.memory.history
        if history is not None and history.failed_rescue:
            self._job.warnings.append(_UNPROVEN)
        return True

    def _reboot_hard(self) -> bool:
        self._act({"reboot": {"type": "HARD"}}, step="reboot_hard", goal="active")
        if self._job.wish.wait or not self._plan.ending:
            self._arrive("reboot_hard", "active")
        return True

    def _stop_server(self) -> bool:
        if self._session.observe(self._before.id).vm_state == "stopped":
            return False
        self._act({"os-stop": None}, step="stop_server", goal="stopped")
        self._arrive("stop_server", "stopped")
        return True

    # -- asking

    def _call(self, method: str, path: str, *, step: str, **options: t.Any) -> Answer:
        path = f"/servers/{self._before.id}{path}"
        return self._session.compute(method, path, step=step, server=self._before.name, **options)

    def _refusable(self, method: str, path: str, *, step: str, **options: t.Any) -> Answer:
        """A call that Nova refuses where the server is not as it was when the plan was made."""
        try:
            return self._call(method, path, step=step, **options)
        except CloudError as exc:
            raise self._refused(exc) from exc  # pylint: disable=bad-exception-cause

    def _act(self, body: Json, *, step: str, goal: str) -> Answer | None:
        """Ask for an action, and never twice without looking: None where it took although no answer came back."""
        memory, action = self._session.memory, next(iter(body))
        patience = Patience(self._clock, self._session.deadline)
        self._changed_at = _seconds(memory.shown.get("updated"))
        lost = False
        while True:
            memory.committed, memory.in_doubt = True, False
            try:
                answer = self._call("POST", "/action", step=step, body=body, again=False)
            except CloudError as exc:
                # Of two requests the one that seemed lost may have come first.
                if lost and isinstance(exc, Conflict) and self._took(action, goal=goal):
                    return None
                if not isinstance(exc, (Passing, Surroundings)):
                    raise self._refused(exc) from exc  # pylint: disable=bad-exception-cause
                again = patience.wait(exc)
                # Who is asked to keep away, and has no time for that, does not look either.
                if (again or not isinstance(exc, TooLarge)) and self._took(action, goal=goal):
                    return None
                lost = lost or isinstance(exc, Lost)
                if not again:
                    memory.in_doubt = isinstance(exc, Lost)
                    raise
            else:
                self._job.request_id = answer.request_id
                return answer

    def _took(self, action: str, *, goal: str) -> bool:
        """Whether an action whose answer was lost has reached Nova."""
        now = self._session.observe(self._before.id)
        name = action.replace("os-", "")
        latest = next((one for one in self._session.actions(self._before.id) if one["action"] == name), None)
        # An earlier action began before the server last changed, both by Nova's clock: ours may differ.
        if latest is not None and _seconds(latest["start_time"]) > self._changed_at:
            self._job.request_id = str(latest["request_id"])
            return True
        return now.task_state is not None or now.vm_state == goal

    def _refused(self, exc: CloudError) -> OpenRescueError:
        """A refusal in the light of how the server is now."""
        if isinstance(exc, (BadRequest, Conflict)):
            for pattern, code, hint in _REFUSALS:
                if re.search(pattern, exc.message):
                    return OpenRescueError(exc.message, code=code, hint=hint, step=exc.step, server=self._before.name)
        if not isinstance(exc, Conflict):
            return exc
        now = self._session.observe(self._before.id)
        seen, before = (now.vm_state, now.task_state), (self._before.vm_state, self._before.task_state)
        if seen != before:
            # Somebody else was faster: look again, and plan from there.
            return StateChanged(exc.message, hint=exc.hint, step=exc.step, server=exc.server, retryable=True)
        return exc

    # -- waiting and judging

    def _see_rescued(self) -> None:
        now = self._arrive("rescue", "rescued")
        if now.power_state not in ("running", "unknown"):
            raise OpenRescueError(
                f"the rescue system is not running (power state {now.power_state}), although Nova says RESCUE",
                code="rescue_died",
                hint="See the console of the server; unrescue it, then rescue it with another image",
                step="rescue",
                server=now.name,
            )

    def _arrive(self, step: str, goal: str) -> NovaSituation:
        """The server when Nova has brought it there; raises where Nova has failed, or given it up."""
        looks = 0
        while True:
            now = self._end_of(step)
            if now.vm_state == goal:
                return now
            looks += 1
            # The answer may be older than the action, also than its end: then it is looked at once more.
            given_up = looks > 1 and (self._action().get("message") == "Error" or looks > _LOOKS)
            if given_up or (now.vm_state == "error" and self._before.vm_state != "error"):
                raise self._failed(step, now)
            self._clock.sleep(self._job.wish.poll_interval)

    def _end_of(self, step: str) -> NovaSituation:
        """The server when nothing is being done to it any more."""
        seen: list[NovaSituation] = []

        def look() -> NovaSituation | None:
            seen[:] = [self._session.observe(self._before.id)]
            return seen[0] if seen[0].task_state is None else None

        wish = self._job.wish
        end = wait_until(look, deadline=self._session.deadline, clock=self._clock, poll_interval=wish.poll_interval)
        if end is None:
            raise self._session.stuck(seen[0], wish, step=step)
        return end

    def _action(self) -> Json:
        """What Nova has noted of the request; empty where it has forgotten it."""
        if not self._job.request_id:
            return {}
        try:
            path = f"/os-instance-actions/{self._job.request_id}"
            answer = self._call("GET", path, step="read what became of it", holds="instanceAction")
        except NotFound:
            return {}
        return t.cast("Json", answer.json()["instanceAction"])

    def _failed(self, step: str, now: NovaSituation) -> OpenRescueError:
        if now.vm_state == "error":
            return OpenRescueError(
                f"Nova has failed and left it in ERROR: {now.fault or 'no cause given'}{self._request()}",
                code="server_in_error",
                hint=(
                    "Run this with state: unrescued, which reboots it hard into its own system"
                    " (openstack server reboot --hard), or rescue it with a good image"
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


#: by key of the metadata: code, what it is, what to do
_UNWRITTEN = {
    METADATA_KEY: (
        "unwritten",
        "what unrescue would restore",
        "It is in the result, as unwritten: where the server was off before, stop it after its unrescue",
    ),
    HOLD_KEY: (
        "hold_unwritten",
        "who has it",
        "Nothing keeps others from unrescuing it: tell those who may",
    ),
}
_UNPROVEN = Problem(
    "unproven",
    "an earlier rescue had failed: Nova may have kept that one's definition as the server's own, and booted it now",
    "See that its own system has booted (role verify); where it has not, reboot it hard",
)


def _seconds(moment: t.Any) -> float:
    """Seconds since the epoch of a time as Nova writes it, in UTC."""
    try:
        return float(calendar.timegm(time.strptime(str(moment)[:19], "%Y-%m-%dT%H:%M:%S")))
    except ValueError:
        return 0.0
