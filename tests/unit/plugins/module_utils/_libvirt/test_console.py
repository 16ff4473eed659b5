# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import pathlib
import xml.etree.ElementTree as ET

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._libvirt.console import (
    LIMIT,
    begins_anew,
    log_path,
    read_log,
    require_local,
)

LOGGED = "<serial type='pty'><log file='/l/a.log' append='off'/></serial>"


@pytest.mark.parametrize(
    ("devices", "path"),
    [
        ("", None),
        ("<serial type='pty'/><console type='pty'/>", None),
        (LOGGED, "/l/a.log"),
        ("<serial type='pty'/>" + LOGGED, "/l/a.log"),
        ("<serial type='file'><source path='/l/b.log'/></serial>", "/l/b.log"),
        ("<console type='pty'><log file='/l/c.log'/></console>", "/l/c.log"),
        ("<serial type='unix'><source mode='bind' path='/run/s'/></serial>", None),
    ],
)
def test_where_the_log_is(devices: str, path: str | None) -> None:
    assert log_path(ET.fromstring(f"<domain><devices>{devices}</devices></domain>")) == path


@pytest.mark.parametrize("uri", ["qemu:///system", "qemu+unix:///system?socket=/run/x", "test:///default"])
def test_a_local_hypervisor(uri: str) -> None:
    require_local(uri, "web1")


def test_a_remote_hypervisor_is_refused() -> None:
    with pytest.raises(OpenRescueError) as caught:
        require_local("qemu+ssh://root@kvm7/system", "web1")
    assert caught.value.code == "console_not_local"


def test_what_was_rotated_belongs_to_it(tmp_path: pathlib.Path) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(b"new \xff")
    (tmp_path / "a.log.0").write_bytes(b"old ")
    assert read_log(str(log), "web1") == "old new \ufffd"


def test_only_the_end_is_read(tmp_path: pathlib.Path) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(b"x" * LIMIT + b"end")
    text = read_log(str(log), "web1")
    assert (len(text), text[-3:]) == (LIMIT, "end")


def test_a_server_that_never_ran_has_said_nothing(tmp_path: pathlib.Path) -> None:
    assert read_log(str(tmp_path / "none.log"), "web1") == ""


def test_what_is_no_file_is_refused(tmp_path: pathlib.Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OpenRescueError) as caught:
        read_log(str(tmp_path / "pipe"), "web1")
    assert caught.value.code == "console_not_readable"


def test_a_server_without_a_log_is_told_what_to_do() -> None:
    with pytest.raises(OpenRescueError) as caught:
        read_log(None, "web1")
    assert caught.value.code == "console_not_logged"
    assert "<log file=" in caught.value.hint


@pytest.mark.parametrize(
    ("devices", "anew"),
    [
        ("", False),
        (LOGGED, True),
        ("<serial type='pty'><log file='/l/a.log'/></serial>", False),
        ("<serial type='pty'><log file='/l/a.log' append='on'/></serial>", False),
        ("<serial type='file'><source path='/l/b.log' append='off'/></serial>", True),
    ],
)
def test_whether_the_log_begins_with_this_start(devices: str, *, anew: bool) -> None:
    assert begins_anew(ET.fromstring(f"<domain><devices>{devices}</devices></domain>")) is anew
