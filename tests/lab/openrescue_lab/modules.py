# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""Modules of the collection run as Ansible runs them: each a process of its own, its arguments as JSON on stdin."""

from __future__ import annotations

import atexit
import dataclasses
import functools
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import typing as t

from .base import LAB_DIR, LabError, run, wait_until

PACKAGE = "ansible_collections.openrescue.server.plugins.modules"
#: what a module's process is forked from: `NURSERY SOCKET LIFE`, which ends when nobody writes to LIFE any more
NURSERY = """
import contextlib, importlib, json, os, pkgutil, runpy, select, signal, socket, sys

from ansible.module_utils import basic
import openstack.connection
import openstack.block_storage.v3._proxy, openstack.compute.v2._proxy, openstack.image.v2._proxy
from ansible_collections.openrescue.server.plugins import module_utils

# One of the environments is without.
with contextlib.suppress(ImportError):
    import libvirt

for found in pkgutil.walk_packages(module_utils.__path__, module_utils.__name__ + "."):
    importlib.import_module(found.name)


def run(line, outputs):
    asked = json.loads(line.makefile("rb").read())
    pid = os.fork()
    if pid:
        line.sendall(b"%d" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        os._exit(0)
    for number, output in enumerate((os.open(os.devnull, os.O_RDONLY), *outputs)):
        os.dup2(output, number)
    line.close()
    os.environ.clear()
    os.environ.update(asked["env"])
    # As ansible-core hands them over.
    basic._ANSIBLE_ARGS, basic._ANSIBLE_PROFILE = asked["arguments"].encode(), "legacy"
    runpy.run_module(asked["module"], run_name="__main__")


signal.signal(signal.SIGCHLD, signal.SIG_IGN)
waiting, life = socket.socket(socket.AF_UNIX), int(sys.argv[2])
waiting.bind(sys.argv[1] + ".new")
waiting.listen(64)
os.rename(sys.argv[1] + ".new", sys.argv[1])
while life not in select.select([waiting, life], [], [])[0]:
    line, _address = waiting.accept()
    if os.fork() == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.close(life)
        waiting.close()
        run(line, socket.recv_fds(line, 1, 2)[1])
        sys.exit(0)
    line.close()
"""


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a module ended."""

    returncode: int
    values: dict[str, t.Any]
    text: str

    @property
    def server(self) -> dict[str, t.Any]:
        """The result of the one server, or of the first of several."""
        return t.cast("dict[str, t.Any]", self.values["servers"][0])

    @property
    def message(self) -> str:
        return str(self.values["msg"])

    @property
    def error(self) -> dict[str, t.Any] | None:
        """What the one server's result says, or, where no server was reached, the module's."""
        return t.cast("dict[str, t.Any] | None", self.values.get("error") or self.server["error"])

    @property
    def code(self) -> str | None:
        return self.error["code"] if self.error else None

    def must_end_well(self) -> dict[str, t.Any]:
        """The one server's result; an error where the module failed."""
        if self.returncode:
            raise LabError(str(self.values.get("msg", self.text)))
        return self.server


@functools.cache
def tree() -> str:
    """A directory in which this checkout is importable as a collection."""
    return run(LAB_DIR / "venv", "tree").strip()


def start(
    name: str,
    arguments: t.Mapping[str, t.Any],
    *,
    env: t.Mapping[str, str] | None = None,
    python: str = sys.executable,
    program: str = "",
) -> subprocess.Popen[str]:
    """Start a module; `env` is its whole environment, and `program` Python source to run in its place, for $MODULE."""
    module = f"{PACKAGE}.{name}"
    env = os.environ if env is None else env
    paths = os.pathsep.join(filter(None, (env.get("PYTHONPATH"), tree())))
    process = subprocess.Popen(
        [python, *(["-c", program] if program else ["-m", module])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**env, "PYTHONPATH": paths, "MODULE": module},
        cwd="/",
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": dict(arguments)}))
    process.stdin.close()
    process.stdin = None
    return process


def end(process: subprocess.Popen[str], *, timeout: float = 300) -> Ended:
    """Wait for a module and read its result; no module ever ends with a traceback, so that is seen to here."""
    stdout, stderr = process.communicate(timeout=timeout)
    return _ended(process.returncode, stdout, stderr)


def _ended(returncode: int, stdout: str, stderr: str) -> Ended:
    assert "Traceback" not in stdout + stderr, stdout + stderr
    return Ended(returncode, json.loads(stdout or "{}"), stdout + stderr)


def call(
    name: str,
    arguments: t.Mapping[str, t.Any],
    *,
    env: t.Mapping[str, str] | None = None,
    python: str = sys.executable,
    timeout: float = 300,
) -> Ended:
    """Run a module to its end; options as for :func:`start`.

    Its process is forked from one that has imported everything, which saves up to a second of processor time, unless
    what it imports is asked for by PYTHONPATH.
    """
    env = dict(os.environ if env is None else env)
    if env.get("PYTHONPATH", tree()) != tree():
        return end(start(name, arguments, env=env, python=python), timeout=timeout)
    asked = {
        "module": f"{PACKAGE}.{name}",
        "arguments": json.dumps({"ANSIBLE_MODULE_ARGS": dict(arguments)}),
        "env": env,
    }
    with (
        tempfile.TemporaryFile("w+") as stdout,
        tempfile.TemporaryFile("w+") as stderr,
        socket.socket(socket.AF_UNIX) as line,
    ):
        line.settimeout(timeout)
        line.connect(_nursery(python))
        socket.send_fds(line, [b"."], [stdout.fileno(), stderr.fileno()])
        line.sendall(json.dumps(asked).encode())
        line.shutdown(socket.SHUT_WR)
        returncode = int(line.recv(16) or -1)
        stdout.seek(0)
        stderr.seek(0)
        return _ended(returncode, stdout.read(), stderr.read())


@functools.cache
def _nursery(python: str) -> str:
    """The socket of a process that forks one for each module; it ends with this one."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="openrescue-modules-"), "socket")
    life, ours = os.pipe()
    process = subprocess.Popen(
        [python, "-c", NURSERY, path, str(life)], pass_fds=[life], cwd="/", env={**os.environ, "PYTHONPATH": tree()}
    )
    os.close(life)
    atexit.register(shutil.rmtree, path.parent)
    atexit.register(process.wait)
    atexit.register(os.close, ours)
    wait_until("modules can be run", lambda: path.exists() or process.poll() is not None, timeout=120)
    if process.poll() is not None:
        raise LabError(f"the process that runs modules ended with {process.returncode}")
    return str(path)
