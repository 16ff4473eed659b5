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
from .._text import printable

__all__ = (
    "Answer",
    "BadRequest",
    "CellDown",
    "CloudConfiguration",
    "CloudError",
    "Conflict",
    "ConnectionFailed",
    "EndpointMissing",
    "Forbidden",
    "Lost",
    "NotFound",
    "NotThisApi",
    "OverLimit",
    "Passing",
    "Surroundings",
    "answer_error",
    "answer_in",
    "exception_error",
    "fault_of",
)

#: longest part of a cloud's own text that is passed on
_LONGEST = 400


# -- kinds of errors: what has to tell them apart catches these


class CloudError(OpenRescueError):
    """What a cloud answers, or what happens on the way to it.

    :cvar meaning: what it means, before the words of the cloud itself; ``way_out``: what to do.
    :cvar attempts: how often a call that fails so is worth making, where that is not for as long as there is time.
    """

    code = "api_error"
    meaning: t.ClassVar[str] = "the cloud refuses it"
    way_out: t.ClassVar[str] = "Do what its answer says"
    attempts: t.ClassVar[int] = 0


class Passing(CloudError):
    """It can pass without anybody doing anything."""


class Lost(Passing):
    """Nobody knows whether the request has arrived, or is still on its way."""


class Surroundings(CloudError):
    """What the machine's surroundings do to us: worth patience only where the cloud has answered before."""


# -- by HTTP status


class BadRequest(CloudError):
    code = "bad_request"
    meaning = "the cloud refuses the request"


class Unauthorized(CloudError):
    code = "unauthorized"
    meaning = "the cloud does not accept the credentials"
    way_out = "See to the user, the password and the project, in clouds.yaml, OS_* or auth"


class Forbidden(CloudError):
    code = "forbidden"
    meaning = "the cloud does not allow it to this user"
    way_out = (
        "Use a user with the role member in the project of the server, or one that the cloud's policy allows it to"
    )


class NotFound(CloudError):
    code = "not_found"
    meaning = "the cloud does not know it"
    way_out = "See whether it is still there, in this project and region"


class MethodNotAllowed(CloudError):
    code = "method_not_allowed"
    meaning = "the API does not know this method there"
    way_out = "See whether the endpoint in the catalogue is right, and what stands before it"


class NotAcceptable(CloudError):
    code = "not_acceptable"
    meaning = "the API does not speak this version"
    way_out = "See whether all servers of the API run the same release; run this again during no upgrade"


class Conflict(CloudError):
    code = "conflict"
    meaning = "the server is in no state for it"
    way_out = "See what is being done to it, then run this again"


class TooLarge(Passing):
    code = "over_limit"
    meaning = "the cloud limits the number or the size of requests"
    way_out = "Wait, then run this again"


class OverLimit(TooLarge):
    meaning = "the cloud limits the number of requests"


class UnsupportedMediaType(CloudError):
    code = "unsupported_media_type"
    meaning = "the API does not take JSON there"
    way_out = MethodNotAllowed.way_out


class ServerFault(Passing):
    code = "server_error"
    meaning = "the cloud failed in itself"
    way_out = "Give its request ID to the administrators of the cloud, then run this again"
    # A fault of the cloud's own is worth a few attempts, not the whole timeout.
    attempts = 4


class NotOffered(CloudError):
    code = "not_implemented"
    meaning = "the cloud has no such thing"
    way_out = "This kind of server, or this hypervisor, has no rescue"


class BadGateway(Lost):
    code = "bad_gateway"
    meaning = "a proxy before the API got no answer from it"
    way_out = TooLarge.way_out


class Unavailable(Passing):
    code = "unavailable"
    meaning = "the API is not available"
    way_out = TooLarge.way_out


class GatewayTimeout(Lost):
    code = "gateway_timeout"
    meaning = "a proxy before the API waited in vain for it"
    way_out = TooLarge.way_out


_BY_STATUS: dict[int, type[CloudError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    405: MethodNotAllowed,
    406: NotAcceptable,
    409: Conflict,
    413: TooLarge,
    415: UnsupportedMediaType,
    429: OverLimit,
    500: ServerFault,
    501: NotOffered,
    502: BadGateway,
    503: Unavailable,
    504: GatewayTimeout,
}


# -- on the way there


class NameNotResolved(Surroundings):
    code = "name_not_resolved"
    meaning = "the name of the API's host does not resolve"
    way_out = "See to auth_url, to the endpoints in the catalogue, and to DNS on the machine where this module runs"


class TlsFailed(CloudError):
    code = "tls_failed"
    meaning = "the TLS connection failed"
    way_out = "Give ca_cert where the cloud has a CA of its own; see to the names and dates in its certificate"


class ConnectionFailed(Lost, Surroundings):
    code = "connection_failed"
    meaning = "the API cannot be reached"
    way_out = "See whether the endpoint is right and the API runs, then run this again: it finishes or puts back"


class NoAnswer(Lost, Surroundings):
    code = "no_answer"
    meaning = "the API has not answered in time"
    way_out = "See whether it is well, or give a longer api_timeout, then run this again: it finishes or puts back"


class EndpointMissing(CloudError):
    code = "endpoint_missing"
    meaning = "the cloud's catalogue has no such endpoint"
    way_out = "See to region_name and interface: 'openstack catalog list' shows what there is"


class RegionMissing(EndpointMissing):
    meaning = "the cloud is configured without such a region"
    way_out = "See to region_name, and to the regions of the cloud in clouds.yaml"


class CloudConfiguration(CloudError):
    code = "cloud_configuration"
    meaning = "the cloud is not configured as it must be"
    way_out = (
        "Give cloud as named in clouds.yaml, or auth, or OS_*, which 'openstack --os-cloud NAME token issue' tries;"
        " for libvirt set the provider"
    )


class NotThisApi(Lost):
    code = "answer_not_json"
    meaning = "the answer is not one of this API"
    way_out = "See whether the endpoint in the catalogue is right, and what stands before it"
    attempts = 4


class NotKeystone(NotThisApi):
    way_out = (
        "See to auth_url: it has to be Keystone's, such as https://cloud.example.com:5000/v3; see what stands before it"
    )


class Unknown(CloudError):
    meaning = "talking to the cloud failed"
    way_out = "See the message, then run this again"


class CellDown(CloudError):
    """Nova tells of a server in a cell whose database does not answer no more than its ID."""

    code = "cell_down"


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
    """On one line, with what does not print left out: a page of a proxy's is read by people."""
    return printable(" ".join("".join(char if char.isprintable() else " " for char in text).split()), limit=_LONGEST)


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


def answer_error(answer: Answer, *, asked: str, step: str, server: str = "", now: float = 0.0) -> CloudError:
    """The error for an answer with a status of 400 and above.

    :param now: the time of the answer, in seconds since the epoch.
    """
    kind = _BY_STATUS.get(answer.status, CloudError if answer.status < 500 else ServerFault)
    name, message = fault_of(answer)
    said = ": ".join(part for part in (name, message) if part)
    words = f"HTTP {answer.status}" + (f" {said}" if said else "")
    request = f", request {_printable(answer.request_id)}" if answer.request_id else ""
    return _error(kind, f"{asked}: {words}{request}", step=step, server=server, pause=_pause(answer, now=now))


def _error(kind: type[CloudError], said: str, *, step: str, server: str, pause: float = 0.0) -> CloudError:
    hint = kind.way_out + (f". It asks to be left alone for {pause:.0f} s" if pause else "")
    passing = issubclass(kind, Passing)
    message = f"{kind.meaning} ({said})"
    return kind(message, hint=hint, step=step, server=server, retryable=passing, retry_after=pause)


def _pause(answer: Answer, *, now: float) -> float:
    """Seconds that the answer asks to wait, by a number or a date (RFC 9110, 10.2.3); 0 where it does not ask."""
    value = answer.headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - now)
    except (TypeError, ValueError):
        return 0.0


def answer_in(exc: BaseException) -> Answer | None:
    """The answer that an exception was made of: the SDK raises only for those of Keystone."""
    response = getattr(exc, "response", None)
    status = getattr(response, "status_code", 0)
    return Answer(status, response.headers, response.text) if response is not None and status >= 400 else None


def exception_error(exc: BaseException, *, asked: str, step: str, server: str = "", now: float = 0.0) -> CloudError:
    """The error for what the SDK raises in place of an answer, or because of Keystone's."""
    refused = answer_in(exc)
    if refused is not None:
        error = answer_error(refused, asked=asked, step=step, server=server, now=now)
        if not isinstance(error, (NotFound, MethodNotAllowed)):
            return error
        return type(error)(error.message, hint=NotKeystone.way_out, step=step, server=server)
    said = _printable(str(exc) or type(exc).__name__)
    return _error(_kind_of(exc), f"{asked}: {said}", step=step, server=server)


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


#: By the names of the classes, the first that fits: what comes from which library differs between releases.
_BY_CLASS: tuple[tuple[type[CloudError], tuple[str, ...]], ...] = (
    (
        CloudConfiguration,
        ("ConfigException", "MissingRequiredOptions", "NoMatchingPlugin", "MissingAuthPlugin", "OptionError"),
    ),
    (NameNotResolved, ("gaierror", "NameResolutionError")),
    (TlsFailed, ("SSLError",)),
    (EndpointMissing, ("EndpointNotFound", "EmptyCatalog", "CatalogException")),
    (NotKeystone, ("InvalidResponse", "JSONDecodeError")),
    (Unauthorized, ("Unauthorized", "AuthorizationFailure", "MissingAuthMethods")),
    (NoAnswer, ("ConnectTimeout", "ReadTimeout", "Timeout", "timeout")),
    (ConnectionFailed, ("ConnectionError", "ConnectFailure", "UnknownConnectionError", "DiscoveryFailure")),
)


def _kind_of(exc: BaseException) -> type[CloudError]:
    names = {base.__name__ for part in _chain(exc) for base in type(part).__mro__}
    if "ConfigException" in names and "not a valid region" in str(exc):
        return RegionMissing
    return next((kind for kind, marks in _BY_CLASS if not names.isdisjoint(marks)), Unknown)
