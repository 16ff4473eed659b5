# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs of the modules through the proxy, and what a user gets to read."""

from __future__ import annotations

import os
import pathlib
import re
import time
import typing as t

from openrescue_lab import modules
from openrescue_lab.cloud import Cloud
from openrescue_lab.modules import Ended
from proxy import Proxy

#: the server of these tests
NAME = f"fault-{os.getpid()}"
#: how a Fernet token begins
TOKEN = "gAAAA"


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
        }

    def __call__(self, module: str, server: str, *, direct: bool = False, **params: t.Any) -> Ended:
        """Run a module. No output of any run ever shows a secret, so that is seen to here."""
        given = {"provider": "openstack", "cloud": "lab", "server": server, "timeout": 60, **params}
        began = time.monotonic()
        ended = modules.call(module, given, env=self.environment(direct=direct))
        seconds = time.monotonic() - began
        self.shows_no_secret(ended.text)
        # Python and the SDK take their seconds to start, more of them on a busy machine.
        assert seconds < given["timeout"] + 15, f"{seconds:.1f} s: {ended.text}"
        return ended

    def shows_no_secret(self, text: str) -> None:
        assert self.password not in text
        assert TOKEN not in text

    def rescue(self, server: str, **params: t.Any) -> Ended:
        return self(
            "server_rescue", server, state="rescued", **{"rescue_image": "blank-rescue", "poll_interval": 0.3, **params}
        )

    def unrescue(self, server: str, **params: t.Any) -> Ended:
        return self("server_rescue", server, state="unrescued", **{"poll_interval": 0.3, **params})

    def info(self, server: str, **params: t.Any) -> Ended:
        return self("server_rescue_info", server, **params)


def told(outcome: Ended, server: str, code: str, *words: str, retryable: bool = False) -> None:
    """One message that names the server, the step, what the cloud said and what to do, and no second one."""
    assert outcome.returncode != 0, outcome.text
    message, error = outcome.message, outcome.error
    print(message)
    assert error, outcome.text
    assert (error["code"], error["retryable"]) == (code, retryable), message
    found = re.match(rf"server '{re.escape(server)}': [a-z][a-z_ ]+: ", message)
    assert found, message
    for word in words:
        assert word in message, f"{word!r} is not in: {message}"
    assert error["message"] == message
    assert error["hint"], message
    assert message.endswith(error["hint"]), message
    assert message.count("server '") == 1 and "\n" not in message, message


def passed(outcome: Ended, state: str) -> None:
    """The run has ended well."""
    assert outcome.returncode == 0, outcome.text
    assert outcome.server["error"] is None
    assert outcome.server["state"] == state
