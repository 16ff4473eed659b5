# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One server of OpenStack within one call: what is seen of it, what stands in the way, and what is to be done.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t
import urllib.parse
import uuid

from .._errors import OpenRescueError
from .._server import refusals
from .._server.hold import is_alive
from .._server.model import Life, Problem
from .._server.plan import Plan
from .._server.process import is_running
from .._server.provider import Session
from .._time import wait_until
from . import plan as nova_plan
from .errors import CellDown, Conflict, Forbidden, NotFound, TooLarge
from .facts import find_image, nova_facts, shared_volumes
from .model import NovaSituation
from .plan import History
from .preflight import NovaFacts, blockers, warnings
from .run import NovaRun
from .server import HOLD_KEY, DiskFacts, Json, disk_facts_in, hold_to_metadata, is_partial, situation, volumes_of

if t.TYPE_CHECKING:
    from .._server.hold import Hold
    from .._server.model import Job, Wish
    from .._time import Deadline
    from .errors import Answer
    from .provider import OpenStackProvider

__all__ = ("OpenStackSession",)

_CELL_HINT = "Wait until its cell is back, or tell the administrators of the cloud, then run this again"


@dataclasses.dataclass
class Memory:
    """What is known of the one server at hand: each has a memory of its own."""

    #: the server as it was last seen, and whether nobody has looked at that yet
    shown: Json = dataclasses.field(default_factory=dict)
    fresh: bool = False
    #: what preflight has found, and what was asked of the server before
    facts: NovaFacts = dataclasses.field(default_factory=NovaFacts)
    history: History | None = None
    #: what this run knows of its disks
    disks: DiskFacts | None = None
    #: whether Nova has been asked for something: from then on its own faults are waited out
    committed: bool = False
    #: whether nobody knows if it has heard that
    in_doubt: bool = False


class OpenStackSession(Session[NovaSituation]):
    """See :class:`Session`."""

    def __init__(self, provider: OpenStackProvider, deadline: Deadline) -> None:
        self.provider = provider
        self.deadline = deadline
        self.connection = provider.connection
        self.clock = provider.clock
        self.memory = Memory()

    @property
    def microversion(self) -> tuple[int, int]:
        """What is spoken with this cloud."""
        return self.provider.microversion

    def compute(self, method: str, path: str, *, step: str, server: str = "", **options: t.Any) -> Answer:
        """One call of the Compute API, within the deadline of this server."""
        return self.provider.compute(
            method, path, step=step, server=server, deadline=self.deadline, faults_too=self.memory.committed, **options
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
        self.memory.shown, self.memory.fresh = fitting[0], True
        return found

    def _by_id(self, asked: str) -> list[Json]:
        try:
            key = str(uuid.UUID(asked))
        except ValueError:
            return []
        try:
            return [self._show(key)]
        except NotFound:
            return []

    def _by_name(self, asked: str) -> list[Json]:
        # The filter is a regular expression of the database, which may also ignore case.
        wanted = urllib.parse.quote(f"^{re.escape(asked)}$", safe="")
        answer = self.compute(
            "GET", f"/servers/detail?name={wanted}", step="look for it", server=asked, holds="servers"
        )
        return [server for server in answer.json()["servers"] if server.get("name") == asked]

    def _names(self, asked: str) -> list[str]:
        """The names of all servers; raises where it may be one of those whose names cannot be told."""
        answer = self.compute("GET", "/servers", step="look for it", server=asked, holds="servers")
        servers = answer.json()["servers"]
        nameless = [server for server in servers if is_partial(server)]
        if nameless:
            raise CellDown(
                f"it is not among the servers that Nova can name, and {len(nameless)} of this project are in a cell"
                " that does not answer",
                hint=_CELL_HINT,
                step="look for it",
                server=asked,
                retryable=True,
            )
        return [str(server["name"]) for server in servers]

    def _show(self, server: str) -> Json:
        answer = self.compute("GET", f"/servers/{server}", step="look at it", holds="server")
        shown = t.cast("Json", answer.json()["server"])
        if is_partial(shown):
            raise CellDown(
                f"its cell does not answer: Nova tells no more of it than its ID {server}",
                hint=_CELL_HINT,
                step="look at it",
                retryable=True,
            )
        return shown

    def observe(self, server: str) -> NovaSituation:
        memory = self.memory
        # Finding it has shown it already.
        if not (memory.fresh and memory.shown.get("id") == server):
            memory.shown = self._show(server)
        memory.fresh = False
        seen = situation(memory.shown, disks=self._disks(memory.shown))
        if seen.hold is None:
            return seen
        running = is_running(seen.hold.run) if seen.hold.run else None
        alive = is_alive(seen.hold, running=running, now=self.clock.wall())
        return dataclasses.replace(seen, hold_alive=alive)

    def life(self, now: NovaSituation) -> Life:
        if now.vm_state == "error" and now.power_state != "running":
            return Life("down", f"Nova says {now.status}: {now.fault or 'no cause given'}", "power_state")
        return super().life(now)

    def _disks(self, shown: Json) -> DiskFacts | None:
        """What is known of the disks of a rescued server; None of any other."""
        known = self.memory.disks or disk_facts_in(shown.get("metadata") or {})
        if known is not None or shown.get("OS-EXT-STS:vm_state") != "rescued":
            return known
        # Rescued by other means, with what image nobody knows. From a volume Nova rescues in one way only.
        volumes = volumes_of(shown)
        shared = shared_volumes(self, volumes) if volumes else frozenset()
        self.memory.disks = DiskFacts(hidden=bool(shown.get("image")), shared=shared)
        return self.memory.disks

    def actions(self, server: str) -> list[Json]:
        """What was asked of the server, the latest first."""
        path = f"/servers/{server}/os-instance-actions"
        answer = self.compute("GET", path, step="read what was done to it", holds="instanceActions")
        return t.cast("list[Json]", answer.json()["instanceActions"])

    def settle(self, now: NovaSituation, wish: Wish) -> NovaSituation:
        """Wait for the end of what Nova is doing to the server, whoever has asked for it."""
        if now.task_state is None or not wish.wait:
            return now

        def look() -> NovaSituation | None:
            seen = self.observe(now.id)
            return seen if seen.task_state is None else None

        settled = wait_until(look, deadline=self.deadline, clock=self.clock, poll_interval=wish.poll_interval)
        if settled is None:
            raise self.stuck(now, wish, step=now.task_state)
        return settled

    def stuck(self, now: NovaSituation, wish: Wish, *, step: str) -> OpenRescueError:
        """The server is in transit, and the time is up."""
        return OpenRescueError(
            f"it is still {now.task_state} after {wish.timeout:.0f} s (status {now.status})",
            code="stuck",
            hint=(
                "Run this again, with a longer timeout where its host is slow. Where its compute service was restarted"
                " meanwhile, nothing ends it by itself: an administrator sees to the service, then resets the state"
                " (nova reset-state --active, or openstack server set --state active), and this can be run again"
            ),
            step=step,
            server=now.name,
            retryable=True,
        )

    def console_begins_anew(self, server: str) -> bool:  # noqa: ARG002
        # Nova's libvirt driver has the log begin anew at each start (LibvirtConfigGuestCharDeviceLog).
        return True

    def console_log(self, server: str) -> str:
        body: Json = {"os-getConsoleOutput": {}}
        path = f"/servers/{server}/action"
        answer = self.compute("POST", path, step="read the console", server=server, body=body, holds="output")
        return str(answer.json()["output"])

    # -- deciding

    def plan(self, now: NovaSituation, wish: Wish) -> Plan:
        self.memory.history = self._history(now, wish)
        # The same image may have been asked for by another name.
        look_up = bool(wish.image) and nova_plan.is_another_image(now, wish)
        image = str(find_image(self, wish.image)["id"]) if look_up else ""
        return nova_plan.plan(now, wish, history=self.memory.history, image=image)

    def unheeded(self, now: NovaSituation, wish: Wish) -> list[Problem]:  # noqa: ARG002
        given = {
            "admin_password": wish.admin_password,
            "ssh_authorized_keys": wish.ssh_authorized_keys,
            "user_data": wish.user_data,
        }
        options = [option for option, value in given.items() if value]
        if not options:
            return []
        return [
            Problem(
                "unheeded",
                f"it is rescued already, and {', '.join(options)} changes nothing of that",
                "Unrescue it first (state: unrescued), then rescue it as you want",
            )
        ]

    def _history(self, now: NovaSituation, wish: Wish) -> History:
        if not nova_plan.needs_history(now, wish):
            return History()
        return nova_plan.history_of(self.actions(now.id))

    def predict(self, now: NovaSituation, plan: Plan, wish: Wish) -> NovaSituation:
        return nova_plan.predict(now, plan, wish)

    def way_back(self, now: NovaSituation, wish: Wish) -> Plan | None:  # noqa: ARG002
        settled = now.task_state is None and now.vm_state in nova_plan.PREVIOUS
        if self.memory.in_doubt or now.marker is None or not settled:
            return None
        return Plan(steps=("remove_marker",), ending=True)

    def preflight(self, now: NovaSituation, wish: Wish) -> tuple[list[Problem], list[Problem]]:
        memory = self.memory
        if memory.history is None:
            memory.history = self._history(now, wish)
        facts = nova_facts(self, memory.shown, wish)
        memory.facts = dataclasses.replace(facts, failed_rescue=memory.history.failed_rescue)
        return blockers(now, wish, memory.facts), warnings(now, wish, memory.facts)

    def begin(self, now: NovaSituation, plan: Plan, job: Job) -> NovaRun:
        return NovaRun(self, now, plan, job)

    def keep_hold(self, now: NovaSituation, hold: Hold | None) -> Problem | None:
        if now.vm_state not in nova_plan.PREVIOUS:
            return _cannot_write(now, hold)
        path = f"/servers/{now.id}/metadata"
        try:
            if hold is not None:
                body = {"metadata": {HOLD_KEY: hold_to_metadata(hold)}}
                self.compute("POST", path, step="keep the hold", server=now.name, body=body)
            else:
                self.compute("DELETE", f"{path}/{HOLD_KEY}", step="release the hold", server=now.name)
        except NotFound:
            pass
        except (Conflict, Forbidden, TooLarge) as exc:
            return Problem("hold_unwritten", f"who has it cannot be noted with the server: {exc.message}", exc.hint)
        return None


def _cannot_write(now: NovaSituation, hold: Hold | None) -> Problem | None:
    """In RESCUE and in ERROR Nova writes no metadata: others go on reading of who had it before."""
    before = now.hold
    if hold is None or (before is not None and (before.owner, before.run) == (hold.owner, hold.run)):
        return None
    had = "nobody is noted there" if before is None else f"it still says that it is {before}"
    return Problem(
        "hold_unwritten",
        f"Nova writes no metadata in {now.status}, so who has it now cannot be noted with the server: {had}",
        "Tell those who may read it; after unrescue the note is gone",
    )
