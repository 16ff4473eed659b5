# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection to a cloud: authentication, catalogue and transport by openstacksdk, patience and words by us.

Calls are sent to the API as they are, with the microversion named in each: what the SDK's own methods drop (the
password, the request ID) is kept, and its retries, which would send an action twice, are off.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import threading
import typing as t

from ansible.module_utils.basic import missing_required_lib

from .._errors import OpenRescueError
from .openstack_errors import PASSING, Answer, answer_error, exception_error, retry_after

try:
    import openstack
    import openstack.config
except ImportError as exc:
    openstack = None
    OPENSTACK_ERROR: ImportError | None = exc
else:
    OPENSTACK_ERROR = None

if t.TYPE_CHECKING:
    from .._rescue.wait import Clock, Deadline

__all__ = ("Connection",)

#: seconds that one call may take where the user has not said it
_API_TIMEOUT = 60
#: seconds between two attempts, doubled each time
_BACKOFF = (0.5, 10.0)
#: a fault of the cloud's own is worth a few attempts, not the whole timeout
_FAULTS_OF_ITS_OWN = {"server_error": 4, "answer_not_json": 4}
#: what the machine's surroundings do to us: worth patience only where the cloud has answered before
_SURROUNDINGS = ("connection_failed", "name_not_resolved", "no_answer")

_VERSION_IN_PATH = re.compile(r"/v\d+(?:\.\d+)?(?=/|$)")
#: by service type: the version that is asked for where the catalogue names none
_VERSIONS = {"compute": "/v2.1", "image": "/v2", "block-storage": "/v3"}


class Connection:
    """One cloud, shared by all threads."""

    def __init__(self, params: t.Mapping[str, t.Any], *, clock: Clock) -> None:
        self._params = params
        self._clock = clock
        self._region: t.Any = None
        self._session: t.Any = None
        self._endpoints: dict[str, str] = {}
        self._lock = threading.Lock()
        self._answered = False
        #: what the clock of the cloud showed when it last answered, in seconds since the epoch
        self.cloud_time = 0.0

    @property
    def name(self) -> str:
        """The cloud, as messages call it."""
        cloud = self._params.get("cloud")
        return cloud if isinstance(cloud, str) else getattr(self._region, "name", "") or "the cloud"

    def open(self, deadline: Deadline) -> None:
        """Read the configuration and log in."""
        if OPENSTACK_ERROR is not None:
            raise OpenRescueError(
                missing_required_lib("openstacksdk", url="https://pypi.org/project/openstacksdk/"),
                code="library_missing",
                hint="It must be there for the Python that runs this module (ansible_python_interpreter)",
                step="connect",
            ) from OPENSTACK_ERROR
        asked = f"log in to {self.name}"
        try:
            self._region = openstack.config.get_cloud_region(**self._configuration())
            self._session = self._region.get_session()
        except Exception as exc:
            raise exception_error(exc, asked=asked, step="connect") from exc
        self._patiently(self._log_in, asked=asked, step="connect", server="", deadline=deadline)

    def close(self) -> None:
        """Never raises."""
        self._session = self._region = None

    def _configuration(self) -> dict[str, t.Any]:
        """What openstack.cloud gives to the SDK for the same options."""
        params = self._params
        cloud = params.get("cloud")
        if isinstance(cloud, dict):
            return {"api_timeout": _API_TIMEOUT, **cloud}
        verify = params.get("validate_certs")
        chosen = {
            "cloud": cloud,
            "auth_type": params.get("auth_type"),
            "auth": params.get("auth"),
            "region_name": params.get("region_name"),
            "verify": verify,
            "cacert": params.get("ca_cert"),
            "cert": params.get("client_cert"),
            "key": params.get("client_key"),
            "api_timeout": params.get("api_timeout") or _API_TIMEOUT,
            "interface": params.get("interface"),
        }
        return {key: value for key, value in chosen.items() if value is not None}

    def _log_in(self) -> Answer:
        self._session.auth.get_access(self._session)
        return Answer(200, {}, "")

    @property
    def roles(self) -> tuple[str, ...]:
        """The names of the user's roles in the project."""
        try:
            return tuple(self._session.auth.get_access(self._session).role_names)
        except Exception:  # a plugin without a catalogue knows no roles
            return ()

    def endpoint(self, service: str, *, step: str, server: str = "") -> str:
        """The versioned address of a service; raises ``endpoint_missing``."""
        with self._lock:
            if service not in self._endpoints:
                self._endpoints[service] = self._find_endpoint(service, step=step, server=server)
            return self._endpoints[service]

    def _find_endpoint(self, service: str, *, step: str, server: str) -> str:
        asked = f"find the {service} service of {self.name}"
        try:
            found = self._region.get_session_endpoint(service)
        except Exception as exc:
            raise exception_error(exc, asked=asked, step=step, server=server) from exc
        if not found:
            raise OpenRescueError(
                f"the catalogue of {self.name} has no endpoint of the {service} service for this region and interface",
                code="endpoint_missing",
                hint="See to region_name and interface: 'openstack catalog list' shows what there is",
                step=step,
                server=server,
            )
        found = str(found).rstrip("/")
        return found if _VERSION_IN_PATH.search(found) else found + _VERSIONS[service]

    def call(
        self,
        method: str,
        service: str,
        path: str,
        *,
        step: str,
        deadline: Deadline,
        server: str = "",
        microversion: str = "",
        body: t.Any = None,
        again: bool = True,
        patient: bool = False,
    ) -> Answer:
        """One call, repeated while what hinders it can pass; raises :class:`OpenRescueError` for every other answer.

        :param again: False for what must not be sent twice unseen: then the first failure is raised.
        :param patient: whether the cloud's own faults are waited out for as long as there is time.
        """
        url = self.endpoint(service, step=step, server=server) + path
        options: dict[str, t.Any] = {} if body is None else {"json": body}
        if microversion:
            options.update(microversion=microversion, microversion_service_type=service)
        asked = f"{method} {service}{path.partition('?')[0]}"
        return self._patiently(
            lambda: self._send(method, url, **options),
            asked=asked,
            step=step,
            server=server,
            deadline=deadline,
            again=again,
            patient=patient,
        )

    def version_document(self, service: str, *, deadline: Deadline) -> Answer:
        """What is at the root of the service's version, which the ID of a project may follow in the catalogue."""
        endpoint = self.endpoint(service, step="connect")
        found = _VERSION_IN_PATH.search(endpoint)
        url = (endpoint[: found.end()] if found else endpoint) + "/"
        return self._patiently(
            lambda: self._send("GET", url), asked=f"GET {service}/", step="connect", server="", deadline=deadline
        )

    def _send(self, method: str, url: str, **options: t.Any) -> Answer:
        """One request. The SDK's own retries are off: they would send an action twice."""
        response = self._session.request(
            url,
            method,
            headers={"Accept": "application/json"},
            connect_retries=0,
            status_code_retries=0,
            raise_exc=False,
            **options,
        )
        answer = Answer(response.status_code, response.headers, response.text)
        self.cloud_time = answer.date or self.cloud_time
        return answer

    def _patiently(
        self,
        send: t.Callable[[], Answer],
        *,
        asked: str,
        step: str,
        server: str,
        deadline: Deadline,
        again: bool = True,
        patient: bool = False,
    ) -> Answer:
        pause, longest = _BACKOFF
        failures: dict[str, int] = {}
        while True:
            wished: float | None = None
            try:
                answer = send()
                self._answered = True
                error = self._judge(answer, asked=asked, step=step, server=server)
                if error is None:
                    return answer
                wished = retry_after(answer, now=self._clock.wall())
            except OpenRescueError:
                raise
            except Exception as exc:
                error = exception_error(exc, asked=asked, step=step, server=server)
                error.__cause__ = exc
            failures[error.code] = failures.get(error.code, 0) + 1
            error.retry_after = wait = max(wished or 0.0, pause)
            if not again or not self._may_pass(error, failures, patient=patient) or wait >= deadline.left:
                raise error
            self._clock.sleep(wait)
            pause = min(2 * pause, longest)

    def _judge(self, answer: Answer, *, asked: str, step: str, server: str) -> OpenRescueError | None:
        if answer.status >= 400:
            return answer_error(answer, asked=asked, step=step, server=server)
        try:
            answer.json()
        except ValueError:
            return OpenRescueError(
                f"the answer is not JSON ({asked}: HTTP {answer.status}, {answer.text[:80]!r})",
                code="answer_not_json",
                hint="See whether the endpoint in the catalogue is right, and what stands before it",
                step=step,
                server=server,
                retryable=True,
            )
        return None

    def _may_pass(self, error: OpenRescueError, failures: t.Mapping[str, int], *, patient: bool) -> bool:
        if error.code in _SURROUNDINGS:
            return self._answered or (error.code == "connection_failed" and failures[error.code] < 3)
        if patient and error.code in PASSING:
            return True
        return error.code in PASSING and failures[error.code] < _FAULTS_OF_ITS_OWN.get(error.code, 1_000_000)
