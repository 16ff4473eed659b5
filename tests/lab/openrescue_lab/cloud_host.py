# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""What the cloud stands on: packages, environments, libvirt and images. Its services are tests/lab/cloud/up.yml."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import time
import typing as t

from . import breakage, daemon, guest, host
from .base import LAB_DIR, LabError, cached, fingerprint, locked, run, say, state_dir, wait_until
from .rescue import rescue_image

PACKAGES = ("mariadb-server", "rabbitmq-server")


def cloud_dir() -> pathlib.Path:
    """Where the running cloud lives: beside the lab, since a lab that goes down removes all that is in it."""
    chosen = os.environ.get("OPENRESCUE_CLOUD")
    return pathlib.Path(chosen).absolute() if chosen else state_dir().with_name(f"{state_dir().name}-cloud")


def config() -> pathlib.Path:
    """The cloud's clouds.yaml."""
    return cloud_dir() / "clouds.yaml"


def environment(name: str) -> pathlib.Path:
    """A virtual environment of the lab; made now, if it must be."""
    return pathlib.Path(run(LAB_DIR / "venv", "path", name).strip())


def images() -> dict[str, pathlib.Path]:
    """The cloud's images that are more than a megabyte of nothing, small enough to be uploaded in a moment."""
    healthy, rescue = guest.guest().disk, rescue_image()
    broken = "fstab-missing-device"

    def build(directory: pathlib.Path) -> None:
        disk = guest.copy_of(healthy, directory / "broken.raw")
        breakage.apply(broken, disk)
        compress(healthy, directory / "guest.qcow2")
        compress(disk, directory / "guest-broken-fstab.qcow2")
        disk.unlink()

    source = breakage.BREAKAGES / f"{broken.replace('-', '_')}.py"
    guests = cached("cloud-guests", fingerprint(healthy.parent.name, source), build)
    rescues = cached(
        "cloud-rescue",
        fingerprint(rescue.directory.name, str(rescue.manifest["build_id"])),
        lambda directory: compress(rescue.raw, directory / "rescue.qcow2"),
    )
    return {path.stem: path for directory in (guests, rescues) for path in directory.glob("*.qcow2")}


def compress(raw: pathlib.Path, qcow2: pathlib.Path) -> None:
    """A raw disk as a compressed qcow2."""
    run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-c", "-o", "compression_type=zstd", raw, qcow2)


def prepare() -> None:
    """Get its packages, its environments and its images, as far as they are not here."""
    host.prepare((*host.PACKAGES, *PACKAGES))
    for name in ("main", "cloud"):
        environment(name)
    images()


def up() -> pathlib.Path:
    """Start the cloud, or what is missing of it; its clouds.yaml."""
    started = time.monotonic()
    prepare()
    main, cloud = environment("main"), environment("cloud")
    with locked(cloud_dir().with_name(f"{cloud_dir().name}-up.lock")):
        if daemon.processes():
            # libvirtd may be about to come back; `daemon.up` would take the whole cloud down before it starts it.
            wait_until("libvirtd answers", daemon.answers, timeout=15)
        daemon.up()
        cloud_dir().chmod(0o700)
        built = images()
        say(f"the cloud's ground is ready after {time.monotonic() - started:.0f} s")
        play(main, cloud_venv=str(cloud), main_venv=str(main), images={name: str(path) for name, path in built.items()})
    say(f"the cloud is up after {time.monotonic() - started:.0f} s")
    return config()


def play(main: pathlib.Path, **variables: t.Any) -> None:
    """Run the playbook that starts the services."""
    values = {
        "cloud_dir": str(cloud_dir()),
        "cloud_command": str(LAB_DIR / "cloud/cloud"),
        "cloud_lab": str(LAB_DIR),
        "libvirt_uri": daemon.uri(),
        "ssh_key": str(guest.ssh_key()),
        "schema_cache": str(schema_cache()),
        "port_offset": int(os.environ.get("OPENRESCUE_CLOUD_PORTS", "0")),
        "ansible_python_interpreter": str(main / "bin/python"),
        **variables,
    }
    command = [str(main / "bin/ansible-playbook"), "-i", "localhost,", "-c", "local", "-e", json.dumps(values)]
    quiet = {
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "0",
        "ANSIBLE_CONFIG": str(LAB_DIR / "cloud/ansible.cfg"),
    }
    with (cloud_dir() / "up.log").open("a", encoding="utf-8") as log:
        done = subprocess.run(
            [*command, str(LAB_DIR / "cloud/up.yml")], env={**os.environ, **quiet}, stdout=log, stderr=log, check=False
        )
    if done.returncode:
        said = (cloud_dir() / "up.log").read_text(encoding="utf-8", errors="replace")[-4000:]
        raise LabError(f"the cloud does not start; {cloud_dir()}/up.log ends with:\n{said}")


def schema_cache() -> pathlib.Path:
    """Where the databases' tables are kept; see cloud/schema."""
    sources = (LAB_DIR / "requirements-cloud.lock", LAB_DIR / "cloud/roles/nova/files/schema")
    return cached("cloud-schemas", fingerprint(*sources), lambda directory: None)


def write_files(files: dict[str, str]) -> list[str]:
    """Write files below the cloud's directory, each in one step; those that are new or changed."""
    changed = []
    for name, text in files.items():
        file = cloud_dir() / name
        if file.exists() and file.read_text(encoding="utf-8") == text:
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        scratch = file.with_name(f".{file.name}.new")
        scratch.write_text(text, encoding="utf-8")
        scratch.chmod(0o600)
        scratch.replace(file)
        changed.append(name)
    return changed


def ssh_port(server: str, timeout: float = 30) -> int:
    """The port of 127.0.0.1 that leads to a server's SSH; waits for it, since a new server has it only once it runs."""
    file = cloud_dir() / "ports.json"

    def known() -> t.Any:
        return json.loads(file.read_text(encoding="ascii")).get(server) if file.exists() else None

    return int(wait_until(f"server {server} has a card", known, timeout=timeout))
