# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every fault of an API: the message that a user reads, what is tried again and when, and what is never sent twice.

What a real cloud can be made to answer, it answers itself; the rest is put between it and the module by a proxy.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import typing as t

import pytest
import yaml
from openrescue_lab.cloud import Cloud
from proxy import ALWAYS, Proxy, Seen, answer, call, rule
from proxy_runs import Runs, passed, told

NAME = f"fault-{os.getpid()}"
FIND = r"^GET /v2\.1/servers/detail"
ACTION = r"^POST /v2\.1/servers/[^/]+/action"
MARK = r"^POST /v2\.1/servers/[^/]+/metadata"
SHOW = r"^GET /v2\.1/servers/[0-9a-f-]{36}$"
LOGIN = r"^POST /v3/auth/tokens"
IMAGE = r"^GET /v2/images/"
HTML = "<html><body><h1>It works!</h1></body></html>"
SAME = {"X_Auth_Token": "${token}"}


def fault(name: str, status: int, message: str) -> dict[str, t.Any]:
    """As Nova wraps it."""
    return {name: {"code": status, "message": message}}


@pytest.fixture(scope="module")
def address(cloud: Cloud) -> dict[str, str]:
    """Where the services of the lab's cloud are."""
    connection = cloud.connect()
    return {name: connection.session.get_endpoint(service_type=name) for name in ("compute", "image", "identity")}


@pytest.fixture(scope="module")
def run(cloud: Cloud, proxy: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """The modules, with the clouds of the lab and some that are not as they should be."""
    known = yaml.safe_load(cloud.config.read_text(encoding="utf-8"))
    lab = known["clouds"]["lab"]

    def other(auth: dict[str, str], **more: t.Any) -> dict[str, t.Any]:
        return {**lab, **more, "auth": {**lab["auth"], **auth}}

    secure = {"auth_url": f"https://127.0.0.1:{proxy.secure_port}/v3"}
    known["clouds"].update(
        {
            "wrong-password": other({"password": "not-the-password"}),
            "no-such-host": other({"auth_url": "http://keystone.invalid:5000/v3"}),
            "nobody-listens": other({"auth_url": "http://127.0.0.1:9/v3"}),
            "own-authority": other(secure),
            "any-region": {key: value for key, value in lab.items() if key != "region_name"},
            "compute-nowhere": other({}, compute_endpoint_override="http://nova.invalid:8774/v2.1"),
        }
    )
    config = tmp_path_factory.mktemp("config") / "clouds.yaml"
    config.write_text(yaml.safe_dump(known), encoding="utf-8")
    return Runs(cloud, proxy, config)


@pytest.fixture(scope="module")
def shared(cloud: Cloud) -> t.Iterator[t.Any]:
    with cloud.server(NAME, "blank-quick") as server:
        yield server


@pytest.fixture
def server(cloud: Cloud, proxy: Proxy, shared: t.Any) -> t.Any:
    """The one server of these tests, at rest, whatever the test before has left."""
    proxy.put([])
    member = cloud.connect()
    now = member.compute.get_server(shared.id)
    if now.task_state:
        now = cloud.wait(shared.id, "ACTIVE", "RESCUE")
    if now.is_locked:
        member.compute.unlock_server(now)
    if now.status == "PAUSED":
        member.compute.unpause_server(now)
    if now.status == "RESCUE":
        member.compute.unrescue_server(now)
    if now.status != "ACTIVE":
        now = cloud.wait(shared.id, "ACTIVE")
    if now.metadata:
        member.compute.delete_server_metadata(now, list(now.metadata))
    return now


@pytest.fixture
def rescued(server: t.Any, run: Runs) -> t.Any:
    passed(run.rescue(NAME), "rescued")
    return server


def posts(proxy: Proxy) -> list[Seen]:
    return [one for one in proxy.seen if one.path.endswith("/action")]


# -- the message that a user reads: what the real cloud answers


#: what is on the way of one request -> code, what the message holds. The cloud itself answers in all of them.
REAL: dict[str, tuple[dict[str, t.Any], str, tuple[str, ...]]] = {
    "400": (
        rule(ACTION, request_body='{"rescue": {"adminPass": 1}}'),
        "bad_request",
        ("HTTP 400 badRequest: Invalid input",),
    ),
    "404 deleted meanwhile": (
        rule(ACTION, request_path=(r"servers/[^/]+", "servers/00000000-0000-4000-8000-000000000000")),
        "not_found",
        ("HTTP 404", "itemNotFound", "could not be found"),
    ),
    "405": (rule(IMAGE, request_method="PUT"), "method_not_allowed", ("HTTP 405",)),
    "406": (
        rule(FIND, request_headers={"OpenStack-API-Version": "compute 2.999", "X-OpenStack-Nova-API-Version": "2.999"}),
        "not_acceptable",
        ("HTTP 406", "2.999"),
    ),
}


@pytest.mark.parametrize("case", REAL)
def test_the_cloud_refuses(server: t.Any, run: Runs, proxy: Proxy, case: str) -> None:
    way, code, words = REAL[case]
    proxy.put([way])
    told(run.rescue(NAME), NAME, code, *words, "request req-")
    assert [one.upstream for one in proxy.seen if one.hit] == [int(case[:3])]


def test_401_wrong_password(server: t.Any, run: Runs) -> None:
    outcome = run.rescue(NAME, cloud="wrong-password")
    told(outcome, NAME, "unauthorized", "log in to wrong-password", "401", "password")


def test_403_reader(server: t.Any, run: Runs, proxy: Proxy) -> None:
    outcome = run.rescue(NAME, cloud="lab-reader")
    told(outcome, NAME, "forbidden", "HTTP 403 forbidden", "Policy doesn't allow", "request req-", "role member")
    assert not posts(proxy)


def test_404_server_of_another_project(server: t.Any, run: Runs) -> None:
    outcome = run.rescue(server.id, cloud="lab-other")
    told(outcome, server.id, "server_not_found", "this project of lab-other", "openstack server list")


def test_400_rescue_image_gone_between_preflight_and_request(
    server: t.Any, run: Runs, proxy: Proxy, cloud: Cloud, address: dict[str, str]
) -> None:
    member = cloud.connect()
    image = member.image.create_image(
        "fault-rescue", data=bytes(1024), disk_format="raw", container_format="bare", wait=True
    )
    proxy.put([rule(ACTION, before=[call("DELETE", f"{address['image']}/v2/images/{image.id}", **SAME)])])
    outcome = run.rescue(NAME, rescue_image="fault-rescue")
    told(outcome, NAME, "image_refused", "HTTP 400", f"Requested rescue image '{image.id}' is not supported", "req-")
    assert "put back" in outcome.message
    assert member.compute.get_server(server.id).metadata == {}


def happens(address: dict[str, str], server: t.Any, action: dict[str, t.Any]) -> dict[str, t.Any]:
    return call("POST", f"{address['compute']}/servers/{server.id}/action", action, **SAME)


def test_409_locked_meanwhile(server: t.Any, run: Runs, proxy: Proxy, address: dict[str, str]) -> None:
    proxy.put([rule(ACTION, before=[happens(address, server, {"lock": None})])])
    told(run.rescue(NAME), NAME, "locked", "HTTP 409 conflictingRequest", "is locked", "req-", "server unlock")
    assert [one.status for one in posts(proxy)] == [409]


def test_409_paused_meanwhile(server: t.Any, run: Runs, proxy: Proxy, address: dict[str, str]) -> None:
    """The server is looked at again, and the refusal told is that of the state that it is in now."""
    proxy.put([rule(ACTION, before=[happens(address, server, {"pause": None})])])
    outcome = run.rescue(NAME)
    told(outcome, NAME, outcome.error["code"], "PAUSED", "unpause")
    assert [one.status for one in posts(proxy)] == [409]


def test_409_somebody_else_was_faster(server: t.Any, run: Runs, proxy: Proxy, address: dict[str, str]) -> None:
    """Another rescue, a moment before ours: that one is waited for."""
    url = f"{address['compute']}/servers/{server.id}/action"
    proxy.put([rule(ACTION, before=[call("POST", url, "${same}", **SAME)])])
    passed(run.rescue(NAME), "rescued")
    assert [one.status for one in posts(proxy)] == [409]


# -- the way to the cloud, and its catalogue


WAYS: dict[str, tuple[dict[str, t.Any], str, bool, tuple[str, ...]]] = {
    "unknown cloud name": ({"cloud": "no-such-cloud"}, "cloud_configuration", False, ("no-such-cloud", "clouds.yaml")),
    "name of keystone": ({"cloud": "no-such-host"}, "name_not_resolved", False, ("keystone.invalid", "DNS")),
    "name of nova": ({"cloud": "compute-nowhere"}, "name_not_resolved", False, ("nova.invalid", "DNS")),
    "nobody listens": ({"cloud": "nobody-listens"}, "connection_failed", True, ("127.0.0.1", "refused")),
    "tls": ({"cloud": "own-authority"}, "tls_failed", False, ("certificate verify failed", "ca_cert")),
    "region": ({"region_name": "Nowhere"}, "endpoint_missing", False, ("Nowhere", "RegionOne", "region_name")),
    "region not in the catalogue": (
        {"cloud": "any-region", "region_name": "Nowhere"},
        "endpoint_missing",
        False,
        ("compute", "region_name", "catalog list"),
    ),
    "interface": ({"interface": "admin"}, "endpoint_missing", False, ("compute", "interface", "catalog list")),
}


@pytest.mark.parametrize("case", WAYS)
def test_the_way_to_the_cloud(run: Runs, case: str) -> None:
    params, code, retryable, words = WAYS[case]
    outcome = run.rescue(NAME, direct=True, **params)
    told(outcome, NAME, code, *words, retryable=retryable)


def test_tls_with_the_authority_named(server: t.Any, run: Runs, proxy: Proxy) -> None:
    passed(run.info(NAME, direct=True, cloud="own-authority", ca_cert=proxy.ca), "unrescued")


@pytest.mark.parametrize("service", ["compute", "image"])
def test_a_service_is_missing(server: t.Any, run: Runs, proxy: Proxy, service: str) -> None:
    proxy.put([rule(LOGIN, drop_service=service, times=ALWAYS)])
    told(run.rescue(NAME), NAME, "endpoint_missing", f"the {service} service", "catalog list")
    assert not posts(proxy)


# -- what a proxy or a gateway may put between


#: what answers, for ever -> code, whether it can pass, the message
INJECTED: dict[str, tuple[str, dict[str, t.Any], str, bool, tuple[str, ...]]] = {
    "413": (
        FIND,
        {"answer": answer(413, fault("overLimit", 413, "This request was rate-limited."), retry_after="900")},
        "over_limit",
        True,
        ("HTTP 413 overLimit: This request was rate-limited.", "900 s"),
    ),
    "415": (
        MARK,
        {"answer": answer(415, fault("badMediaType", 415, "Unsupported content type"), x_openstack_request_id="req-x")},
        "unsupported_media_type",
        False,
        ("HTTP 415 badMediaType: Unsupported content type, request req-x",),
    ),
    "429": (
        FIND,
        {"answer": answer(429, "Too many\x1b[31m requests", retry_after_date="900")},
        "over_limit",
        True,
        ("HTTP 429 Too many [31m requests", " s"),
    ),
    "500": (
        FIND,
        {"answer": answer(500, fault("computeFault", 500, "Unexpected API Error."), x_openstack_request_id="req-x")},
        "server_error",
        True,
        ("HTTP 500 computeFault: Unexpected API Error., request req-x", "administrators"),
    ),
    "500 to the action": (
        ACTION,
        {"answer": answer(500, fault("computeFault", 500, "Unexpected API Error."))},
        "server_error",
        True,
        ("HTTP 500 computeFault", "put back"),
    ),
    "501": (
        ACTION,
        {"answer": answer(501, fault("notImplemented", 501, "No"))},
        "not_implemented",
        False,
        ("HTTP 501",),
    ),
    "502": (FIND, {"answer": answer(502, HTML)}, "bad_gateway", True, ("HTTP 502", "It works!")),
    "503": (FIND, {"answer": answer(503, "")}, "unavailable", True, ("HTTP 503",)),
    "503 to the action": (ACTION, {"answer": answer(503, "")}, "unavailable", True, ("HTTP 503",)),
    "reset": (FIND, {"reset": "before"}, "connection_failed", True, ("reset by peer",)),
    "reset of the action": (ACTION, {"reset": "before"}, "connection_failed", True, ("reset by peer",)),
    "not JSON": (FIND, {"answer": answer(200, HTML)}, "answer_not_json", True, ("HTTP 200", "It works!")),
    "JSON of something else": (FIND, {"answer": answer(200, {"hello": 1})}, "answer_not_json", True, ("HTTP 200",)),
    "silence": (FIND, {"hold_request": 20}, "no_answer", True, ("GET compute/servers/detail", "api_timeout")),
    "login 503": (LOGIN, {"answer": answer(503, "")}, "unavailable", True, ("log in to lab", "503")),
    "login not JSON": (LOGIN, {"answer": answer(200, HTML)}, "answer_not_json", True, ("log in to lab",)),
}


@pytest.mark.parametrize("case", INJECTED)
def test_what_does_not_pass(server: t.Any, run: Runs, proxy: Proxy, case: str) -> None:
    request, what, code, retryable, words = INJECTED[case]
    proxy.put([rule(request, times=ALWAYS, **what)])
    outcome = run.rescue(NAME, timeout=7)
    told(outcome, NAME, code, *words, retryable=retryable)
    hits = [one for one in proxy.seen if one.hit]
    print(len(hits), f"{outcome.seconds:.1f} s")
    assert hits or code == "no_answer"
    assert len(hits) <= 6, "it hammers"
    if not retryable:
        assert len(hits) == 1


#: what a request gets once or twice -> seconds that it asked to be left alone
PASSES: dict[str, tuple[str, dict[str, t.Any], float]] = {
    "413": (FIND, {"answer": answer(413, fault("overLimit", 413, ""), retry_after="2")}, 2),
    "429 seconds": (FIND, {"answer": answer(429, "", retry_after="2")}, 2),
    "429 date": (FIND, {"answer": answer(429, "", retry_after_date="3")}, 2),
    "500 once": (FIND, {"answer": answer(500, fault("computeFault", 500, ""))}, 0.5),
    "502 twice": (FIND, {"answer": answer(502, HTML), "times": 2}, 0.5),
    "503": (FIND, {"answer": answer(503, "", retry_after="1")}, 1),
    "reset": (FIND, {"reset": "before"}, 0.5),
    "reset after": (FIND, {"reset": "after"}, 0.5),
    "not JSON once": (FIND, {"answer": answer(200, HTML)}, 0.5),
    "image 503": (IMAGE, {"answer": answer(503, "", retry_after="1")}, 1),
    "login 503": (LOGIN, {"answer": answer(503, "", retry_after="1")}, 1),
    "login reset": (LOGIN, {"reset": "before"}, 0.5),
}


@pytest.mark.parametrize("case", PASSES)
def test_what_passes_is_waited_for(server: t.Any, run: Runs, proxy: Proxy, case: str) -> None:
    request, what, pause = PASSES[case]
    proxy.put([rule(request, **what)])
    passed(run.info(NAME, rescue_image="blank-rescue"), "unrescued")
    seen = [one for one in proxy.seen if any(other.hit and other.path == one.path for other in proxy.seen)]
    last = max(index for index, one in enumerate(seen) if one.hit)
    again = next(one for one in seen[last + 1 :] if (one.method, one.path) == (seen[last].method, seen[last].path))
    assert again.status < 300
    assert pause - 0.05 <= again.began - seen[last].ended < pause + 3


# -- an action is never sent twice unseen


#: what becomes of the request -> how many of them Nova is asked for in all
ACTIONS: dict[str, tuple[dict[str, t.Any], int]] = {
    "reset before nova": ({"reset": "before"}, 1),
    "reset after nova": ({"reset": "after"}, 1),
    "502 before nova": ({"answer": answer(502, HTML)}, 1),
    "502 after nova": ({"answer": answer(502, HTML), "forward": True}, 1),
    "503 after nova": ({"answer": answer(503, "", retry_after="1"), "forward": True}, 1),
    "500 after nova": ({"answer": answer(500, fault("computeFault", 500, "")), "forward": True}, 1),
    "not JSON after nova": ({"answer": answer(200, HTML), "forward": True}, 1),
    "429": ({"answer": answer(429, "", retry_after="2")}, 1),
    "413": ({"answer": answer(413, "", retry_after="1")}, 1),
    "502, and nova has it later": ({"answer": answer(502, HTML), "late": 1.2}, 2),
    "over before the answer is lost": ({"reset": "after", "hold": 5}, 1),
}


def done(cloud: Cloud, server: t.Any, action: str) -> list[t.Any]:
    """The actions that Nova has taken up, by its own book."""
    return [one for one in cloud.connect().compute.server_actions(server) if one.action == action]


@pytest.mark.parametrize("case", ACTIONS)
def test_an_action_is_done_once(server: t.Any, run: Runs, proxy: Proxy, cloud: Cloud, case: str) -> None:
    what, reaching = ACTIONS[case]
    for action, state, go in (("rescue", "rescued", run.rescue), ("unrescue", "unrescued", run.unrescue)):
        book, log = len(done(cloud, server, action)), cloud.posts(server.id)
        proxy.put([rule(ACTION, **what)])
        outcome = go(NAME)
        passed(outcome, state)
        assert outcome.server["changed"]
        # What the proxy delivers later is a request of its own.
        assert [one.hit for one in posts(proxy)].count(True) == 1 + ("late" in what)
        assert len(done(cloud, server, action)) == book + 1
        assert cloud.posts(server.id) == log + reaching
        assert outcome.server["request_id"] == done(cloud, server, action)[0].request_id
        looked_at(proxy)


def looked_at(proxy: Proxy) -> None:
    """Between two requests of one action the server was read, and the pause asked for was kept."""
    seen = proxy.seen
    first, *more = [index for index, one in enumerate(seen) if one.path.endswith("/action")]
    more = [index for index in more if not seen[index].hit]
    assert len(more) <= 1
    for index in more:
        between = seen[first + 1 : index]
        assert any(one.method == "GET" and one.server for one in between), between


@pytest.mark.parametrize("action", ["rescue", "unrescue"])
def test_the_pause_asked_for_is_kept_for_an_action(
    server: t.Any, run: Runs, proxy: Proxy, cloud: Cloud, action: str
) -> None:
    if action == "unrescue":
        passed(run.rescue(NAME), "rescued")
    proxy.put([rule(ACTION, answer=answer(503, "", retry_after="3"))])
    passed(getattr(run, action)(NAME), f"{action}d")
    first, second = posts(proxy)
    assert 3 <= second.began - first.ended < 5


def test_nova_took_it_and_slid_back_meanwhile(run: Runs, proxy: Proxy, cloud: Cloud, address: dict[str, str]) -> None:
    """The answer is lost, and when the server is looked at it is as it was: that is no reason to ask again."""
    member = cloud.connect()
    base = member.image.create_image(
        "fault-base",
        data=bytes(1 << 20),
        disk_format="raw",
        container_format="bare",
        wait=True,
        os_shutdown_timeout="0",
    )
    shown = member.session.get(f"{address['image']}/v2/images/{base.id}").json()
    with cloud.server(f"{NAME}-slides", "fault-base", flavor="blank") as server:
        member.image.delete_image(base.id)
        image = rule(f"/images/{base.id}", answer=answer(200, shown), times=ALWAYS)
        proxy.put([image, rule(ACTION, reset="after", hold=4)])
        outcome = run.rescue(f"{NAME}-slides", rescue_image=None)
        told(outcome, f"{NAME}-slides", "rescue_reverted", "ACTIVE again", "request req-", "Error", retryable=True)
        assert [one.upstream for one in posts(proxy)] == [200]
        assert [one for one in proxy.seen if one.server][-1].server == ["active", None]
        assert member.compute.get_server(server.id).metadata == {}


# -- a token that ends before the wait does


#: Nova keeps what it knows of a token for minutes, so it gets one that Keystone does not know, and refuses that itself
ENDED = rule(SHOW, skip=1, request_headers={"X-Auth-Token": "ended"})


def test_a_token_ends_in_the_middle_of_the_wait(server: t.Any, run: Runs, proxy: Proxy) -> None:
    proxy.put([ENDED])
    passed(run.rescue(NAME), "rescued")
    [refused] = [one for one in proxy.seen if one.hit]
    assert refused.upstream == 401
    assert len([one for one in proxy.seen if one.path == "/v3/auth/tokens"]) == 2
    assert len(posts(proxy)) == 1


def test_a_token_ends_and_there_is_no_other(server: t.Any, run: Runs, proxy: Proxy) -> None:
    no = {"error": {"code": 401, "title": "Unauthorized", "message": "The account is disabled."}}
    proxy.put([ENDED, rule(LOGIN, skip=1, times=ALWAYS, answer=answer(401, no))])
    outcome = run.rescue(NAME)
    told(outcome, NAME, "unauthorized", "HTTP 401", "The account is disabled", "password")
    assert len(posts(proxy)) == 1


# -- what a user of ansible sees with -vvv


VERBOSE: dict[str, tuple[dict[str, t.Any], list[dict[str, t.Any]], str]] = {
    "wrong password": ({"password": "a-secret-that-is-wrong"}, [], "does not accept the credentials"),
    "reset": ({}, [rule(FIND, reset="before", times=ALWAYS)], "cannot be reached"),
    "tls": ({"auth_url": "https://127.0.0.1:{port}/v3"}, [], "TLS connection failed"),
    "500": ({}, [rule(ACTION, answer=answer(501, fault("notImplemented", 501, "no")))], "HTTP 501 notImplemented"),
}


@pytest.mark.parametrize("case", VERBOSE)
def test_no_secret_in_the_output_of_ansible(server: t.Any, run: Runs, proxy: Proxy, cloud: Cloud, case: str) -> None:
    auth, rules, words = VERBOSE[case]
    proxy.put(rules)
    lab = yaml.safe_load(cloud.config.read_text(encoding="utf-8"))["clouds"]["lab"]["auth"]
    given = {**lab, **auth}
    given["auth_url"] = given["auth_url"].replace("{port}", str(proxy.secure_port))
    params = {"auth": given, "region_name": "RegionOne", "server": NAME, "state": "rescued", "timeout": 5}
    params.update(rescue_image="blank-rescue", admin_password="a-secret-for-the-rescue-system", wait=False)
    ended = subprocess.run(
        [
            str(pathlib.Path(sys.executable).with_name("ansible")),
            *("localhost", "-vvv", "-m", "openrescue.server.server_rescue", "-a", json.dumps(params)),
        ],
        env={
            **run.environment(direct=case == "tls"),
            "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(filter(None, sys.path)),
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "ANSIBLE_LOCALHOST_WARNING": "false",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd="/",
    )
    text = ended.stdout + ended.stderr
    print(text)
    assert ended.returncode != 0
    assert words in text
    assert "a-secret-" not in text
    assert "Traceback" not in text
    run.shows_no_secret(text)


# -- what is on the wire


def calls(proxy: Proxy, address: dict[str, str]) -> list[str]:
    """All calls but polls, which are reads of the server after the action, and authentication."""
    keystone = int(address["identity"].split(":")[2].split("/")[0])
    counted, acted = [], False
    for one in proxy.seen:
        poll = acted and one.method == "GET" and one.server is not None and "detail" not in one.path
        acted = acted or one.path.endswith("/action")
        if one.port != keystone and not poll:
            counted.append(f"{one.method} {one.path}")
    print("\n".join(counted))
    return counted


@pytest.mark.parametrize("by", ["name", "id"])
def test_calls_on_the_wire(server: t.Any, run: Runs, proxy: Proxy, address: dict[str, str], by: str) -> None:
    asked = server[by]
    passed(run.rescue(asked), "rescued")
    assert 3 < len(calls(proxy, address)) <= 8
    proxy.put([])
    again = run.rescue(asked)
    passed(again, "rescued")
    assert not again.server["changed"]
    assert 1 <= len(calls(proxy, address)) <= 3
    proxy.put([])
    passed(run.unrescue(asked), "unrescued")
    assert 1 < len(calls(proxy, address)) <= 8
    proxy.put([])
    passed(run.unrescue(asked), "unrescued")
    assert 1 <= len(calls(proxy, address)) <= 3
