# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""A real SSH server on loopback, without a guest: what it runs runs here, as root."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import socket
import subprocess
import typing as t

from .base import run, wait_until

#: In a home of its own, since it takes keys from there and from nowhere else. What it starts sees that home, too.
_SERVE = """\
set -e
mount --make-rprivate /
mkdir "$1/home/.ssh"
cp "$1/authorized_keys" "$1/home/.ssh/authorized_keys"
chmod -R go= "$1/home"
mount --bind "$1/home" ~root
if [ "$3" ]; then mount --bind "$3" /run/libvirt; fi
exec dropbear -F -E -s -m -r "$1/host_key" -p "127.0.0.1:$2" -P "$1/pid"
"""


@dataclasses.dataclass(frozen=True)
class SshServer:
    """Where it is reached, and a key that opens it; any other key is refused."""

    port: int
    key: pathlib.Path
    host_key: str


@contextlib.contextmanager
def ssh_server(directory: pathlib.Path, *, libvirt: pathlib.Path | None = None) -> t.Iterator[SshServer]:
    """Runs until the block ends; keeps what it needs in a directory that is empty before.

    :param libvirt: the directory with the sockets of the libvirt that whoever logs in there finds.
    """
    key = directory / "key"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
    (directory / "authorized_keys").write_bytes(key.with_suffix(".pub").read_bytes())
    (directory / "home").mkdir()
    made = run("dropbearkey", "-t", "ed25519", "-f", directory / "host_key")
    host_key = next(line for line in made.splitlines() if line.startswith("ssh-ed25519 "))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = ["unshare", "--mount", "sh", "-c", _SERVE, "sh", str(directory), str(port), str(libvirt or "")]
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        wait_until("the SSH server listens", lambda: _listens(port), timeout=60)
        yield SshServer(port, key, " ".join(host_key.split()[:2]))
    finally:
        process.terminate()
        process.wait(30)


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
