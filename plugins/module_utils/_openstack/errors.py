# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an OpenStack API answers, and what happens on the way there, in words that a user can act on.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import email.utils
import json
import typing as t

from .._errors import OpenRescueError

__all__ = ("PASSING", "Answer", "answer_error", "answer_in", "exception_error", "fault_of", "retry_after")

#: longest part of a cloud's own text that is passed on
_LONGEST = 400

#: by HTTP status: code, what it means, what to do
_BY_STATUS: dict[int, tuple[str, str, str]] = {
    400: ("bad_request", "the cloud refuses the request", "Do what its answer says"),
    401: (
        "unauthorized",
        "the cloud does not accept the credentials",
        "See to the user, the password and the project, in clouds.yaml, OS_* or auth",
    ),
    403: (
        "forbidden",
        "the cloud does not allow it to this user",
        "Use a user with the role member in the project of the server, or one that the cloud's policy allows it to",
    ),
    404: ("not_found", "the cloud does not know it", "See whether it is still there, in this project and region"),
    405: (
        "method_not_allowed",
        "the API does not know this method there",
        "See whether the endpoint in the catalogue is right, and what stands before it",
    ),
    406: (
        "not_acceptable",
        "the API does not speak this version",
        "See whether all servers of the API run the same release; run this again during no upgrade",
    ),
    409: ("conflict", "the server is in no state for it", "See what is being done to it, then run this again"),
    413: ("over_limit", "the cloud limits the number or the size of requests", "Wait, then run this again"),
    415: (
        "unsupported_media_type",
        "the API does not take JSON there",
        "See whether the endpoint in the catalogue is right, and what stands before it",
    ),
    429: ("over_limit", "the cloud limits the number of requests", "Wait, then run this again"),
    500: (
        "server_error",
        "the cloud failed in itself",
        "Give its request ID to the administrators of the cloud, then run this again",
    ),
    501: ("not_implemented", "the cloud has no such thing", "This kind of server, or this hypervisor, has no rescue"),
    502: ("bad_gateway", "a proxy before the API got no answer from it", "Wait, then run this again"),
    503: ("unavailable", "the API is not available", "Wait, then run this again"),
    504: ("gateway_timeout", "a proxy before the API waited in vain for it", "Wait, then run this again"),
}

#: errors that can pass without anybody doing anything
PASSING = frozenset(
    {
        "over_limit",
        "server_error",
        "bad_gateway",
        "unavailable",
        "gateway_timeout",
        "connection_failed",
        "no_answer",
        "answer_not_json",
    }
)


class Answer(t.NamedTuple):
    """What came back."""

    status: int
    headers: t.Mapping[str, str]
    text: str

    @property
    def request_id(self) -> str:
        """The ID by which the cloud's logs know the request."""
        return self.headers.get("x-openstack-request-id") or self.headers.get("x-compute-request-id") or ""

    def json(self) -> t.Any:
        """The body; raises ValueError where it is not JSON."""
        return json.loads(self.text) if self.text.strip() else None


def _printable(text: str) -> str:
    plain = "".join(char if char.isprintable() else " " for char in text)
    short = " ".join(plain.split())
    return short if len(short) <= _LONGEST else f"{short[:_LONGEST]}…"


def fault_of(answer: Answer) -> tuple[str, str]:
    """Name and message of a fault: ``conflictingRequest`` and what follows, as far as the body says so.

    Nova wraps its faults in an object with their name; Keystone in ``error``; proxies answer with HTML.
    """
    try:
        body = answer.json()
    except ValueError:
        return "", _printable(answer.text)
    if isinstance(body, dict):
        for name, value in body.items():
            if isinstance(value, dict) and "message" in value:
                return _printable(str(name)), _printable(str(value["message"]))
        if isinstance(body.get("errors"), list) and body["errors"] and isinstance(body["errors"][0], dict):
            first = body["errors"][0]
            return _printable(str(first.get("code", ""))), _printable(str(first.get("detail") or first.get("title")))
        if "message" in body:
            return "", _printable(str(body["message"]))
    return "", _printable(answer.text)


def answer_error(answer: Answer, *, asked: str, step: str, server: str = "") -> OpenRescueError:
    """The error for an answer with a status of 400 and above."""
    code, meaning, hint = _BY_STATUS.get(
        answer.status,
        ("api_error", "the cloud refuses it", "Do what its answer says")
        if answer.status < 500
        else ("server_error", *_BY_STATUS[500][1:]),
    )
    name, message = fault_of(answer)
    said = ": ".join(part for part in (name, message) if part)
    words = f"HTTP {answer.status}" + (f" {said}" if said else "")
    request = f", request {_printable(answer.request_id)}" if answer.request_id else ""
    return OpenRescueError(
        f"{meaning} ({asked}: {words}{request})",
        code=code,
        hint=hint,
        step=step,
        server=server,
        retryable=code in PASSING,
    )


def retry_after(answer: Answer, *, now: float) -> float | None:
    """Seconds that the answer asks to wait: a number or a date (RFC 9110, 10.2.3)."""
    value = answer.headers.get("Retry-After", "").strip()
    if value.isdigit():
        return float(value)
    moment = _moment(value)
    return None if moment is None else max(0.0, moment - now)


def _moment(value: str) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(value).timestamp()
    except (TypeError, ValueError):
        return None


class _Kind(t.NamedTuple):
    code: str
    message: str
    hint: str


_NAME = _Kind(
    "name_not_resolved",
    "the name of the API's host does not resolve",
    "See to auth_url, to the endpoints in the catalogue, and to DNS on the machine where this module runs",
)
_TLS = _Kind(
    "tls_failed",
    "the TLS connection failed",
    "Give ca_cert where the cloud has a CA of its own; see to the names and dates in its certificate",
)
_REFUSED = _Kind(
    "connection_failed",
    "the API cannot be reached",
    "See whether the endpoint is right and the API runs, then run this again: it finishes or puts back",
)
_SILENT = _Kind(
    "no_answer",
    "the API has not answered in time",
    "See whether it is well, or give a longer api_timeout, then run this again: it finishes or puts back",
)
_ENDPOINT = _Kind(
    "endpoint_missing",
    "the cloud's catalogue has no such endpoint",
    "See to region_name and interface: 'openstack catalog list' shows what there is",
)
_REGION = _Kind(
    "endpoint_missing",
    "the cloud is configured without such a region",
    "See to region_name, and to the regions of the cloud in clouds.yaml",
)
_CONFIG = _Kind(
    "cloud_configuration",
    "the cloud is not configured as it must be",
    "Give cloud as named in clouds.yaml, or auth, or OS_*, which 'openstack --os-cloud NAME token issue' tries;"
    " for libvirt set the provider",
)
_AUTH = _Kind("unauthorized", *_BY_STATUS[401][1:])
_STRANGE = _Kind(
    "answer_not_json",
    "the answer is not one of this API",
    "See to auth_url: it has to be Keystone's, such as https://cloud.example.com:5000/v3; see what stands before it",
)
_OTHER = _Kind("api_error", "talking to the cloud failed", "See the message, then run this again")


def answer_in(exc: BaseException) -> Answer | None:
    """The answer that an exception was made of: the SDK raises only for those of Keystone."""
    response = getattr(exc, "response", None)
    status = getattr(response, "status_code", 0)
    return Answer(status, response.headers, response.text) if response is not None and status >= 400 else None


def exception_error(exc: BaseException, *, asked: str, step: str, server: str = "") -> OpenRescueError:
    """The error for what the SDK raises in place of an answer, or because of Keystone's."""
    refused = answer_in(exc)
    if refused is not None:
        error = answer_error(refused, asked=asked, step=step, server=server)
        if error.code in ("not_found", "method_not_allowed"):
            error.hint = _STRANGE.hint
        return error
    kind = _kind_of(exc)
    retryable = kind.code in PASSING
    return OpenRescueError(
        f"{kind.message} ({asked}: {_printable(_root(exc))})",
        code=kind.code,
        hint=kind.hint,
        step=step,
        server=server,
        retryable=retryable,
    )


def _chain(exc: BaseException) -> t.Iterator[BaseException]:
    """The exception and what lies under it; requests and urllib3 keep that in their arguments."""
    seen: set[int] = set()
    left: list[t.Any] = [exc]
    while left:
        current = left.pop(0)
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        left += [current.__cause__, current.__context__, getattr(current, "reason", None), *current.args]


def _root(exc: BaseException) -> str:
    return str(exc) or type(exc).__name__


def _kind_of(exc: BaseException) -> _Kind:
    """By the names of the classes: what comes from which library differs between releases."""
    names = [base.__name__ for part in _chain(exc) for base in type(part).__mro__]
    if "ConfigException" in names and "not a valid region" in str(exc):
        return _REGION
    for kind, marks in (
        (
            _CONFIG,
            ("ConfigException", "MissingRequiredOptions", "NoMatchingPlugin", "MissingAuthPlugin", "OptionError"),
        ),
        (_NAME, ("gaierror", "NameResolutionError")),
        (_TLS, ("SSLError",)),
        (_ENDPOINT, ("EndpointNotFound", "EmptyCatalog", "CatalogException")),
        (_STRANGE, ("InvalidResponse", "JSONDecodeError")),
        (_AUTH, ("Unauthorized", "AuthorizationFailure", "MissingAuthMethods")),
        (_SILENT, ("ConnectTimeout", "ReadTimeout", "Timeout", "timeout")),
        (_REFUSED, ("ConnectionError", "ConnectFailure", "UnknownConnectionError", "DiscoveryFailure")),
    ):
        if any(mark in names for mark in marks):
            return kind
    return _OTHER
