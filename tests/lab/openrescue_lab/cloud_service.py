# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""The cloud's processes: each started by itself, under a reaper of its own, and ended exactly."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import typing as t

from . import cloud_ready, daemon
from .base import LAB_DIR, LabError, locked, state_dir, wait_until

COMMAND = LAB_DIR / "cloud/cloud"


@dataclasses.dataclass(frozen=True)
class Spec:
    """How a service is started, when it is ready, and what has to be ready before it.

    `ready` is `http:URL`, `tcp:PORT`, `path:PATH`, `log:TEXT` (said since its last start), `reports:AUTH_URL URL` (the
    API's list of services at that URL says that it is up, and has reported since its last start), or nothing. What is
    ready by a path is a job that is done once: it ends, and is not started again.
    """

    argv: list[str]
    env: dict[str, str] = dataclasses.field(default_factory=dict)
    ready: str = ""
    after: list[str] = dataclasses.field(default_factory=list)

    @property
    def once(self) -> bool:
        """Whether it is a job that ends."""
        return self.ready.startswith("path:")


@dataclasses.dataclass(frozen=True)
class Service:
    """One service of the running cloud, by name."""

    name: str

    @property
    def log(self) -> pathlib.Path:
        """All that it says."""
        return state_dir() / "logs" / f"{self.name}.log"

    def _file(self, kind: str) -> pathlib.Path:
        return state_dir() / "services" / f"{self.name}.{kind}"

    def define(self, spec: Spec) -> bool:
        """Keep how it is started; whether that is new. One that runs in the old way is stopped."""
        text = json.dumps(dataclasses.asdict(spec), indent=2, sort_keys=True)
        file = self._file("json")
        if file.exists() and file.read_text(encoding="utf-8") == text:
            return False
        self.stop()
        file.parent.mkdir(parents=True, exist_ok=True)
        scratch = file.with_suffix(".new")
        scratch.write_text(text, encoding="utf-8")
        scratch.replace(file)
        return True

    def spec(self) -> Spec:
        """How it is started."""
        try:
            return Spec(**json.loads(self._file("json").read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise LabError(f"no service '{self.name}'; there are: {', '.join(names()) or 'none'}") from None

    def pid(self) -> int | None:
        """The process that reaps for it, if that still is the one which was started."""
        try:
            record = json.loads(self._file("pid").read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return None
        return int(record["pid"]) if birth(record["pid"]) == record["birth"] else None

    def start(self) -> bool:
        """Start it unless it runs; whether it was started now. Does not wait: see `wait`."""
        with locked(self._file("lock")):
            spec = self.spec()
            if self.pid() or (spec.once and self.is_ready()):
                return False
            self.log.parent.mkdir(parents=True, exist_ok=True)
            # In the mount namespace of the lab's libvirt: `down` finds all that is in it.
            inside = ["nsenter", f"--mount=/proc/{_anybody()}/ns/mnt", "--", "tini", "-s", "-g", "--"]
            if spec.after:
                inside += [str(COMMAND), "after", *spec.after, "--"]
            with self.log.open("ab") as log:
                self._file("mark").write_text(str(log.tell()), encoding="ascii")
                process = subprocess.Popen(
                    inside + spec.argv,
                    env={**os.environ, "LC_ALL": "C.UTF-8", **spec.env},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    cwd="/",
                )
            record = {"pid": process.pid, "birth": birth(process.pid)}
            self._file("pid").write_text(json.dumps(record), encoding="ascii")
            return True

    def wait(self, timeout: float = 90) -> None:
        """Wait until it serves."""

        def ready() -> bool:
            alive = self.pid() is not None
            if self.is_ready() and (alive or self.spec().once):
                return True
            if not alive:
                raise LabError(f"{self.name} has ended")
            return False

        try:
            wait_until(f"{self.name} is ready ({self.spec().ready})", ready, timeout=timeout, interval=0.3)
        except LabError as error:
            raise LabError(f"{error}\n{self.log} ends with:\n{self._last_words()}") from error

    def is_ready(self) -> bool:
        """Whether it serves now."""
        kind, _colon, value = self.spec().ready.partition(":")
        if kind == "http":
            return cloud_ready.answers_http(value)
        if kind == "tcp":
            return cloud_ready.listens(int(value))
        if kind == "path":
            return pathlib.Path(value).exists()
        if kind == "reports":
            auth_url, services_url = value.split()
            return cloud_ready.reports(auth_url, services_url, since=self._file("pid").stat().st_mtime)
        if kind == "log":
            with self.log.open("rb") as log:
                log.seek(int(self._file("mark").read_text(encoding="ascii")))
                return value.encode() in log.read()
        return self.pid() is not None

    def stop(self, timeout: float = 20) -> None:
        """Ask it to end; insist when it does not."""
        pid = self.pid()
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            with contextlib.suppress(LabError):
                wait_until(f"{self.name} ends", lambda: not self.pid(), timeout=timeout, interval=0.05)
        self.kill()

    def kill(self) -> int:
        """SIGKILL to every process of it; how many those were."""
        pid = self.pid()
        if not pid:
            return 0
        # Its reaper last: until then every orphan of the service is a child of it.
        family = descendants(pid)
        for member in (*reversed(family), pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(member, signal.SIGKILL)
        everybody = (pid, *family)
        wait_until(f"{self.name} is dead", lambda: not any(map(birth, everybody)), timeout=20, interval=0.02)
        return len(everybody)

    def _last_words(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")[-3000:] if self.log.exists() else "(nothing)"


def names() -> list[str]:
    """All services that are defined."""
    return sorted(path.stem for path in (state_dir() / "services").glob("*.json"))


def birth(pid: int) -> int | None:
    """When a process began, in clock ticks since the boot; None when it is gone, or dead and only not reaped yet."""
    try:
        fields = (
            pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        )
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def descendants(pid: int) -> list[int]:
    """Children, their children, and so on; parents first."""
    children: dict[int, list[int]] = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found: list[int] = []
    todo = [pid]
    while todo:
        below = children.get(todo.pop(0), [])
        found += below
        todo += below
    return found


def _anybody() -> int:
    """A process of the lab's libvirt, whose mount namespace the services share."""
    pids: t.Sequence[int] = daemon.processes()
    if not pids:
        raise LabError("the cloud is not up: 'make cloud' starts it")
    return min(pids)
