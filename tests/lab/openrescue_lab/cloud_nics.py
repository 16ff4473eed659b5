# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""Gives each guest of the cloud a network card that nobody but the lab knows of.

The cloud has no network agents, so its servers are made with `--nic none`. Whenever a domain has started (each start,
rescue, unrescue and hard reboot makes a new one) it gets a user-mode card with 127.0.0.1:PORT forwarded to its port 22.
PORT belongs to the server for ever, and stands in ports.json under the server's ID.
"""

from __future__ import annotations

import json
import pathlib
import socket
import sys
import time
import typing as t
import xml.etree.ElementTree as ElementTree

import libvirt
import libvirt_qemu

CARD = "<interface type='user'><model type='virtio'/><alias name='ua-lab'/></interface>"


class Ports:
    """Which port belongs to which server, kept in a file."""

    def __init__(self, file: pathlib.Path, *, first: int, last: int) -> None:
        self.file, self.first, self.last = file, first, last
        self.known: dict[str, int] = json.loads(file.read_text(encoding="ascii")) if file.exists() else {}

    def of(self, server: str) -> int:
        """The server's port; a free one when the server is new."""
        if server not in self.known:
            self.known[server] = self._free()
            scratch = self.file.with_suffix(".new")
            scratch.write_text(json.dumps(self.known, indent=1), encoding="ascii")
            scratch.replace(self.file)
        return self.known[server]

    def _free(self) -> int:
        taken = set(self.known.values())
        for port in range(self.first, self.last + 1):
            if port not in taken and _can_listen(port):
                return port
        raise RuntimeError(f"no port is free between {self.first} and {self.last}")


def _can_listen(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def has_card(domain: t.Any) -> bool:
    """Whether the running domain has its card already."""
    tree = ElementTree.fromstring(domain.XMLDesc())
    return any(alias.get("name") == "ua-lab" for alias in tree.iterfind("devices/interface/alias"))


def plug(domain: t.Any, port: int) -> bool:
    """Give a running domain its card; whether it got one now."""
    plugged = not has_card(domain)
    if plugged:
        domain.attachDeviceFlags(CARD, libvirt.VIR_DOMAIN_AFFECT_LIVE)
    # Asked for each time: this daemon may have been killed between the two steps. QEMU refuses a second one.
    rule = f"hostfwd_add hostua-lab tcp:127.0.0.1:{port}-:22"
    said = libvirt_qemu.qemuMonitorCommand(domain, rule, libvirt_qemu.VIR_DOMAIN_QEMU_MONITOR_COMMAND_HMP)
    if plugged and said.strip():
        raise RuntimeError(f"QEMU refused '{rule}': {said.strip()}")
    return plugged


def watch(uri: str, ports: Ports) -> t.NoReturn:
    """Plug a card into each domain that starts, for ever."""
    seen: dict[str, int] = {}
    connection = libvirt.open(uri)
    while True:
        running = connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE)
        alive = {domain.UUIDString(): domain for domain in running}
        seen = {server: number for server, number in seen.items() if server in alive}
        for server, domain in alive.items():
            try:
                number = domain.ID()
                if number > 0 and seen.get(server) != number:
                    port = ports.of(server)
                    if plug(domain, port):
                        print(f"{server}: 127.0.0.1:{port} (domain {number})", flush=True)
                    seen[server] = number
            except (libvirt.libvirtError, RuntimeError) as error:
                # It stopped meanwhile, or cannot be plugged yet; the next round sees.
                print(f"{server}: {error}", flush=True)
        time.sleep(0.3)


def main() -> t.NoReturn:
    """cloud_nics URI PORTS_FILE FIRST LAST; starts anew when libvirtd was away."""
    uri, file, first, last = sys.argv[1:]
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    while True:
        try:
            watch(uri, Ports(pathlib.Path(file), first=int(first), last=int(last)))
        except libvirt.libvirtError as error:
            print(error, flush=True)
            time.sleep(1)


if __name__ == "__main__":
    main()
