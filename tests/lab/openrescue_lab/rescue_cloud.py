# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""What OpenStack gives a server, for a guest of the lab: Nova's DMI, a metadata service, a config drive."""

from __future__ import annotations

import contextlib
import dataclasses
import http.server
import json
import pathlib
import socket
import threading
import typing as t
import xml.etree.ElementTree as ElementTree

from . import daemon
from .base import run
from .domain import Domain

QEMU = "http://libvirt.org/schemas/domain/qemu/1.0"
#: the address of the metadata service, behind which QEMU's user-mode network puts the host's own 127.0.0.1
NETWORK = "user,id=cloud,net=169.254.0.0/16,host=169.254.169.254"
#: what Nova's config_drive_format=vfat makes: 64 MiB, and no partition table
DRIVE_SIZE = "64M"


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def as_openstack(domain: Domain, *, ssh_port: int = 0) -> Domain:
    """Give a defined domain the DMI of Nova, and with a port a network card whose SSH is at that port of 127.0.0.1."""
    ElementTree.register_namespace("qemu", QEMU)
    tree = ElementTree.fromstring(domain.virsh("dumpxml", "--inactive"))
    # Nova names the product; the maker is a word of each distribution.
    info = ElementTree.SubElement(tree, "sysinfo", {"type": "smbios"})
    system = ElementTree.SubElement(info, "system")
    ElementTree.SubElement(system, "entry", {"name": "product"}).text = "OpenStack Nova"
    place = tree.find("os")
    assert place is not None
    ElementTree.SubElement(place, "smbios", {"mode": "sysinfo"})
    if ssh_port:
        line = ElementTree.SubElement(tree, f"{{{QEMU}}}commandline")
        card = "virtio-net-pci,netdev=cloud,bus=pci.0,addr=0x1d"
        for word in ("-netdev", f"{NETWORK},hostfwd=tcp:127.0.0.1:{ssh_port}-:22", "-device", card):
            ElementTree.SubElement(line, f"{{{QEMU}}}arg", {"value": word})
    run("virsh", "-q", "-c", daemon.uri(), "define", "/dev/stdin", input=ElementTree.tostring(tree, encoding="unicode"))
    return domain


@dataclasses.dataclass
class MetadataService:
    """A metadata service that says what a test wants, and counts what it was asked."""

    #: path -> answer; any other path is not found
    answers: dict[str, bytes] = dataclasses.field(default_factory=dict)
    asked: list[str] = dataclasses.field(default_factory=list)
    #: while it is not set, requests are taken and left without an answer
    speaks: threading.Event = dataclasses.field(default_factory=threading.Event)


@contextlib.contextmanager
def metadata_service() -> t.Iterator[MetadataService]:
    """The service on port 80 of 127.0.0.1, silent at first."""
    service = MetadataService()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            service.asked.append(self.path)
            service.speaks.wait()
            answer = service.answers.get(self.path)
            with contextlib.suppress(OSError):  # who asked has gone: it was silent for too long, or said too much
                self.send_response(404 if answer is None else 200)
                self.send_header("Content-Length", str(len(answer or b"")))
                self.end_headers()
                self.wfile.write(answer or b"")

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the test reads `asked`."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 80), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.speaks.set()
        server.shutdown()
        server.server_close()
        thread.join()


def config_drive(directory: pathlib.Path, *, name: str, kind: str, files: dict[str, str]) -> pathlib.Path:
    """A config drive as Nova makes it, of the kind `iso9660` or `vfat`."""
    source = directory / name
    for path, text in files.items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text(text, encoding="utf-8")
    image = directory / f"{name}.raw"
    if kind == "iso9660":
        run("genisoimage", "-quiet", "-J", "-r", "-V", "config-2", "-output", image, source)
        return image
    run("truncate", "--size", DRIVE_SIZE, image)
    run("mkfs", "-t", "vfat", "-n", "config-2", image)
    run("mcopy", "-s", "-i", image, source / "openstack", "::")
    return image


def drive_files(*, key: str, user_data: str, network: dict[str, t.Any] | None = None) -> dict[str, str]:
    """The files of a server's config drive: its key, and all that could run something."""
    metadata = {
        "uuid": "6d2b8fe6-0f8c-4f3b-9a2f-1f1d4a0f0c0e",
        "hostname": "patient",
        "name": "patient",
        "public_keys": {"mine": f"{key}\n"},
        "files": [{"path": "/run/hostile-file", "content_path": "/content/0000"}],
        "meta": {"dsmode": "pass"},
    }
    files = {"openstack/content/0000": "hostile\n", "ec2/latest/user-data": user_data}
    for version in ("latest", "2018-08-27"):
        files[f"openstack/{version}/meta_data.json"] = json.dumps(metadata)
        files[f"openstack/{version}/user_data"] = user_data
        files[f"openstack/{version}/vendor_data.json"] = json.dumps({"cloud-init": user_data})
        files[f"openstack/{version}/vendor_data2.json"] = json.dumps({"any": {"cloud-init": user_data}})
        files[f"openstack/{version}/network_data.json"] = json.dumps(network or {"links": [], "networks": []})
    return files
