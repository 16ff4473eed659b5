# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running the rescue system's tools: bounded, without a shell, and without surprises from the environment.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
import typing as t

from .._errors import OpenRescueError
from .._text import printable

__all__ = ("Completed", "Tools")

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENVIRONMENT = {"PATH": SEARCH_PATH, "LC_ALL": "C", "LANG": "C", "HOME": "/", "TERM": "dumb"}
MAX_OUTPUT = 8 * 1024 * 1024


@dataclasses.dataclass(frozen=True)
class Completed:
    """What a tool left behind; output is decoded with ``surrogateescape`` and cut at 8 MiB."""

    argv: tuple[str, ...]
    rc: int
    stdout: str
    stderr: str
    seconds: float


class Tools:
    """The tools of the rescue system, found on a fixed path.

    :param timeout: seconds from now on after which no tool goes on, whatever it was given itself.
    """

    def __init__(self, *, timeout: float | None = None) -> None:
        self._found: dict[str, str | None] = {}
        self._end = None if timeout is None else time.monotonic() + timeout

    def has(self, name: str) -> bool:
        return self._locate(name) is not None

    def run(
        self,
        argv: t.Sequence[str],
        *,
        timeout: float,
        ok: t.Container[int] = (0,),
        stdin: bytes | None = None,
    ) -> Completed:
        """Run one tool to its end.

        :param ok: exit codes that are results; every other code raises.
        :raises OpenRescueError: ``tool_missing``, ``tool_timeout`` or ``tool_failed``.
        """
        program = self._locate(argv[0])
        if program is None:
            raise OpenRescueError(
                f"the rescue system has no '{argv[0]}'",
                code="tool_missing",
                hint=f"Use a rescue image that brings '{argv[0]}'",
            )
        if self._end is not None:
            # Cleaning up is still allowed a moment when the time is over.
            timeout = min(timeout, max(self._end - time.monotonic(), 30.0))
        done = self._spawn([program, *argv[1:]], timeout=timeout, stdin=stdin)
        if done.rc not in ok:
            last = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()][-1:]
            raise OpenRescueError(
                f"'{' '.join(argv)}' ended with code {done.rc}: {printable(last[0]) if last else 'no output'}",
                code="tool_failed",
            )
        return done

    def _locate(self, name: str) -> str | None:
        if name not in self._found:
            self._found[name] = shutil.which(name, path=SEARCH_PATH)
        return self._found[name]

    @staticmethod
    def _spawn(argv: t.Sequence[str], *, timeout: float, stdin: bytes | None) -> Completed:
        # Output goes to files, not pipes: a child that outlives its parent cannot hold us at a pipe's end.
        started = time.monotonic()
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as given:
            given.write(stdin or b"")
            given.seek(0)
            process = subprocess.Popen(
                argv, stdin=given, stdout=out, stderr=err, env=ENVIRONMENT, cwd="/", start_new_session=True
            )
            try:
                rc = _wait(process, timeout)
            except subprocess.TimeoutExpired:
                raise OpenRescueError(
                    f"'{' '.join(argv)}' did not end within {timeout:g} seconds",
                    code="tool_timeout",
                    hint="A failing disk is the usual cause: look at the kernel messages of the rescue system",
                ) from None
            finally:
                _end_session(process)
            return Completed(tuple(argv), rc, _read(out), _read(err), time.monotonic() - started)


def _wait(process: subprocess.Popen[bytes], timeout: float) -> int:
    """Wait asleep: Popen.wait() with a time limit looks twenty times a second, which a slow machine feels."""
    try:
        watched = os.pidfd_open(process.pid)
    except OSError:  # Linux before 5.3
        return process.wait(timeout=timeout)
    try:
        if not select.select([watched], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(process.args, timeout)
        return process.wait()
    finally:
        os.close(watched)


def _end_session(process: subprocess.Popen[bytes]) -> None:
    """Leave nothing running of what a tool started, also after a timeout or an interruption."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _read(file: t.IO[bytes]) -> str:
    file.seek(0)
    return file.read(MAX_OUTPUT).decode("utf-8", "surrogateescape")
