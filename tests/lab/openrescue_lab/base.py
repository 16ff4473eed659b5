# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""Places, commands and errors that every part of the lab shares."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import typing as t

LAB_DIR = pathlib.Path(__file__).resolve().parent.parent
REPOSITORY = LAB_DIR.parent.parent


class LabError(Exception):
    """The lab cannot do what it was asked, and why."""


def state_dir() -> pathlib.Path:
    """Where a running lab lives. Short, since a UNIX socket's path holds 107 characters."""
    return pathlib.Path(os.environ.get("OPENRESCUE_LAB", "/run/openrescue-lab")).absolute()


def cache_dir() -> pathlib.Path:
    """Where built images outlive the lab."""
    if os.environ.get("OPENRESCUE_CACHE"):
        path = pathlib.Path(os.environ["OPENRESCUE_CACHE"])
    else:
        path = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "openrescue-server"
    path.mkdir(parents=True, exist_ok=True)
    return path.absolute()


def say(text: str) -> None:
    """Progress goes to stderr: stdout is for what a command was asked to print."""
    print(f"lab: {text}", file=sys.stderr, flush=True)


def run(*command: str | os.PathLike[str], input: str = "", env: dict[str, str] | None = None) -> str:
    """Run a command; its stdout, or a LabError that shows what it said."""
    words = [os.fspath(word) for word in command]
    done = subprocess.run(
        words,
        input=input,
        env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-30:])
        raise LabError(f"'{' '.join(words)}' ended with {done.returncode}:\n{said}")
    return done.stdout


def wait_until(
    what: str, condition: t.Callable[[], t.Any], *, timeout: float, interval: float = 0.1, slower: float = 1.0
) -> t.Any:
    """The first true answer of condition(), asked again and again until the timeout.

    slower: where asking is dear, each interval is longer than the one before by this factor, up to a second.
    """
    deadline = time.monotonic() + timeout
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise LabError(f"waited {timeout:g} s in vain: {what}")
        time.sleep(interval)
        if slower > 1.0:
            interval = min(interval * slower, 1.0)


@contextlib.contextmanager
def locked(path: pathlib.Path) -> t.Iterator[None]:
    """Hold an exclusive lock; the kernel drops it with the process, however that ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def fingerprint(*inputs: str | pathlib.Path) -> str:
    """A short hash over texts and over the files of directories."""
    digest = hashlib.sha256()
    for item in inputs:
        if isinstance(item, str):
            digest.update(f"text {item}\0".encode())
            continue
        files = [item] if item.is_file() else sorted(path for path in item.rglob("*") if path.is_file())
        for path in files:
            if "__pycache__" not in path.parts:
                digest.update(f"file {path.relative_to(item)} {path.stat().st_mode:o}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def cached(kind: str, key: str, build: t.Callable[[pathlib.Path], object]) -> pathlib.Path:
    """The directory `kind-key` of the cache; built beside it and renamed when whole, so half an entry is never seen."""
    entry = cache_dir() / f"{kind}-{key}"
    if entry.is_dir():
        return entry
    with locked(cache_dir() / f".{kind}.lock"):
        if entry.is_dir():
            return entry
        for stale in cache_dir().glob(f".building-{kind}-*"):
            shutil.rmtree(stale)
        scratch = pathlib.Path(tempfile.mkdtemp(prefix=f".building-{kind}-", dir=cache_dir()))
        say(f"building {kind} {key}")
        started = time.monotonic()
        try:
            build(scratch)
            scratch.rename(entry)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        # A few old ones stay: another checkout, or a test that still runs, may use them.
        for old in sorted(cache_dir().glob(f"{kind}-*"), key=lambda path: path.stat().st_mtime)[:-3]:
            shutil.rmtree(old, ignore_errors=True)
        say(f"built {kind} {key} in {time.monotonic() - started:.0f} s")
    return entry
