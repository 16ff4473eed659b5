# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""Modules of the collection run as Ansible runs them: each a process of its own, its arguments as JSON on stdin."""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import subprocess
import sys
import typing as t

from .base import LAB_DIR, LabError, run

PACKAGE = "ansible_collections.openrescue.server.plugins.modules"


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
    assert "Traceback" not in stdout + stderr, stdout + stderr
    return Ended(process.returncode, json.loads(stdout or "{}"), stdout + stderr)


def call(name: str, arguments: t.Mapping[str, t.Any], **options: t.Any) -> Ended:
    """Run a module; options as for :func:`start`."""
    return end(start(name, arguments, **options))
