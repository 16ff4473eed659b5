# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""The small real cloud, for tests: its connections, servers, services, and what its API was asked."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import os
import pathlib
import re
import time
import typing as t

from . import cloud_host
from .base import LAB_DIR, LabError, run, wait_until

COMMAND = LAB_DIR / "cloud/cloud"
POST = re.compile(r'"POST /v2\.1/servers/([0-9a-f-]{36})/action"')


@dataclasses.dataclass(frozen=True)
class Cloud:
    """A running cloud."""

    directory: pathlib.Path

    @classmethod
    def up(cls) -> Cloud:
        """Start what of it does not run."""
        run(COMMAND, "up")
        return cls(cloud_host.cloud_dir())

    @property
    def config(self) -> pathlib.Path:
        """Its clouds.yaml: `lab` (a project member), `lab-admin`, `lab-reader`, `lab-other` (another project's)."""
        return self.directory / "clouds.yaml"

    @property
    def uri(self) -> str:
        """Its libvirt."""
        return run(COMMAND, "uri").strip()

    def connect(self, cloud: str = "lab") -> t.Any:
        """An openstack.connection for one of the clouds of clouds.yaml: one for all who ask, with its one token."""
        return _connection(self.config, self.config.stat().st_mtime_ns, cloud)

    @contextlib.contextmanager
    def server(
        self,
        name: str,
        image: str,
        *,
        flavor: str = "",
        cloud: str = "lab",
        timeout: float = 120,
        **options: t.Any,
    ) -> t.Iterator[t.Any]:
        """A server that is ACTIVE, and is deleted at the end whatever became of it.

        Flavors: `blank` (no system, 64 MiB), `guest`, and `fake`, which costs nothing since it is on no hypervisor.
        Without one it is `guest` for the images that hold a system and `blank` for the others.
        """
        connection = self.connect(cloud)
        flavor = flavor or ("blank" if image.startswith("blank") else "guest")
        given = {"key_name": "lab", "networks": "none", **options}
        if image:
            given["image_id"] = connection.image.find_image(image, ignore_missing=False).id
        flavor_id = connection.compute.find_flavor(flavor, ignore_missing=False).id
        server = connection.compute.create_server(name=name, flavor_id=flavor_id, **given)
        try:
            self.wait(server.id, "ACTIVE", timeout=timeout)
            yield connection.compute.get_server(server.id)
        finally:
            self.delete(server.id)

    @contextlib.contextmanager
    def volume(
        self, name: str, size: int = 1, image: str | None = None, *, cloud: str = "lab", **options: t.Any
    ) -> t.Iterator[t.Any]:
        """A volume of some GiB that is available, empty or filled with an image, and is deleted at the end.

        A server that has it then is deleted first: a machine without a system gives back no disk while it runs.
        """
        connection = self.connect(cloud)
        image_id = connection.image.find_image(image, ignore_missing=False).id if image else None
        volume = connection.block_storage.create_volume(name=name, size=size, image_id=image_id, **options)
        try:
            yield self.wait_volume(volume.id, "available")
        finally:
            for attachment in self.connect("lab-admin").block_storage.get_volume(volume.id).attachments:
                self.delete(attachment["server_id"])
            self.wait_volume(volume.id, "available", "error")
            connection.block_storage.delete_volume(volume)
            wait_until(
                f"volume {volume.id} is deleted",
                lambda: connection.block_storage.find_volume(volume.id, ignore_missing=True) is None,
                timeout=60,
                interval=0.3,
            )

    def wait_volume(self, volume: str, *statuses: str, timeout: float = 60) -> t.Any:
        """The volume, once it has one of these states; an error at once when it has failed instead."""
        admin = self.connect("lab-admin")

        def arrived() -> t.Any:
            now = admin.block_storage.get_volume(volume)
            if now.status.startswith("error") and now.status not in statuses:
                raise LabError(f"volume {volume} is in {now.status}")
            return now if now.status in statuses else None

        return wait_until(f"volume {volume} is {' or '.join(statuses)}", arrived, timeout=timeout, interval=0.3)

    def attach(self, server: str, volume: str, *, cloud: str = "lab") -> str:
        """Attach a volume to a server, by their IDs, and wait until it is; the device that Nova gave it."""
        made = self.connect(cloud).compute.create_volume_attachment(server, volume_id=volume)
        self.wait_volume(volume, "in-use")
        return str(made.device)

    def detach(self, server: str, volume: str) -> None:
        """Detach a volume from a server that is off or has a system, and wait until it is free."""
        self.connect("lab-admin").compute.delete_volume_attachment(server, volume)
        self.wait_volume(volume, "available")

    @staticmethod
    def bootable(volume: t.Any, *, delete: bool = False) -> dict[str, t.Any]:
        """The options with which `server`, with no image, makes one whose root disk is this volume."""
        return {
            "block_device_mapping": [
                {
                    "boot_index": 0,
                    "uuid": volume.id,
                    "source_type": "volume",
                    "destination_type": "volume",
                    "delete_on_termination": delete,
                }
            ]
        }

    def wait(self, server: str, *statuses: str, timeout: float = 120) -> t.Any:
        """The server, once it has one of these states and no task; an error at once when it is in ERROR instead."""
        admin = self.connect("lab-admin")

        def arrived() -> t.Any:
            now = admin.compute.get_server(server)
            if now.status == "ERROR" and "ERROR" not in statuses:
                raise LabError(f"server {server} is in ERROR: {now.fault}")
            return now if now.status in statuses and now.task_state is None else None

        return wait_until(f"server {server} is {' or '.join(statuses)}", arrived, timeout=timeout, interval=0.3)

    def wait_for_console(self, server: str, text: str, *, timeout: float = 240) -> None:
        """Wait until the server has written that to its console."""
        compute = self.connect().compute
        wait_until(
            f"server {server} writes '{text}'",
            lambda: text in (compute.get_server_console_output(server)["output"] or ""),
            timeout=timeout,
            interval=3,
        )

    def delete(self, server: str, timeout: float = 60) -> None:
        """Delete a server in any state, and wait until it is gone."""
        import openstack.exceptions

        admin = self.connect("lab-admin")
        # With force, the SDK does not heed ignore_missing.
        with contextlib.suppress(openstack.exceptions.NotFoundException):
            admin.compute.delete_server(server, force=True)
        deadline = time.monotonic() + timeout
        while admin.compute.find_server(server, ignore_missing=True, all_projects=True) is not None:
            if time.monotonic() > deadline:
                raise LabError(f"server {server} is not deleted after {timeout:g} s")
            time.sleep(0.3)

    def posts(self, server: str) -> int:
        """How many actions the API was asked for on this server since the cloud began, by the API's own log."""
        text = self.log("nova-api").read_text(encoding="utf-8", errors="replace")
        return sum(found == server for found in POST.findall(text))

    def ssh_port(self, server: str, timeout: float = 30) -> int:
        """The port of 127.0.0.1 that leads to the server's SSH, the same for all its life, rescued or not."""
        file = self.directory / "ports.json"

        def known() -> t.Any:
            return json.loads(file.read_text(encoding="ascii")).get(server) if file.exists() else None

        return int(wait_until(f"server {server} has a card", known, timeout=timeout))

    def log(self, service: str) -> pathlib.Path:
        """All that a service said."""
        return self.directory / "logs" / f"{service}.log"

    def kill(self, service: str) -> None:
        """SIGKILL to every process of a service (`nova-compute`, `neutron`, `rabbitmq`, ...)."""
        run(COMMAND, "kill", service)

    def start(self, service: str) -> None:
        """Start a service again and wait until it serves."""
        run(COMMAND, "start", service)

    def environment(self, cloud: str = "lab") -> dict[str, str]:
        """What a command wants in its environment to use this cloud and no other."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
        return {**clean, "OS_CLIENT_CONFIG_FILE": str(self.config), "OS_CLOUD": cloud}


@functools.cache
def _connection(config: pathlib.Path, _written: int, cloud: str) -> t.Any:
    # The lab's own commands run without the SDK.
    import openstack.config

    loader = openstack.config.OpenStackConfig(config_files=[str(config)], load_envvars=False)
    return openstack.connection.Connection(config=loader.get_one(cloud=cloud))


@contextlib.contextmanager
def running_cloud() -> t.Iterator[Cloud]:
    """The running cloud. Who started it stops it: a cloud that was up before stays up."""
    ours = not cloud_host.config().exists()
    try:
        yield Cloud.up() if ours else Cloud(cloud_host.cloud_dir())
    finally:
        if ours:
            run(COMMAND, "down")
