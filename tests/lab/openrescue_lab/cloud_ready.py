# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""How it is seen that a service of the cloud serves."""

from __future__ import annotations

import contextlib
import datetime
import functools
import json
import socket
import typing as t
import urllib.error
import urllib.request

from . import cloud_host
from .base import LAB_DIR, LabError, run


def answers_http(url: str) -> bool:
    """Whether an application answers there."""
    try:
        with _open(urllib.request.Request(url)):
            return True
    except urllib.error.HTTPError as error:
        # An application that has not loaded is a 500; one that wants a token is there.
        return error.code < 500
    except OSError:
        return False


def listens(port: int) -> bool:
    """Whether somebody takes connections at this port of 127.0.0.1."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
    return False


def reports(auth_url: str, services_url: str, since: float) -> bool:
    """Whether the API's list of services says that one is up and has reported since then.

    Both are asked: for a while after a service died the API goes on saying that it is up.
    """
    try:
        request = urllib.request.Request(services_url, headers={"X-Auth-Token": _token(auth_url)})
        with _open(request) as answer:
            return has_reported(json.load(answer)["services"], since)
    except urllib.error.HTTPError as error:
        if error.code == 401:
            _token.cache_clear()
        return False
    except (LabError, OSError):
        return False


def has_reported(services: t.Sequence[t.Mapping[str, t.Any]], since: float) -> bool:
    """Whether each of these services is up and was seen after `since`, in seconds since 1970."""
    return bool(services) and all(
        service["state"] == "up" and service["updated_at"] and _seconds(service["updated_at"]) > since
        for service in services
    )


def _seconds(utc: str) -> float:
    return datetime.datetime.fromisoformat(utc).replace(tzinfo=datetime.timezone.utc).timestamp()


@functools.lru_cache(maxsize=1)
def _token(auth_url: str) -> str:
    """A token of the administrator."""
    python = cloud_host.environment("cloud") / "bin/python"
    password = (cloud_host.cloud_dir() / "password").read_text(encoding="ascii")
    return run(python, LAB_DIR / "cloud/admin_token.py", auth_url, input=password).strip()


def _open(request: urllib.request.Request) -> t.Any:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return opener.open(request, timeout=10)
