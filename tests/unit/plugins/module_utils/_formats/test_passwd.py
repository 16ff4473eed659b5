# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Accounts of real and of damaged tables."""

from __future__ import annotations

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._formats.passwd import (
    HOME,
    SHELL,
    parse_passwd,
    with_fields,
)

TEXT = """\
root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
joe:x:1000:1000:Joe,,,:/home/joe:
+::::::
#joe:x:1:1::/:/bin/sh"""


def test_what_an_account_says() -> None:
    root, _daemon, joe = parse_passwd(TEXT)
    assert (root.line, root.name, root.uid, root.gid, root.home, root.shell) == (0, "root", 0, 0, "/root", "/bin/bash")
    assert (joe.line, joe.password, joe.uid, joe.home, joe.shell) == (2, "x", 1000, "/home/joe", "")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "root",
        "root:x:0:0:root:/root",
        "root:x:0:0:root:/root:/bin/bash:more",
        "root:x:zero:0::/root:/bin/bash",
        "root:x:-1:0::/root:/bin/bash",
        "root:x:0:::/root:/bin/bash",
        "root:x:99999999999:0::/root:/bin/bash",
        "root:x:\u0661:0::/root:/bin/bash",
        ":x:0:0::/root:/bin/bash",
        "+joe:x:0:0::/root:/bin/bash",
    ],
)
def test_what_is_no_account(line: str) -> None:
    assert parse_passwd(f"{line}\njoe:x:1:1::/:/bin/sh")[0].line == 1


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
def test_all_else_is_kept_byte_for_byte(end: str) -> None:
    text = f"\udcff garbage::\r\n\x0b\x0c:\njoe:x:1:1:J\udce9:/a:/b\nx{end}"
    line = parse_passwd(text)[0].line
    assert with_fields(text, line, {HOME: "/c", SHELL: "/d"}) == text.replace("/a:/b", "/c:/d")
    assert with_fields(text, line, {}) == text
