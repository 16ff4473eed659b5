# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is left of root's rights for a stranger's program. What it cannot do is tried in tests/integration."""

from __future__ import annotations

import inspect
import os
import pathlib
import re
import subprocess
import sys
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._patient.write import confined

#: by their numbers in linux/capability.h
FORBIDDEN = {
    "linux_immutable": 9,
    "net_admin": 12,
    "net_raw": 13,
    "sys_module": 16,
    "sys_rawio": 17,
    "sys_ptrace": 19,
    "sys_admin": 21,
    "sys_boot": 22,
    "sys_time": 25,
    "mknod": 27,
    "mac_admin": 33,
    "syslog": 34,
    "bpf": 39,
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_nothing_that_reaches_past_files_is_kept(name: str) -> None:
    assert FORBIDDEN[name] not in confined.KEPT


#: by their numbers in linux/capability.h
KEPT = (
    *("chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid"),
    *([""] * 10),
    "sys_chroot",
    *([""] * 12),
    "setfcap",
)


def test_the_guide_names_what_is_kept() -> None:
    guide = pathlib.Path(__file__).parents[6] / "docs/docsite/rst/guide_recover.rst"
    kept = re.search(r"they keep (.*?)\. All others are dropped", guide.read_text(encoding="utf-8"), re.DOTALL)
    assert kept
    assert re.findall(r"CAP_(\w+)", kept[1]) == [KEPT[number].upper() for number in confined.KEPT]
    assert not {name.upper() for name in FORBIDDEN} & {*re.findall(r"CAP_(\w+)", kept[1])}


def test_it_runs_without_anything_of_ours() -> None:
    source = inspect.getsource(confined)
    assert "from ." not in source
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", source, "/nonexistent", "true"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "FileNotFoundError" in done.stderr


def test_a_program_is_found_without_any_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """The modules of the rescue system's Python are out of reach by then; os.execvp() imports one."""
    ended: list[t.Any] = []
    monkeypatch.setenv("PATH", "/nowhere:/usr/bin:/bin")
    monkeypatch.setattr(os, "execvp", None)
    monkeypatch.setattr(os, "execv", lambda path, words: ended.append((path, words)))
    monkeypatch.setattr(os, "_exit", ended.append)
    confined._become(["sh", "-c", "true"])
    assert ended[0] == ("/usr/bin/sh", ["sh", "-c", "true"])
    ended.clear()
    confined._become(["openrescue-no-such-program"])
    assert ended == [127]
