# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A proxy in front of the cloud that does to chosen requests what a test asks for, and counts what is on the wire."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import re
import socket
import subprocess
import typing as t

from openrescue_lab.base import wait_until
from openrescue_lab.cloud_host import environment

ADDON = pathlib.Path(__file__).with_name("proxy_addon.py")
ALWAYS = 1_000_000

# requests, for rule()
FIND = r"^GET /v2\.1/servers/detail"
ACTION = r"^POST /v2\.1/servers/[^/]+/action"
MARK = r"^POST /v2\.1/servers/[^/]+/metadata"
SHOW = r"^GET /v2\.1/servers/[0-9a-f-]{36}$"
LOGIN = r"^POST /v3/auth/tokens"
IMAGE = r"^GET /v2/images/"

#: what a web server says that is no API
HTML = "<html><body><h1>It works!</h1></body></html>"
#: headers of a call by the same user
SAME = {"X_Auth_Token": "${token}"}


def rule(match: str, **more: t.Any) -> dict[str, t.Any]:
    """What is done to the requests whose ``METHOD path`` and body match.

    skip, times: let so many pass first, then do it to so many.
    before: calls to the cloud itself, made before the request goes on (see :func:`call`).
    hold_request, hold: seconds to wait before the request, or before its answer, goes on.
    request_body, request_headers, request_method, request_path (pattern, replacement): changes that
    make the cloud itself refuse the request.
    answer: given in place of the cloud's; with forward, the cloud has had the request; with late, it will have it so
    many seconds later.
    replace: (pattern, replacement) on the cloud's answer. drop_service: a service taken from a token's catalogue.
    reset: "before" the cloud has the request, or "after" its answer, the connection is reset.
    """
    return {"match": match, "body": "", "skip": 0, "times": 1, **more}


def answer(status: int, body: t.Any, **headers: str) -> dict[str, t.Any]:
    """An answer; ``retry_after="2"`` is a header, ``retry_after_date="2"`` one with the date of two seconds later."""
    return {
        "status": status,
        "body": body,
        "headers": {name.title().replace("_", "-"): headers[name] for name in headers},
    }


def fault(status: int, name: str, message: str = "", **headers: str) -> dict[str, t.Any]:
    """An error answer as Nova wraps it."""
    return answer(status, {name: {"code": status, "message": message}}, **headers)


def call(method: str, url: str, body: t.Any = None, **headers: str) -> dict[str, t.Any]:
    """A call; ``${token}`` in a header is the token of the request at hand, the body ``${same}`` is its body."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"method": method, "url": url, "body": body, "headers": {"Content-Type": "application/json", **named}}


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _port in range(count)]
        return [one.getsockname()[1] for one in sockets]


@dataclasses.dataclass
class Seen:
    """One request as the proxy saw it; status 0 is a reset connection, and passed says whether the cloud had it."""

    began: float
    ended: float
    method: str
    port: int
    path: str
    body: str
    status: int
    passed: bool
    upstream: int
    hit: bool
    server: list[str] | None


class Proxy:
    """mitmdump with our addon: a proxy for HTTP, and HTTPS in front of one address with a certificate of its own."""

    def __init__(self, directory: pathlib.Path, secure: str) -> None:
        self.directory = directory
        self.put([])
        self.port, self.secure_port = free_ports(2)
        modes = (f"regular@127.0.0.1:{self.port}", f"reverse:{secure}@127.0.0.1:{self.secure_port}")
        self.process = subprocess.Popen(
            [
                environment("proxy") / "bin/mitmdump",
                *("--quiet", "--set", f"confdir={directory}", "--set", "connection_strategy=lazy"),
                *("--scripts", ADDON, "--mode", modes[0], "--mode", modes[1]),
            ],
            env={**os.environ, "OPENRESCUE_PROXY": str(directory), "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
        )
        wait_until("the proxy listens", (directory / "ready").exists, timeout=60)

    @property
    def ca(self) -> str:
        """The authority behind the certificate of the HTTPS side."""
        return str(self.directory / "mitmproxy-ca-cert.pem")

    @property
    def environment(self) -> dict[str, str]:
        """Sends everything through the proxy."""
        return {"http_proxy": f"http://127.0.0.1:{self.port}", "no_proxy": ""}

    def put(self, rules: t.Sequence[dict[str, t.Any]]) -> None:
        """From now on these rules; forget what was seen."""
        (self.directory / "wire.jsonl").write_text("", encoding="utf-8")
        fresh = self.directory / "rules.new"
        fresh.write_text(json.dumps(list(rules)), encoding="utf-8")
        fresh.rename(self.directory / "rules.json")

    @property
    def seen(self) -> list[Seen]:
        """All requests since the rules were put, in the order of their ends."""
        lines = (self.directory / "wire.jsonl").read_text(encoding="utf-8").splitlines()
        return [Seen(**json.loads(line)) for line in lines]

    @property
    def actions(self) -> list[Seen]:
        """The requests to act on a server among them."""
        return [one for one in self.seen if re.search(ACTION, f"{one.method} {one.path}")]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)
