# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every fault of an API, and the message that a user reads: what the real cloud can be made to say, it says itself."""

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
from proxy import ACTION, ALWAYS, FIND, HTML, IMAGE, LOGIN, MARK, SAME, SHOW, Proxy, answer, call, fault, rule
from runs import NAME, Runs, passed, told

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
    # That no metadata may be written is no reason not to ask for the rescue.
    assert [one.status for one in proxy.actions] == [403]


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
    assert [one.status for one in proxy.actions] == [409]


def test_409_paused_meanwhile(server: t.Any, run: Runs, proxy: Proxy, address: dict[str, str]) -> None:
    """The server is looked at again, and the refusal told is that of the state that it is in now."""
    proxy.put([rule(ACTION, before=[happens(address, server, {"pause": None})])])
    outcome = run.rescue(NAME)
    told(outcome, NAME, str(outcome.code), "PAUSED", "unpause")
    assert [one.status for one in proxy.actions] == [409]


def test_409_somebody_else_was_faster(server: t.Any, run: Runs, proxy: Proxy, address: dict[str, str]) -> None:
    """Another rescue, a moment before ours: that one is waited for."""
    url = f"{address['compute']}/servers/{server.id}/action"
    proxy.put([rule(ACTION, before=[call("POST", url, "${same}", **SAME)])])
    passed(run.rescue(NAME), "rescued")
    assert [one.status for one in proxy.actions] == [409]


# -- a cell whose database does not answer, as Nova 34 shows its servers (views/servers.py, _show_from_down_cell)


def test_a_server_in_a_down_cell(server: t.Any, run: Runs, proxy: Proxy) -> None:
    listed = {"id": server.id, "status": "UNKNOWN", "links": []}
    shown = {**listed, "tenant_id": "p", "created": "2026-11-01T00:00:00Z", "flavor": {}, "image": ""}
    proxy.put(
        [
            rule(SHOW, answer=answer(200, {"server": shown}), times=ALWAYS),
            rule(FIND, answer=answer(200, {"servers": []}), times=ALWAYS),
            rule(r"^GET /v2\.1/servers$", answer=answer(200, {"servers": [listed]}), times=ALWAYS),
        ]
    )
    told(run.rescue(server.id), server.id, "cell_down", "its cell does not answer", "administrators", retryable=True)
    told(run.rescue(NAME), NAME, "cell_down", "1 of this project", "administrators", retryable=True)
    assert not proxy.actions


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
    outcome = run.rescue(NAME, direct=True, timeout=20, **params)
    told(outcome, NAME, code, *words, retryable=retryable)


def test_tls_with_the_authority_named(server: t.Any, run: Runs, proxy: Proxy) -> None:
    passed(run.info(NAME, direct=True, cloud="own-authority", ca_cert=proxy.ca), "unrescued")


@pytest.mark.parametrize("service", ["compute", "image"])
def test_a_service_is_missing(server: t.Any, run: Runs, proxy: Proxy, service: str) -> None:
    proxy.put([rule(LOGIN, drop_service=service, times=ALWAYS)])
    told(run.rescue(NAME), NAME, "endpoint_missing", f"the {service} service", "catalog list")
    assert not proxy.actions


# -- what a proxy or a gateway may put between


#: what answers, for ever -> code, whether it can pass, the message
INJECTED: dict[str, tuple[str, dict[str, t.Any], str, bool, tuple[str, ...]]] = {
    "413": (
        FIND,
        {"answer": fault(413, "overLimit", "This request was rate-limited.", retry_after="900")},
        "over_limit",
        True,
        ("HTTP 413 overLimit: This request was rate-limited.", "900 s"),
    ),
    "415": (
        MARK,
        {"answer": fault(415, "badMediaType", "Unsupported content type", x_openstack_request_id="req-x")},
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
        {"answer": fault(500, "computeFault", "Unexpected API Error.", x_openstack_request_id="req-x")},
        "server_error",
        True,
        ("HTTP 500 computeFault: Unexpected API Error., request req-x", "administrators"),
    ),
    "500 to the action": (
        ACTION,
        {"answer": fault(500, "computeFault", "Unexpected API Error.")},
        "server_error",
        True,
        ("HTTP 500 computeFault", "put back"),
    ),
    "501": (
        ACTION,
        {"answer": fault(501, "notImplemented", "No")},
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
    # The SDK takes seconds to start on a busy machine, and so does an API of many services.
    outcome = run.rescue(NAME, timeout=20)
    told(outcome, NAME, code, *words, retryable=retryable)
    hits = [one for one in proxy.seen if one.hit]
    assert hits or code == "no_answer"
    assert len(hits) <= 6, "it hammers"
    if not retryable:
        assert len(hits) == 1


# -- what a user of ansible sees with -vvv


VERBOSE: dict[str, tuple[dict[str, t.Any], list[dict[str, t.Any]], str]] = {
    "wrong password": ({"password": "a-secret-that-is-wrong"}, [], "does not accept the credentials"),
    "reset": ({}, [rule(FIND, reset="before", times=ALWAYS)], "cannot be reached"),
    "tls": ({"auth_url": "https://127.0.0.1:{port}/v3"}, [], "TLS connection failed"),
    "500": ({}, [rule(ACTION, answer=fault(501, "notImplemented", "no"))], "HTTP 501 notImplemented"),
}


@pytest.mark.parametrize("case", VERBOSE)
def test_no_secret_in_the_output_of_ansible(server: t.Any, run: Runs, proxy: Proxy, cloud: Cloud, case: str) -> None:
    auth, rules, words = VERBOSE[case]
    proxy.put(rules)
    lab = yaml.safe_load(cloud.config.read_text(encoding="utf-8"))["clouds"]["lab"]["auth"]
    given = {**lab, **auth}
    given["auth_url"] = given["auth_url"].replace("{port}", str(proxy.secure_port))
    params = {"auth": given, "region_name": "RegionOne", "server": NAME, "state": "rescued", "timeout": 12}
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
