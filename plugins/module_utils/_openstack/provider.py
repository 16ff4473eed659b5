# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers on OpenStack: what is seen of them, and what stands in the way.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t
import urllib.parse
import uuid

from .._errors import OpenRescueError
from .._server import refusals
from .._server.plan import Plan
from .._server.provider import Provider
from .._time import wait_until
from . import plan as nova_plan
from .connection import Connection
from .facts import find_image, nova_facts
from .preflight import blockers, warnings
from .run import NovaRun
from .server import Json, situation, versions_in

if t.TYPE_CHECKING:
    from .._server.model import Job, Problem, Situation, Wish
    from .._time import Clock, Deadline
    from .errors import Answer

__all__ = ("OpenStackProvider",)

#: the newest microversion whose answers are known here: 2.98 shows the properties of the server's image
_NEWEST = (2, 98)


class OpenStackProvider(Provider):
    """One project of one cloud."""

    name = "openstack"

    def __init__(self, params: t.Mapping[str, t.Any], *, clock: Clock) -> None:
        self.connection = Connection(params, clock=clock)
        self.clock = clock
        #: lowest and highest microversion of the Compute API
        self.versions = ((2, 1), (2, 1))
        #: the server as it was last seen, and the rescue image that preflight has found
        self.shown: Json = {}
        self.image: Json | None = None
        #: whether Nova has been asked for something: from then on its own faults are waited out
        self.committed = False
        #: whether nobody knows if it has heard that
        self.in_doubt = False
        self._fresh = False

    def connect(self, deadline: Deadline) -> None:
        self.deadline = deadline
        self.connection.open(deadline)
        self.versions = versions_in(self.connection.version_document("compute", deadline=deadline).json())

    def close(self) -> None:
        self.connection.close()

    @property
    def microversion(self) -> tuple[int, int]:
        """What is spoken with this cloud."""
        return min(self.versions[1], _NEWEST)

    def compute(self, method: str, path: str, *, step: str, server: str = "", **options: t.Any) -> Answer:
        """One call of the Compute API, within the deadline of this server."""
        return self.connection.call(
            method,
            "compute",
            path,
            step=step,
            server=server,
            deadline=self.deadline,
            microversion="{}.{}".format(*self.microversion),
            patient=self.committed,
            **options,
        )

    # -- finding and seeing

    def find(self, asked: str) -> tuple[str, str]:
        fitting = self._by_id(asked) or self._by_name(asked)
        found = refusals.the_one(
            [(str(one["id"]), str(one["name"])) for one in fitting],
            asked=asked,
            kind="server",
            key="ID",
            place=f"in this project of {self.connection.name}",
            names=lambda: self._names(asked),
            listing="openstack server list",
        )
        self.shown, self._fresh = fitting[0], True
        return found

    def _by_id(self, asked: str) -> list[Json]:
        try:
            key = str(uuid.UUID(asked))
        except ValueError:
            return []
        try:
            return [self._show(key)]
        except OpenRescueError as exc:
            if exc.code != "not_found":
                raise
            return []

    def _by_name(self, asked: str) -> list[Json]:
        # The filter is a regular expression of the database, which may also ignore case.
        wanted = urllib.parse.quote(f"^{re.escape(asked)}$", safe="")
        answer = self.compute(
            "GET", f"/servers/detail?name={wanted}", step="look for it", server=asked, holds="servers"
        )
        return [server for server in answer.json()["servers"] if server["name"] == asked]

    def _names(self, asked: str) -> list[str]:
        answer = self.compute("GET", "/servers", step="look for it", server=asked, holds="servers")
        return [str(server["name"]) for server in answer.json()["servers"]]

    def _show(self, server: str) -> Json:
        answer = self.compute("GET", f"/servers/{server}", step="look at it", holds="server")
        return t.cast("Json", answer.json()["server"])

    def observe(self, server: str) -> Situation:
        # Finding it has shown it already.
        if not (self._fresh and self.shown.get("id") == server):
            self.shown = self._show(server)
        self._fresh = False
        shown = self.shown
        now = situation(shown)
        if now.vm_state == "active" and now.marker is not None and now.marker.power == "shutdown":
            actions = self.actions(server)
            return situation(shown, left_running=bool(actions) and actions[0]["action"] == "unrescue")
        return now

    def actions(self, server: str) -> list[Json]:
        """What was asked of the server, the latest first."""
        path = f"/servers/{server}/os-instance-actions"
        answer = self.compute("GET", path, step="read what was done to it", holds="instanceActions")
        return t.cast("list[Json]", answer.json()["instanceActions"])

    def settle(self, now: Situation, wish: Wish) -> Situation:
        """Wait for the end of what Nova is doing to the server, whoever has asked for it."""
        if now.task_state is None or not wish.wait:
            return now

        def look() -> Situation | None:
            seen = self.observe(now.id)
            return seen if seen.task_state is None else None

        settled = wait_until(look, deadline=self.deadline, clock=self.clock, poll_interval=wish.poll_interval)
        if settled is None:
            raise self.stuck(now, wish)
        return settled

    def stuck(self, now: Situation, wish: Wish) -> OpenRescueError:
        """The server is in transit, and the time is up."""
        return OpenRescueError(
            f"it is still {now.task_state} after {wish.timeout:.0f} s (status {now.status})",
            code="stuck",
            hint=(
                "Run this again, with a longer timeout where its host is slow. Where its compute service was restarted"
                " meanwhile, nothing ends it by itself: an administrator sees to the service, then resets the state"
                " (nova reset-state --active, or openstack server set --state active), and this can be run again"
            ),
            step=now.task_state or wish.state,
            server=now.name,
            retryable=True,
        )

    def console_log(self, server: str) -> str:
        body: Json = {"os-getConsoleOutput": {}}
        path = f"/servers/{server}/action"
        answer = self.compute("POST", path, step="read the console", server=server, body=body, holds="output")
        return str(answer.json()["output"])

    def describe(self) -> dict[str, t.Any]:
        return {"extension": self._extension(), "microversion": "{}.{}".format(*self.microversion)}

    def _extension(self) -> dict[str, t.Any]:
        """What the extension query says of ``os-rescue``, and what the cloud offers, which that query never told."""
        try:
            answer = self.compute("GET", "/extensions/os-rescue", step="query the extension", holds="extension")
            found = answer.json()["extension"]
        except OpenRescueError as exc:
            if exc.code != "not_found":
                raise
            found = {}
        lowest, highest = self.versions
        return {
            "found": bool(found),
            **{key: found.get(key) for key in ("alias", "name", "description", "updated", "namespace")},
            "microversions": {"minimum": "{}.{}".format(*lowest), "maximum": "{}.{}".format(*highest)},
            "volume_backed": highest >= (2, 87),
        }

    # -- deciding

    def image_id(self, asked: str) -> str:
        """The ID of an image; raises where there is not exactly one."""
        return str(find_image(self, asked)["id"])

    def plan(self, now: Situation, wish: Wish) -> Plan:
        try:
            return nova_plan.plan(now, wish)
        except OpenRescueError as exc:
            marker = now.marker
            # The same image may have been asked for by another name.
            if exc.code != "rescued_otherwise" or marker is None or not wish.image:
                raise
            if self.image_id(wish.image) != marker.image and not self._rescued_anew(now.id):
                raise
            return Plan()

    def _rescued_anew(self, server: str) -> bool:
        """Whether the marker is that of an earlier rescue that failed: in ERROR it cannot be written anew."""
        since = []
        for action in self.actions(server):
            if action["action"] == "unrescue":
                break
            since.append(action["action"])
        return since.count("rescue") > 1

    def predict(self, now: Situation, plan: Plan, wish: Wish) -> Situation:
        return nova_plan.predict(now, plan, wish)

    def way_back(self, now: Situation, wish: Wish) -> Plan | None:  # noqa: ARG002
        if self.in_doubt or now.marker is None or now.task_state is not None or now.vm_state not in nova_plan.PREVIOUS:
            return None
        return Plan(steps=("remove_marker",), ending=True)

    def preflight(self, now: Situation, wish: Wish) -> tuple[list[Problem], list[Problem]]:
        facts = nova_facts(self, self.shown, wish)
        self.image = facts.image
        return blockers(now, wish, facts), warnings(now, wish, facts)

    def begin(self, now: Situation, plan: Plan, job: Job, deadline: Deadline) -> NovaRun:  # noqa: ARG002
        return NovaRun(self, now, job)
