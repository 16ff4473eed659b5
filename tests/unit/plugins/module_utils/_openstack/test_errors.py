# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import socket
import ssl

import pytest
import requests
from ansible_collections.openrescue.server.plugins.module_utils._openstack.errors import (
    Answer,
    CloudError,
    Lost,
    Passing,
    Surroundings,
    answer_error,
    exception_error,
    fault_of,
)
from keystoneauth1 import exceptions as ksa
from openstack import exceptions as sdk

FAULTS = [
    (
        {"conflictingRequest": {"code": 409, "message": "in task_state rescuing"}},
        "conflictingRequest",
        "in task_state rescuing",
    ),
    ({"error": {"code": 401, "title": "Unauthorized", "message": "Log in"}}, "error", "Log in"),
    ({"errors": [{"code": "p.1", "title": "T", "detail": "D"}]}, "p.1", "D"),
    ({"message": "over"}, "", "over"),
    ([], "", "[]"),
]


@pytest.mark.parametrize(("body", "name", "message"), FAULTS)
def test_faults(body: object, name: str, message: str) -> None:
    assert fault_of(Answer(409, {}, json.dumps(body))) == (name, message)


def test_a_page_of_a_proxy_is_shown_short_and_plain() -> None:
    _name, message = fault_of(Answer(502, {}, "<html>\x1b[31m\n" + "x" * 1000))
    assert message.startswith("<html> [31m xxx")
    assert len(message) <= 400


@pytest.mark.parametrize(
    "status", [400, 401, 403, 404, 405, 406, 409, 413, 415, 418, 429, 500, 501, 502, 503, 504, 599]
)
def test_every_status_has_a_code_a_cause_and_a_way_out(status: int) -> None:
    answer = Answer(status, {"x-openstack-request-id": "req-1"}, '{"f": {"message": "why"}}')
    error = answer_error(answer, asked="POST compute/x", step="rescue", server="web1")
    text = str(error)
    assert all(word in text for word in ("web1", "rescue", str(status), "f: why", "req-1", "POST compute/x"))
    assert error.hint
    assert error.retryable == isinstance(error, Passing)


def wrapped(inner: Exception) -> Exception:
    """As keystoneauth raises what requests has raised."""
    try:
        try:
            raise requests.exceptions.ConnectionError(inner)
        except requests.exceptions.ConnectionError as exc:
            raise ksa.ConnectFailure(f"Unable to establish connection: {exc}") from exc
    except ksa.ConnectFailure as exc:
        return exc


EXCEPTIONS = [
    (wrapped(socket.gaierror(-2, "Name or service not known")), "name_not_resolved"),
    (wrapped(ConnectionResetError(104, "reset")), "connection_failed"),
    (wrapped(ConnectionRefusedError(111, "refused")), "connection_failed"),
    (ksa.SSLError("self-signed certificate"), "tls_failed"),
    (wrapped(ssl.SSLError("bad certificate")), "tls_failed"),
    (ksa.ConnectTimeout("waited"), "no_answer"),
    (ksa.EndpointNotFound("no compute"), "endpoint_missing"),
    (ksa.Unauthorized("no"), "unauthorized"),
    (sdk.ConfigException("Cloud nope was not found."), "cloud_configuration"),
    (ksa.MissingRequiredOptions([]), "cloud_configuration"),
    (RuntimeError("odd"), "api_error"),
]


@pytest.mark.parametrize(("exc", "code"), EXCEPTIONS)
def test_what_the_sdk_raises(exc: Exception, code: str) -> None:
    error = exception_error(exc, asked="log in", step="connect")
    assert error.code == code
    assert error.hint


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), ("", 0.0), ("soon", 0.0), ("Thu, 01 Jan 1970 00:01:40 GMT", 90.0), ("-1", 0.0)],
)
def test_a_pause_that_is_asked_for(value: str, seconds: float) -> None:
    error = answer_error(Answer(503, {"Retry-After": value}, ""), asked="GET x", step="look", now=10.0)
    assert error.retry_after == seconds
    assert (f"left alone for {seconds:.0f} s" in error.hint) == (seconds > 0)


def kinds(base: type[CloudError]) -> set[str]:
    return {base.code} | {code for kind in base.__subclasses__() for code in kinds(kind)} - {CloudError.code}


def test_kinds() -> None:
    """What is done about an error follows from its kind: this is which is which."""
    api = {CloudError.code}
    assert kinds(Lost) - api == {
        "bad_gateway",
        "gateway_timeout",
        "connection_failed",
        "no_answer",
        "answer_not_json",
    }
    assert kinds(Passing) - api == kinds(Lost) - api | {"over_limit", "server_error", "unavailable"}
    assert kinds(Surroundings) - api == {"connection_failed", "name_not_resolved", "no_answer"}
