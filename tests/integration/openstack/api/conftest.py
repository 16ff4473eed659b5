# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One server, and a proxy between its cloud and the modules."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from openrescue_lab.cloud import Cloud
from proxy import Proxy
from runs import NAME, Runs


@pytest.fixture(scope="session")
def proxy(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Proxy]:
    """One proxy for all tests: each puts its own rules."""
    proxy = Proxy(tmp_path_factory.mktemp("proxy"), cloud.connect().config.auth["auth_url"].rpartition("/")[0])
    yield proxy
    proxy.stop()


@pytest.fixture(scope="session")
def address(cloud: Cloud) -> dict[str, str]:
    """Where the services of the lab's cloud are."""
    connection = cloud.connect()
    return {name: connection.session.get_endpoint(service_type=name) for name in ("compute", "image", "identity")}


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session")
def shared(cloud: Cloud) -> t.Iterator[t.Any]:
    # What is between us and the API is shown here: the server need not be on a hypervisor.
    with cloud.server(NAME, "blank-quick", flavor="fake") as server:
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
