# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs of the modules through the proxy, and what a user gets to read."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import typing as t

from openrescue_lab.cloud import Cloud
from proxy import Proxy

MODULES = "ansible_collections.openrescue.server.plugins.modules"
#: how a Fernet token begins
TOKEN = "gAAAA"


@dataclasses.dataclass
class Outcome:
    """How a module ended, and after how long."""

    returncode: int
    text: str
    seconds: float
    values: dict[str, t.Any]

    @property
    def message(self) -> str:
        return str(self.values["msg"])

    @property
    def server(self) -> dict[str, t.Any]:
        return t.cast("dict[str, t.Any]", self.values["servers"][0])

    @property
    def error(self) -> dict[str, t.Any]:
        """What the one server's result says, or, where no server was reached, the module's."""
        found = self.values.get("error") or self.server["error"]
        assert found, self.text
        return t.cast("dict[str, t.Any]", found)


class Runs:
    """Runs modules as processes of their own, as a user of one of the clouds of a clouds.yaml."""

    def __init__(self, cloud: Cloud, proxy: Proxy, config: pathlib.Path) -> None:
        self.cloud = cloud
        self.proxy = proxy
        self.config = config
        self.password = cloud.connect().config.auth["password"]

    def environment(self, *, direct: bool) -> dict[str, str]:
        """What the environment of a run is; direct: past the proxy."""
        return {
            **self.cloud.environment(),
            **({} if direct else self.proxy.environment),
            "OS_CLIENT_CONFIG_FILE": str(self.config),
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        }

    def __call__(self, module: str, server: str, *, direct: bool = False, **params: t.Any) -> Outcome:
        """Run a module. No output of any run ever shows a secret or a traceback, so that is seen to here."""
        given = {"provider": "openstack", "cloud": "lab", "server": server, "timeout": 60, **params}
        began = time.monotonic()
        ended = subprocess.run(
            [sys.executable, "-m", f"{MODULES}.{module}"],
            input=json.dumps({"ANSIBLE_MODULE_ARGS": given}),
            env=self.environment(direct=direct),
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
            cwd="/",
        )
        seconds = time.monotonic() - began
        text = ended.stdout + ended.stderr
        self.shows_no_secret(text)
        assert "Traceback" not in text, text
        assert seconds < given["timeout"] + 5, f"{seconds:.1f} s: {text}"
        return Outcome(ended.returncode, text, seconds, json.loads(ended.stdout))

    def shows_no_secret(self, text: str) -> None:
        assert self.password not in text
        assert TOKEN not in text

    def rescue(self, server: str, **params: t.Any) -> Outcome:
        return self(
            "server_rescue", server, state="rescued", **{"rescue_image": "blank-rescue", "poll_interval": 0.3, **params}
        )

    def unrescue(self, server: str, **params: t.Any) -> Outcome:
        return self("server_rescue", server, state="unrescued", **{"poll_interval": 0.3, **params})

    def info(self, server: str, **params: t.Any) -> Outcome:
        return self("server_rescue_info", server, **params)


def told(outcome: Outcome, server: str, code: str, *words: str, retryable: bool = False) -> None:
    """One message that names the server, the step, what the cloud said and what to do, and no second one."""
    assert outcome.returncode != 0, outcome.text
    message, error = outcome.message, outcome.error
    print(message)
    assert (error["code"], error["retryable"]) == (code, retryable), message
    found = re.match(rf"server '{re.escape(server)}': [a-z][a-z_ ]+: ", message)
    assert found, message
    for word in words:
        assert word in message, f"{word!r} is not in: {message}"
    assert error["message"] == message
    assert error["hint"], message
    assert message.endswith(error["hint"]), message
    assert message.count("server '") == 1 and "\n" not in message, message


def passed(outcome: Outcome, state: str) -> None:
    """The run has ended well."""
    assert outcome.returncode == 0, outcome.text
    assert outcome.server["error"] is None
    assert outcome.server["state"] == state
