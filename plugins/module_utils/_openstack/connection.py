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
from .errors import Answer, CloudConfiguration, CloudError, EndpointMissing, NotThisApi, answer_error, exception_error
from .patience import Patience

try:
    import openstack
    import openstack.config
except ImportError as exc:
    openstack = None
    OPENSTACK_ERROR: ImportError | None = exc
else:
    OPENSTACK_ERROR = None

if t.TYPE_CHECKING:
    from .._time import Clock, Deadline

__all__ = ("Connection",)

#: seconds that one call may take where the user has not said it
_API_TIMEOUT = 60
#: seconds that the last look gets where the time is up already
_LAST_LOOK = 5.0

_VERSION_IN_PATH = re.compile(r"/v\d+(?:\.\d+)?(?=/|$)")
_TEMPLATE = re.compile(r"[%$]\((\w+)\)s")
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
        self._repeatedly(lambda: self._log_in(deadline), asked=asked, step="connect", server="", deadline=deadline)

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

    def _log_in(self, deadline: Deadline) -> Answer:
        usual, self._session.timeout = self._session.timeout, self._patience_for_one(deadline)
        try:
            self._session.auth.get_access(self._session)
        finally:
            self._session.timeout = usual
        return Answer(200, {}, "")

    def _patience_for_one(self, deadline: Deadline) -> float:
        """Seconds that one request may take."""
        return min(self._session.timeout or _API_TIMEOUT, max(deadline.left, _LAST_LOOK))

    @property
    def roles(self) -> tuple[str, ...]:
        """The names of the user's roles in the project."""
        try:
            return tuple(self._session.auth.get_access(self._session).role_names)
        except Exception:  # a plugin without a catalogue knows no roles
            return ()

    @property
    def project(self) -> str:
        """The ID of the project; empty where there is none."""
        return str(self._session.get_project_id() or "")

    def endpoint(self, service: str, *, step: str, server: str = "") -> str:
        """The versioned address of a service; raises ``endpoint_missing``."""
        with self._lock:
            if service not in self._endpoints:
                self._endpoints[service] = self._find_endpoint(service, step=step, server=server)
            return self._endpoints[service]

    def _find_endpoint(self, service: str, *, step: str, server: str) -> str:
        asked = f"find the {service} service of {self.name}"
        try:
            found = self._filled(str(self._region.get_session_endpoint(service) or ""), service=service)
        except OpenRescueError:
            raise
        except Exception as exc:
            raise exception_error(exc, asked=asked, step=step, server=server) from exc
        if not found:
            raise EndpointMissing(
                f"the catalogue of {self.name} has no endpoint of the {service} service for this region and interface",
                hint=EndpointMissing.way_out,
                step=step,
                server=server,
            )
        found = found.rstrip("/")
        return found if _VERSION_IN_PATH.search(found) else found + _VERSIONS[service]

    def _filled(self, endpoint: str, *, service: str) -> str:
        """An endpoint_override may be a template, in the two spellings of catalogues: %(project_id)s, $(tenant_id)s."""

        def value(found: re.Match[str]) -> str:
            read = {
                "project_id": self._session.get_project_id,
                "tenant_id": self._session.get_project_id,
                "user_id": self._session.get_user_id,
            }.get(found[1])
            if read is None:
                raise CloudConfiguration(
                    f"the endpoint of the {service} service is a template with an unknown name ({endpoint})",
                    hint="project_id, tenant_id and user_id are known",
                    step="connect",
                )
            return str(read())

        return _TEMPLATE.sub(value, endpoint)

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
        holds: str = "",
        again: bool = True,
        faults_too: bool = False,
    ) -> Answer:
        """One call, repeated while what hinders it can pass; raises :class:`OpenRescueError` for every other answer.

        :param holds: what the answer has to hold; without it something else than this API has answered.
        :param again: False for what must not be sent twice unseen: then the first failure is raised.
        :param faults_too: whether the cloud's own faults are waited out for as long as there is time.
        """
        url = self.endpoint(service, step=step, server=server) + path
        options: dict[str, t.Any] = {} if body is None else {"json": body}
        if microversion:
            options.update(microversion=microversion, microversion_service_type=service)
        asked = f"{method} {service}{path.partition('?')[0]}"
        return self._repeatedly(
            lambda: self._send(method, url, deadline=deadline, **options),
            asked=asked,
            step=step,
            server=server,
            deadline=deadline,
            holds=holds,
            again=again,
            faults_too=faults_too,
        )

    def version_document(self, service: str, *, deadline: Deadline) -> Answer:
        """What is at the root of the service's version, which the ID of a project may follow in the catalogue."""
        endpoint = self.endpoint(service, step="connect")
        found = _VERSION_IN_PATH.search(endpoint)
        url = (endpoint[: found.end()] if found else endpoint) + "/"
        return self._repeatedly(
            lambda: self._send("GET", url, deadline=deadline),
            asked=f"GET {service}/",
            step="connect",
            server="",
            deadline=deadline,
        )

    def _send(self, method: str, url: str, *, deadline: Deadline, **options: t.Any) -> Answer:
        """One request. The SDK's own retries are off: they would send an action twice."""
        response = self._session.request(
            url,
            method,
            headers={"Accept": "application/json"},
            connect_retries=0,
            status_code_retries=0,
            raise_exc=False,
            timeout=self._patience_for_one(deadline),
            **options,
        )
        return Answer(response.status_code, response.headers, response.text)

    def _repeatedly(
        self,
        send: t.Callable[[], Answer],
        *,
        asked: str,
        step: str,
        server: str,
        deadline: Deadline,
        holds: str = "",
        again: bool = True,
        faults_too: bool = False,
    ) -> Answer:
        patience = Patience(self._clock, deadline, faults_too=faults_too)
        while True:
            try:
                answer = send()
                self._answered = True
                error = self._judge(answer, asked=asked, step=step, server=server, holds=holds)
                if error is None:
                    return answer
            except Exception as exc:
                error = exception_error(exc, asked=asked, step=step, server=server, now=self._clock.wall())
                error.__cause__ = exc
            if not again or not patience.wait(error, answered=self._answered):
                raise error

    def _judge(self, answer: Answer, *, asked: str, step: str, server: str, holds: str) -> CloudError | None:
        if answer.status >= 400:
            return answer_error(answer, asked=asked, step=step, server=server, now=self._clock.wall())
        try:
            body = answer.json()
        except ValueError:
            wrong = "the answer is not JSON"
        else:
            if not holds or (isinstance(body, dict) and holds in body):
                return None
            wrong = NotThisApi.meaning
        return NotThisApi(
            f"{wrong} ({asked}: HTTP {answer.status}, {answer.text[:80]!r})",
            hint=NotThisApi.way_out,
            step=step,
            server=server,
            retryable=True,
        )
