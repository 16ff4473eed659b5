# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs gates, and believes none that has not counted what it looked at.

A gate is a function ``gate(run) -> Counted``. It fails by raising, and it fails when it counted nothing: a linter
without files and a test run without tests both end with exit code 0.
"""

from __future__ import annotations

import collections.abc
import contextlib
import copy
import dataclasses
import os
import pathlib
import re
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

Gate = collections.abc.Callable[["Run"], "Counted"]

#: How pytest (a traceback's own lines, the summary), ansible-playbook, molecule and the linters begin what they blame.
TELLING = re.compile(r"^\s*(E   |FAILED |ERROR[: ]|CRITICAL|fatal: |failed: |\[ERROR\]|Error: )|: (error|Failed \()")


@dataclasses.dataclass(frozen=True)
class Counted:
    """What a gate looked at. A gate that is not a suite of tests passes or fails as one test."""

    number: int
    unit: str
    passed: int = 1
    failed: int = 0


class GateFailed(Exception):
    """A gate's own verdict; the text is for people."""

    def __init__(self, message: str, *, passed: int = 0, failed: int = 1) -> None:
        super().__init__(message)
        self.passed = passed
        self.failed = failed


class NotTried(Exception):
    """This machine has not what the gate needs. It has neither passed nor failed, and is counted as nothing."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    name: str
    seconds: float
    counted: Counted | None
    error: str
    passed: int
    failed: int
    #: Of a gate that failed, the lines that say why.
    reasons: tuple[str, ...] = ()


class Run:
    """Runs a gate's commands in ``cwd``, each within the gate's time, and keeps what they said."""

    def __init__(self, *, cwd: pathlib.Path, env: dict[str, str], seconds: float, live: bool, label: str = "") -> None:
        self.cwd = cwd
        self.env = env
        self.live = live
        self.label = label
        self.output: list[str] = []
        self._deadline = time.monotonic() + seconds

    def __call__(self, *argv: str, cwd: pathlib.Path | None = None, env: dict[str, str] | None = None) -> str:
        code, text = self.status(*argv, cwd=cwd, env=env)
        if code:
            raise GateFailed(f"exit code {code}: {' '.join(argv)}")
        return text

    def status(self, *argv: str, cwd: pathlib.Path | None = None, env: dict[str, str] | None = None) -> tuple[int, str]:
        """Exit code and output. A command past its time is ended with everything that it started."""
        self._say(f"$ {' '.join(argv)}\n")
        process = subprocess.Popen(
            argv,
            cwd=cwd or self.cwd,
            env={**self.env, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            _end(process)

        timer = threading.Timer(max(0.0, self._deadline - time.monotonic()), expire)
        timer.start()
        said: list[str] = []
        try:
            assert process.stdout is not None
            for line in process.stdout:
                said.append(line)
                self._say(line)
            code = process.wait()
        finally:
            timer.cancel()
            _end(process)
        if expired.is_set():
            raise GateFailed(f"did not end in time: {' '.join(argv)}")
        return code, "".join(said)

    def elsewhere(self, cwd: pathlib.Path, env: dict[str, str]) -> Run:
        """The same run in another directory and environment: one time for all, one output."""
        other = copy.copy(self)
        other.cwd = cwd
        other.env = {**self.env, **env}
        return other

    def _say(self, text: str) -> None:
        self.output.append(text)
        if self.live:
            print(f"{self.label}{text}", end="", flush=True)


def _end(process: subprocess.Popen[str]) -> None:
    """End the command's whole session, politely first."""
    for number, patience in ((signal.SIGTERM, 30.0), (signal.SIGKILL, 10.0)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if process.poll() is None:
                os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
            return


def run_gate(name: str, gate: Gate, run: Run) -> Outcome:
    start = time.monotonic()
    try:
        counted = gate(run)
        if counted.number < 1 or counted.passed < 1:
            raise GateFailed(f"counted no {counted.unit}: nothing was tested")
        if counted.failed:
            raise GateFailed(f"{counted.failed} failed", passed=counted.passed, failed=counted.failed)
    except GateFailed as failed:
        why = reasons("".join(run.output))
        return Outcome(name, time.monotonic() - start, None, str(failed), failed.passed, failed.failed, why)
    except NotTried as missing:
        return Outcome(name, time.monotonic() - start, None, str(missing), 0, 0)
    except OSError as failed:
        return Outcome(name, time.monotonic() - start, None, f"cannot run: {failed}", 0, 1)
    return Outcome(name, time.monotonic() - start, counted, "", counted.passed, 0)


def run_gates(gates: dict[str, Gate], *, make_run: collections.abc.Callable[[str], Run], jobs: int) -> list[Outcome]:
    """Run every gate whatever becomes of the others, and tell of each when it is done."""

    def one(item: tuple[str, Gate]) -> Outcome:
        name, gate = item
        run = make_run(name)
        if run.live:
            print(f"\n=== {name}", flush=True)
        outcome = run_gate(name, gate, run)
        said = "".join(run.output) if outcome.error and not run.live else ""
        print(f"{said}{_line(outcome)}", flush=True)
        return outcome

    if jobs == 1:
        return [one(item) for item in gates.items()]
    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(one, gates.items()))


def _line(outcome: Outcome) -> str:
    what = f"{outcome.counted.number} {outcome.counted.unit}" if outcome.counted else outcome.error
    verdict = "ok" if outcome.counted else "FAILED" if outcome.failed else "-"
    return f"{verdict:<6}  {outcome.name:<20} {outcome.seconds:7.1f} s  {what}"


def reasons(output: str, *, most: int = 15) -> tuple[str, ...]:
    """The last lines of a gate's output in which a tool says that something failed, each of at most 300 characters."""
    found = [line.strip()[:300] for line in output.splitlines() if TELLING.search(line)]
    return tuple(found[-most:])


def table(outcomes: list[Outcome], *, seconds: float) -> str:
    """The closing lines, with the reasons of what failed; the very last one is for machines."""
    passed = sum(outcome.passed for outcome in outcomes)
    failed = sum(outcome.failed for outcome in outcomes)
    lines = ["", *(_line(outcome) for outcome in outcomes), f"{len(outcomes)} gates in {seconds:.0f} s"]
    lines += [f"{outcome.name}: {line}" for outcome in outcomes for line in outcome.reasons]
    return "\n".join([*lines, f"{passed} passed, {failed} failed"])
