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
from .limit import Limit, Stopped
from .syscalls import die_with_parent

__all__ = ("DEVICE", "Completed", "ToolFailed", "ToolMissing", "ToolTimeout", "Tools")

#: stands in the arguments of a tool that repairs for the device, which is a layer or a copy at first
DEVICE = "{device}"
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENVIRONMENT = {"PATH": SEARCH_PATH, "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8", "HOME": "/", "TERM": "dumb"}
MAX_OUTPUT = 8 * 1024 * 1024
#: seconds that a tool still gets when the time is over or a stop was asked for: cleaning up takes a moment
_GRACE = 30.0
_LOOKING = 0.5


class ToolMissing(OpenRescueError):
    """The rescue system does not bring the tool."""

    code = "tool_missing"


class ToolTimeout(OpenRescueError):
    """The tool did not come to its end in the time that it was given."""

    code = "tool_timeout"


class ToolFailed(OpenRescueError):
    """The tool ended with a code that is no result."""

    code = "tool_failed"


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

    None of them repairs on a disk: each is given a layer or a copy, of which we write down what it changed. So each may
    be ended at any time, and ends with us.

    :param limit: the end of the call that they are run for, after which none goes on, whatever it was given itself.
    """

    def __init__(self, *, limit: Limit | None = None) -> None:
        self._found: dict[str, str | None] = {}
        self.limit = limit or Limit()

    def has(self, name: str) -> bool:
        return self._locate(name) is not None

    def run(
        self,
        argv: t.Sequence[str],
        *,
        timeout: float,
        ok: t.Container[int] = (0,),
        stdin: bytes | None = None,
        shown: str = "",
    ) -> Completed:
        """Run one tool to its end.

        :param ok: exit codes that are results; every other code raises.
        :param shown: what errors call it, where the command is not fit to be read.
        :raises OpenRescueError: ToolMissing, ToolTimeout, ToolFailed, or Stopped where the whole call is to end.
        """
        program = self._locate(argv[0])
        if program is None:
            raise ToolMissing(
                f"the rescue system has no '{argv[0]}'", hint=f"Use a rescue image that brings '{argv[0]}'"
            )
        allowed = min(timeout, max(self.limit.left, _GRACE))
        shown = shown or " ".join(argv)
        done = self._spawn([program, *argv[1:]], timeout=allowed, stdin=stdin, shown=shown)
        if done.rc not in ok:
            last = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()][-1:]
            raise ToolFailed(f"'{shown}' ended with code {done.rc}: {printable(last[0]) if last else 'no output'}")
        return done

    def _locate(self, name: str) -> str | None:
        if name not in self._found:
            self._found[name] = shutil.which(name, path=SEARCH_PATH)
        return self._found[name]

    def _spawn(self, argv: t.Sequence[str], *, timeout: float, stdin: bytes | None, shown: str) -> Completed:
        # Output goes to files, not pipes: a child that outlives its parent cannot hold us at a pipe's end.
        started = time.monotonic()
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as given:
            given.write(stdin or b"")
            given.seek(0)
            # run_command keeps no limit of time or output, and only modules know AnsibleModule.
            process = subprocess.Popen(  # pylint: disable=unknown-option-value,ansible-bad-function
                argv,
                stdin=given,
                stdout=out,
                stderr=err,
                env=ENVIRONMENT,
                cwd="/",
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
            try:
                rc = self._wait(process, timeout)
            except subprocess.TimeoutExpired:
                raise self._ended_early(shown, timeout) from None
            finally:
                _end_session(process)
            return Completed(tuple(argv), rc, _read(out), _read(err), time.monotonic() - started)

    def _wait(self, process: subprocess.Popen[bytes], timeout: float) -> int:
        """Wait asleep: Popen.wait() with a time limit looks twenty times a second, which a slow machine feels."""
        end = time.monotonic() + timeout
        ears = [] if self.limit.over else [self.limit.ear]
        watched = _watch(process)
        try:
            while True:
                left = max(0.0, end - time.monotonic())
                ready = select.select([*watched, *ears], [], [], left if watched else min(left, _LOOKING))[0]
                if process.poll() is not None:
                    return process.returncode
                if self.limit.ear in ready:
                    end, ears = min(end, time.monotonic() + _GRACE / 10), []
                elif left <= 0:
                    raise subprocess.TimeoutExpired(process.args, timeout)
        finally:
            for fd in watched:
                os.close(fd)

    def _ended_early(self, command: str, timeout: float) -> OpenRescueError:
        if self.limit.over:
            return Stopped(f"'{command}' was ended, since {self.limit.over}", retryable=True)
        return ToolTimeout(
            f"'{command}' did not end within {timeout:g} seconds",
            hint="A failing disk is the usual cause: look at the kernel messages of the rescue system",
        )


def _watch(process: subprocess.Popen[bytes]) -> list[int]:
    """A descriptor that tells of its end; none before Linux 5.3, where one has to look."""
    try:
        return [os.pidfd_open(process.pid)]
    except OSError:
        return []


def _end_session(process: subprocess.Popen[bytes]) -> None:
    """Leave nothing running of what a tool started, also after a timeout or an interruption."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _read(file: t.IO[bytes]) -> str:
    file.seek(0)
    return file.read(MAX_OUTPUT).decode("utf-8", "surrogateescape")
