# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""server_rescue on the small real cloud: what it costs beside Nova's own work and the openstack command line."""

from __future__ import annotations

import calendar
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import time
import typing as t

from . import modules
from .base import say
from .cloud import Cloud

#: seconds between two looks at a server, as the module has it by default
POLL_INTERVAL = 2.0


def bench(cloud: Cloud, *, rounds: int) -> dict[str, dict[str, float]]:
    """A server without a system, rescued and unrescued: CPU, time after Nova's own end, API calls."""
    cpu: dict[str, list[float]] = {"server_rescue": [], "openstack server show": []}
    late: list[float] = []
    calls: list[float] = []
    idle: list[float] = []
    with cloud.server("bench-cloud", "blank-quick") as server:
        show = [str(pathlib.Path(sys.executable).with_name("openstack")), "server", "show", server.id, "-f", "json"]
        for number in range(rounds):
            before = requests(cloud, server.id)
            rescued = server_rescue(cloud, server.id, state="rescued", rescue_image="blank-rescue")
            returned = time.time()
            calls.append(requests(cloud, server.id) - before)
            late.append(returned - ended(cloud, server.id, rescued["request_id"]))
            before = requests(cloud, server.id)
            cpu["server_rescue"].append(
                cpu_of(lambda: server_rescue(cloud, server.id, state="rescued", rescue_image="blank-rescue"))
            )
            idle.append(requests(cloud, server.id) - before)
            cpu["openstack server show"].append(
                cpu_of(lambda: subprocess.run(show, env=cloud.environment(), check=True, capture_output=True))
            )
            server_rescue(cloud, server.id, state="unrescued")
            say(f"cloud {number + 1}/{rounds}: {late[-1]:.2f} s after Nova's end")
    middle = {name: statistics.median(values) for name, values in cpu.items()}
    return {
        "cpu": {**middle, "ratio": middle["server_rescue"] / middle["openstack server show"]},
        "late": {
            "after Nova's end": statistics.median(late),
            "poll interval": POLL_INTERVAL,
            "ratio": statistics.median(late) / POLL_INTERVAL,
        },
        "calls": {
            "rescue, polls included": statistics.median(calls),
            "unchanged": statistics.median(idle),
            "ratio": statistics.median(idle) / statistics.median(calls),
        },
    }


def server_rescue(cloud: Cloud, server: str, **options: t.Any) -> dict[str, t.Any]:
    """Run the module; the server's result."""
    arguments = {"cloud": "lab", "server": server, **options}
    return modules.call("server_rescue", arguments, env=cloud.environment()).must_end_well()


def cpu_of(call: t.Callable[[], object]) -> float:
    """Processor time of the processes that the call starts and waits for."""

    def used() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before = used()
    call()
    return used() - before


def requests(cloud: Cloud, server: str) -> float:
    """How many calls Nova has answered about a server, by the API's own log."""
    asked = re.compile(rf'"(?:GET|POST|PUT|DELETE) /v2\.1/servers/{server}[/" ]')
    return float(len(asked.findall(cloud.log("nova-api").read_text(encoding="utf-8", errors="replace"))))


def ended(cloud: Cloud, server: str, request: str) -> float:
    """When Nova's compute service had done what was asked, in seconds since the epoch."""
    path = f"/servers/{server}/os-instance-actions/{request}"
    action = cloud.connect().compute.get(path, microversion="2.51").json()["instanceAction"]
    moments = [event["finish_time"] for event in action["events"] if event["finish_time"]]
    whole, _dot, part = max(moments).partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float(f"0.{part or 0}")
