# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's cloud, and a proxy in front of it."""

from __future__ import annotations

import typing as t

import pytest
from openrescue_lab import cloud_host
from openrescue_lab.base import run
from openrescue_lab.cloud import COMMAND, Cloud
from proxy import Proxy


@pytest.fixture(scope="session")
def cloud() -> t.Iterator[Cloud]:
    """The running cloud. Who started it stops it: a cloud that was up before stays up."""
    ours = not cloud_host.config().exists()
    yield Cloud.up() if ours else Cloud(cloud_host.cloud_dir())
    if ours:
        run(COMMAND, "down")


@pytest.fixture(scope="session")
def proxy(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Proxy]:
    """One proxy for all tests: each puts its own rules."""
    proxy = Proxy(tmp_path_factory.mktemp("proxy"), cloud.connect().config.auth["auth_url"].rpartition("/")[0])
    yield proxy
    proxy.stop()
