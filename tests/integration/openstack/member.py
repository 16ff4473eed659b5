# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A project member of the lab's cloud: servers in every state, and the modules against them."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import os
import pathlib
import signal
import subprocess
import sys
import typing as t

from openrescue_lab import modules
from openrescue_lab.base import run, wait_until
from openrescue_lab.cloud import COMMAND, Cloud

Result = dict[str, t.Any]


@dataclasses.dataclass
class Member:
    """Runs the modules as a member of the project, and looks at the servers as an administrator."""

    cloud: Cloud
    name: str = "lab"
    python: str = sys.executable

    def __post_init__(self) -> None:
        self.user = self.cloud.connect(self.name)
        self.admin = self.cloud.connect("lab-admin")

    def start(self, name: str, **params: t.Any) -> subprocess.Popen[str]:
        """Start a module."""
        env = self.cloud.environment(self.name)
        return modules.start(name, self._given(name, **params), env=env, python=self.python)

    def module(self, name: str, **params: t.Any) -> Result:
        """What a module returns; a failure has ``failed`` and ``msg``."""
        env = self.cloud.environment(self.name)
        return modules.call(name, self._given(name, **params), env=env, python=self.python).values

    def _given(self, name: str, *, check: bool = False, **params: t.Any) -> Result:
        given = {"cloud": self.name, "timeout": 90, "poll_interval": 0.3, **params, "_ansible_check_mode": check}
        if name != "server_rescue":
            given.pop("poll_interval")
        return given

    def rescue(self, server: str, **params: t.Any) -> Result:
        """Rescue with the image that suits servers without a system."""
        return self.module(
            "server_rescue", server=server, state="rescued", **{"rescue_image": "blank-rescue", **params}
        )

    def unrescue(self, server: str, **params: t.Any) -> Result:
        return self.module("server_rescue", server=server, state="unrescued", **params)

    def info(self, server: str, **params: t.Any) -> Result:
        return t.cast("Result", self.module("server_rescue_info", server=server, **params)["server"])

    @contextlib.contextmanager
    def at_the_same_time(self, call: t.Callable[[], Result]) -> t.Iterator[concurrent.futures.Future[Result]]:
        """A run in the background; ended when the block is."""
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            yield pool.submit(call)

    # -- how a server is, and how it is brought there

    def seen(self, server: str) -> tuple[str, str | None]:
        """Status and task state."""
        now = self.admin.compute.get_server(server)
        return now.status, now.task_state

    def metadata(self, server: str) -> dict[str, str]:
        return dict(self.admin.compute.get_server(server).metadata)

    def actions(self, server: str) -> list[str]:
        """What Nova was asked to do with the server, the latest first; to read its console is none."""
        listed = self.admin.compute.get(f"/servers/{server}/os-instance-actions").json()["instanceActions"]
        return [one["action"] for one in listed]

    def act(self, server: str, body: Result, *, microversion: str = "2.87") -> None:
        """An action by the API itself, past the module."""
        answer = self.admin.compute.post(f"/servers/{server}/action", json=body, microversion=microversion)
        assert answer.status_code < 300, answer.text

    def until(self, server: str, *statuses: str) -> None:
        self.cloud.wait(server, *statuses)

    @contextlib.contextmanager
    def image(self, name: str, **more: t.Any) -> t.Iterator[str]:
        """An image of the member's own, of a megabyte of zeros; ``data=None`` leaves it queued."""
        data = more.pop("data", b"\0" * (1 << 20))
        values = {"disk_format": "raw", "container_format": "bare", "visibility": "private", **more}
        image = self.user.image.post("/images", json={"name": name, **values}).json()["id"]
        try:
            if data is not None:
                headers = {"Content-Type": "application/octet-stream"}
                self.user.image.put(f"/images/{image}/file", data=data, headers=headers)
            yield str(image)
        finally:
            self.user.image.delete(f"/images/{image}")

    @contextlib.contextmanager
    def flavor(self, name: str, like: str, **values: t.Any) -> t.Iterator[str]:
        """A flavor that goes to the same host as another one."""
        there = self.admin.compute.find_flavor(like, get_extra_specs=True)
        sizes = {"ram": there.ram, "vcpus": there.vcpus, "disk": there.disk, **values}
        made = self.admin.compute.create_flavor(name=name, **sizes)
        self.admin.compute.create_flavor_extra_specs(made, there.extra_specs)
        try:
            yield name
        finally:
            self.admin.compute.delete_flavor(made)

    # -- the services below

    @contextlib.contextmanager
    def frozen(self, service: str) -> t.Iterator[None]:
        """A service that stands still: what it is asked to do is under way until the block ends."""
        stopped = self._signal(service, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in stopped:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def thaw(self, service: str) -> None:
        """Let a frozen service go on before its block ends."""
        self._signal(service, signal.SIGCONT)

    def action_ended(self, server: str, action: str) -> None:
        """Wait until Nova has noted an end of the latest action of that name."""

        def over() -> bool:
            path = f"/servers/{server}/os-instance-actions"
            latest = next(
                one for one in self.admin.compute.get(path).json()["instanceActions"] if one["action"] == action
            )
            events = self.admin.compute.get(f"{path}/{latest['request_id']}").json()["instanceAction"]["events"]
            return bool(events) and all(event["result"] for event in events)

        wait_until(f"{action} of {server} has ended", over, timeout=60, interval=0.5)

    def _signal(self, service: str, number: signal.Signals) -> list[int]:
        rows = (line.split("\t") for line in run(COMMAND, "status").splitlines())
        [pid] = [int(row[1]) for row in rows if row[0] == service]
        tree = _descendants(pid)
        for one in tree:
            os.kill(one, number)
        return tree

    def in_task(self, server: str, task: str) -> None:
        """Wait until Nova does that to the server."""
        wait_until(f"{server} is {task}", lambda: self.seen(server)[1] == task, timeout=30, interval=0.1)


def _descendants(pid: int) -> list[int]:
    """Processes below that one, which itself only watches them."""
    children = [int(word) for word in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [one for child in children for one in (child, *_descendants(child))]
