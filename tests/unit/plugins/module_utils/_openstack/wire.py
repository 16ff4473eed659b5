# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small cloud at the end of the wire: Nova, Glance and Cinder as far as a rescue meets them, scripted to misbehave.

Everything of the collection down to the SDK's session is real. What the real Nova does is seen in tests/integration.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import re
import time
import typing as t
import urllib.parse

Json = dict[str, t.Any]

SERVER = "11111111-1111-4111-8111-111111111111"
OWN = "22222222-2222-4222-8222-222222222222"
RESCUE = "33333333-3333-4333-8333-333333333333"
VOLUME = "44444444-4444-4444-8444-444444444444"
PROJECT = "p-1"
STATUS = {"active": "ACTIVE", "stopped": "SHUTOFF", "rescued": "RESCUE", "error": "ERROR"}


class Response:
    """What requests gives."""

    def __init__(self, status: int, body: t.Any = None, **headers: str) -> None:
        self.status_code = status
        self.text = body if isinstance(body, str) else json.dumps(body)
        self.headers = {"x-openstack-request-id": "req-x", **headers}


def fault(status: int, message: str = "no", name: str = "fault", **headers: str) -> Response:
    return Response(status, {name: {"code": status, "message": message}}, **headers)


@dataclasses.dataclass
class Rule:
    """What happens to the requests whose ``METHOD path`` match: so many pass first, then so many are met.

    :param answer: in place of the cloud's; an exception is raised. ``forward``: the cloud has had the request.
    :param stale: the server as it was before the last action, in place of how it is.
    """

    match: str
    answer: Response | Exception | None = None
    skip: int = 0
    times: int = 1
    forward: bool = False
    stale: bool = False
    before: t.Callable[[], None] = lambda: None


@dataclasses.dataclass
class Clock:
    """Time that passes by sleeping alone."""

    now: float = 1_700_000_000.0

    def monotonic(self) -> float:
        return self.now

    wall = monotonic

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Cloud:
    """One project with one server, and the session that leads to it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.rules: list[Rule] = []
        self.wire: list[str] = []
        self.bodies: list[Json] = []
        self.actions: list[Json] = []
        self.images = {OWN: image(OWN, "own"), RESCUE: image(RESCUE, "rescue")}
        self.volumes: dict[str, Json] = {}
        self.metadata_limit = 128
        #: how the next actions end: a vm_state, or ``reverted``
        self.ends: dict[str, list[str]] = {}
        self._pending: tuple[int, str] = (0, "")
        self.server: Json = {
            "id": SERVER,
            "name": "web1",
            "metadata": {},
            "image": {"id": OWN},
            "flavor": {"ephemeral": 0, "swap": 0, "extra_specs": {}},
            "OS-SRV-USG:launched_at": "2026-11-01T00:00:00",
            "OS-EXT-STS:task_state": None,
            "os-extended-volumes:volumes_attached": [],
        }
        self.be("active")
        self.before = copy.deepcopy(self.server)
        # -- the parts of the SDK that are used
        self.timeout = 60
        self.auth = self
        self.role_names = ["member"]
        self.endpoints = {
            "compute": "http://nova/v2.1",
            "image": "http://glance/v2",
            "block-storage": f"http://cinder/v3/{PROJECT}",
        }

    # -- as an SDK region, session and token

    name = "unit"

    def get_session(self) -> Cloud:
        return self

    def get_session_endpoint(self, service: str) -> str | None:
        return self.endpoints.get(service)

    def get_access(self, _session: t.Any) -> Cloud:
        return self

    def get_project_id(self) -> str:
        return PROJECT

    def get_user_id(self) -> str:
        return "u-1"

    def request(self, url: str, method: str, **options: t.Any) -> Response:
        parts = urllib.parse.urlsplit(url)
        asked = f"{method} {parts.path}" + (f"?{parts.query}" if parts.query else "")
        self.wire.append(asked)
        if options.get("json") is not None:
            self.bodies.append(options["json"])
        for rule in self.rules:
            if not re.search(rule.match, asked):
                continue
            if rule.skip > 0:
                rule.skip -= 1
            elif rule.times > 0:
                rule.times -= 1
                return self._ruled(rule, asked, options.get("json"))
        return self._answer(asked, options.get("json"))

    def _ruled(self, rule: Rule, asked: str, body: t.Any) -> Response:
        rule.before()
        if rule.stale:
            return Response(200, {"server": self.before})
        if rule.forward or rule.answer is None:
            answer = self._answer(asked, body)
            if rule.answer is None:
                return answer
        if isinstance(rule.answer, Exception):
            raise rule.answer
        return rule.answer

    # -- as a cloud

    def be(self, vm_state: str, power: int | None = None) -> None:
        self.server.update(
            {
                "status": STATUS.get(vm_state, vm_state.upper()),
                "OS-EXT-STS:vm_state": vm_state,
                "OS-EXT-STS:power_state": power or (1 if vm_state in ("active", "rescued") else 4),
                "updated": self.stamp,
                **({"fault": {"message": "Driver Error"}} if vm_state == "error" else {}),
            }
        )

    @property
    def stamp(self) -> str:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.clock.now))

    def attach(self, volume: str, **more: t.Any) -> None:
        self.volumes[volume] = {"id": volume, "status": "in-use", "multiattach": False, **more}
        self.server["os-extended-volumes:volumes_attached"].append({"id": volume})

    def acted(self, action: str, message: str | None = None) -> None:
        """As if that had been asked before."""
        self.actions.insert(0, {"action": action, "message": message, "request_id": "req-0", "start_time": self.stamp})

    def _answer(self, asked: str, body: t.Any) -> Response:
        for pattern, answer in self._ROUTES:
            found = re.fullmatch(pattern, asked)
            if found:
                return answer(self, body, *found.groups())
        raise AssertionError(f"nobody answers {asked}")

    def _versions(self, _body: t.Any) -> Response:
        return Response(200, {"version": {"id": "v2.1", "min_version": "2.1", "version": "2.104"}})

    def _find(self, _body: t.Any, wanted: str) -> Response:
        name = urllib.parse.unquote(wanted)
        return Response(200, {"servers": [self.server] if re.search(name, self.server["name"]) else []})

    def _all(self, _body: t.Any) -> Response:
        return Response(200, {"servers": [self.server]})

    def _list(self, _body: t.Any) -> Response:
        return Response(200, {"servers": [{"id": SERVER, "name": self.server["name"]}]})

    def _show(self, _body: t.Any, server: str) -> Response:
        if server != SERVER:
            return fault(404, "Instance could not be found.", "itemNotFound")
        looks, end = self._pending
        if looks:
            self._pending = (looks - 1, end)
            if looks == 1:
                self._arrive(end)
        return Response(200, {"server": self.server})

    def _arrive(self, end: str) -> None:
        self.server["OS-EXT-STS:task_state"] = None
        if end in ("reverted", "error"):
            self.actions[0]["message"] = "Error"
        if end != "reverted":
            self.be(end)

    def _act(self, body: t.Any, _server: str) -> Response:
        action = next(iter(body))
        state = self.server["OS-EXT-STS:vm_state"]
        fitting = {
            "rescue": ("active", "stopped", "error"),
            "unrescue": ("rescued",),
            "os-stop": ("active", "error"),
            "reboot": ("active", "stopped", "error"),
        }[action]
        task = self.server["OS-EXT-STS:task_state"]
        if task or state not in fitting:
            seen = f"task_state {task}" if task else f"vm_state {state}"
            return fault(409, f"Cannot '{action}' instance while it is in {seen}", "conflictingRequest")
        self.before = copy.deepcopy(self.server)
        self.clock.sleep(1)
        self.acted(action.replace("os-", ""))
        request = f"req-{len(self.actions)}"
        self.actions[0]["request_id"] = request
        task, goal = {
            "rescue": ("rescuing", "rescued"),
            "unrescue": ("unrescuing", "active"),
            "os-stop": ("powering-off", "stopped"),
            "reboot": ("rebooting_hard", "active"),
        }[action]
        self.server["OS-EXT-STS:task_state"] = task
        self._pending = (2, (self.ends.get(action) or [goal]).pop(0))
        return Response(200, {"adminPass": "made-up"}, **{"x-openstack-request-id": request})

    def _told(self, _body: t.Any, _server: str) -> Response:
        return Response(200, {"instanceActions": self.actions})

    def _told_one(self, _body: t.Any, _server: str, request: str) -> Response:
        found = [one for one in self.actions if one["request_id"] == request]
        return Response(200, {"instanceAction": {**found[0], "events": []}}) if found else fault(404)

    def _mark(self, body: t.Any, _server: str) -> Response:
        if self.server["OS-EXT-STS:vm_state"] not in ("active", "stopped"):
            return fault(409, "Cannot 'update metadata' instance", "conflictingRequest")
        merged = {**self.server["metadata"], **body["metadata"]}
        if len(merged) > self.metadata_limit:
            return fault(403, f"Maximum number of metadata items exceeds {self.metadata_limit}", "forbidden")
        assert all(len(value) <= 255 for value in merged.values())
        self.server["metadata"] = merged
        return Response(200, {"metadata": merged})

    def _unmark(self, _body: t.Any, _server: str, key: str) -> Response:
        if self.server["OS-EXT-STS:vm_state"] not in ("active", "stopped"):
            return fault(409, "Cannot 'delete metadata' instance", "conflictingRequest")
        return fault(404) if self.server["metadata"].pop(key, None) is None else Response(204, "")

    def _image(self, _body: t.Any, identity: str) -> Response:
        return Response(200, self.images[identity]) if identity in self.images else fault(404)

    def _images(self, _body: t.Any, query: str) -> Response:
        wanted = dict(urllib.parse.parse_qsl(query))
        hidden, community = wanted.get("os_hidden") == "true", wanted.get("visibility") == "community"
        found = [
            one
            for one in self.images.values()
            if one["name"] == wanted["name"]
            and one["os_hidden"] == hidden
            and (one["visibility"] == "community") == community
        ]
        return Response(200, {"images": found})

    def _volume(self, _body: t.Any, volume: str) -> Response:
        return Response(200, {"volume": self.volumes[volume]}) if volume in self.volumes else fault(404)

    def _volumes(self, _body: t.Any) -> Response:
        return Response(200, {"volumes": list(self.volumes.values())})

    _ROUTES: t.ClassVar[t.Sequence[tuple[str, t.Callable[..., Response]]]] = (
        (r"GET /v2\.1/", _versions),
        (r"GET /v2\.1/servers/detail\?name=(.*)", _find),
        (r"GET /v2\.1/servers/detail\?limit=\d+", _all),
        (r"GET /v2\.1/servers", _list),
        (r"GET /v2\.1/servers/([^/]+)", _show),
        (r"POST /v2\.1/servers/([^/]+)/action", _act),
        (r"GET /v2\.1/servers/([^/]+)/os-instance-actions", _told),
        (r"GET /v2\.1/servers/([^/]+)/os-instance-actions/(.+)", _told_one),
        (r"POST /v2\.1/servers/([^/]+)/metadata", _mark),
        (r"DELETE /v2\.1/servers/([^/]+)/metadata/(\w+)", _unmark),
        (r"GET /v2/images/(.+)", _image),
        (r"GET /v2/images\?(.*)", _images),
        (rf"GET /v3/{PROJECT}/volumes/detail", _volumes),
        (rf"GET /v3/{PROJECT}/volumes/(.+)", _volume),
    )

    @property
    def posts(self) -> list[str]:
        """The actions that Nova was asked for, in order."""
        return [next(iter(body)) for body in self.bodies if "metadata" not in body]


def image(identity: str, name: str, **more: t.Any) -> Json:
    """An image as Glance shows it."""
    return {
        "id": identity,
        "name": name,
        "status": "active",
        "size": 10,
        "virtual_size": 1000,
        "disk_format": "qcow2",
        "visibility": "public",
        "os_hidden": False,
        "owner": PROJECT,
        **more,
    }
