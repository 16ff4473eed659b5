# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs inside mitmdump, in an environment of its own: does to chosen requests what the file of rules says, and notes
every request. See proxy.py for the rules."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pathlib
import re
import socket
import struct
import time
import typing as t
import urllib.error
import urllib.request

from mitmproxy import ctx, http

DIRECTORY = pathlib.Path(os.environ["OPENRESCUE_PROXY"])
#: SO_LINGER on, of no time: closing the socket then sends a reset
RESET = struct.pack("ii", 1, 0)
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Injector:
    """The addon."""

    def __init__(self) -> None:
        self.rules: list[dict[str, t.Any]] = []
        self.loaded = 0
        self.tasks: set[asyncio.Task[None]] = set()

    def running(self) -> None:
        (DIRECTORY / "ready").touch()

    def rule(self, flow: http.HTTPFlow) -> dict[str, t.Any] | None:
        """The first rule that wants this request, counted down."""
        file = DIRECTORY / "rules.json"
        changed = file.stat().st_mtime_ns
        if changed != self.loaded:
            self.rules, self.loaded = json.loads(file.read_text()), changed
        request = f"{flow.request.method} {flow.request.path}"
        for rule in self.rules:
            if not re.search(rule["match"], request) or not re.search(rule["body"], flow.request.get_text() or ""):
                continue
            if rule["skip"] > 0:
                rule["skip"] -= 1
            elif rule["times"] > 0:
                rule["times"] -= 1
                return rule
        return None

    async def request(self, flow: http.HTTPFlow) -> None:
        if flow.is_replay:
            return
        flow.metadata["began"] = time.time()
        rule = flow.metadata["rule"] = self.rule(flow) or {}
        token = flow.request.headers.get("X-Auth-Token", "")
        await asyncio.sleep(rule.get("hold_request", 0))
        for call in rule.get("before", []):
            await asyncio.to_thread(self.call, call, token, flow.request.get_content())
        flow.request.headers.update(rule.get("request_headers", {}))
        flow.request.text = rule.get("request_body", flow.request.text)
        flow.request.method = rule.get("request_method", flow.request.method)
        flow.request.path = re.sub(*rule.get("request_path", ("^$", "")), flow.request.path)
        if rule.get("reset") == "before":
            self.note(flow, 0, passed=False)
            self.cut(flow)
        elif "answer" in rule and not rule.get("forward"):
            if rule.get("late"):
                self.later(flow.copy(), rule["late"])
            self.answer(flow, rule["answer"])
            self.note(flow, flow.response.status_code, passed=False)

    async def response(self, flow: http.HTTPFlow) -> None:
        rule = flow.metadata.get("rule")
        if rule is None or flow.metadata.get("noted"):
            return
        upstream = flow.response.status_code
        await asyncio.sleep(rule.get("hold", 0))
        if rule.get("reset") == "after":
            self.note(flow, 0, passed=True, upstream=upstream)
            self.cut(flow)
            return
        if "answer" in rule:
            self.answer(flow, rule["answer"])
        for old, new in rule.get("replace", []):
            flow.response.text = re.sub(old, new, flow.response.text)
        if "drop_service" in rule:
            drop_service(flow.response, rule["drop_service"])
        self.note(flow, flow.response.status_code, passed=True, upstream=upstream)

    def error(self, flow: http.HTTPFlow) -> None:
        if "rule" in flow.metadata and not flow.metadata.get("noted"):
            self.note(flow, 0, passed=True)

    def later(self, flow: http.HTTPFlow, seconds: float) -> None:
        async def hand_over() -> None:
            await asyncio.sleep(seconds)
            ctx.master.commands.call("replay.client", [flow])

        self.tasks.add(asyncio.get_running_loop().create_task(hand_over()))

    def answer(self, flow: http.HTTPFlow, given: dict[str, t.Any]) -> None:
        body = given["body"] if isinstance(given["body"], str) else json.dumps(given["body"])
        headers = {"Content-Type": "application/json", "Connection": "close", **given["headers"]}
        if "Retry-After-Date" in headers:
            moment = time.gmtime(time.time() + float(headers.pop("Retry-After-Date")))
            headers["Retry-After"] = time.strftime("%a, %d %b %Y %H:%M:%S GMT", moment)
        flow.response = http.Response.make(given["status"], body, headers)

    def call(self, call: dict[str, t.Any], token: str, body: bytes | None) -> None:
        """Something that happens to the cloud meanwhile; whether the cloud agrees is the test's to see."""
        headers = {name: value.replace("${token}", token) for name, value in call["headers"].items()}
        data = body if call["body"] == "${same}" else json.dumps(call["body"]).encode() if call["body"] else None
        request = urllib.request.Request(call["url"], data, headers, method=call["method"])
        with contextlib.suppress(urllib.error.HTTPError), DIRECT.open(request, timeout=30) as answer:
            answer.read()

    def cut(self, flow: http.HTTPFlow) -> None:
        """Reset the client's connection: a real RST, and no answer."""
        for handler in ctx.master.addons.get("proxyserver").connections.values():
            if handler.client.id == flow.client_conn.id:
                writer = handler.transports[handler.client].writer
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                writer.transport.abort()
        if flow.killable:
            flow.kill()

    def note(self, flow: http.HTTPFlow, status: int, *, passed: bool, upstream: int = 0) -> None:
        flow.metadata["noted"] = True
        seen = None
        if flow.response is not None:
            with contextlib.suppress(ValueError, KeyError, TypeError):
                server = json.loads(flow.response.text)["server"]
                seen = [server["OS-EXT-STS:vm_state"], server["OS-EXT-STS:task_state"]]
        line = {
            "began": flow.metadata["began"],
            "ended": time.time(),
            "method": flow.request.method,
            "port": flow.request.port,
            "path": flow.request.path,
            "body": flow.request.get_text() if flow.request.path.endswith("/action") else "",
            "status": status,
            "passed": passed,
            "upstream": upstream,
            "hit": bool(flow.metadata["rule"]),
            "server": seen,
        }
        with (DIRECTORY / "wire.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def drop_service(response: http.Response, kind: str) -> None:
    """A token's catalogue without one service."""
    body = json.loads(response.text)
    body["token"]["catalog"] = [one for one in body["token"]["catalog"] if one["type"] != kind]
    response.text = json.dumps(body)


addons = [Injector()]
