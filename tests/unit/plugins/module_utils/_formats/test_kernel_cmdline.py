# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A kernel's command line: names, quotes, and what is init's."""

from __future__ import annotations

from ansible_collections.openrescue.server.plugins.module_utils._formats.kernel_cmdline import (
    CommandLine,
    split_cmdline,
)


def test_a_command_line() -> None:
    line = CommandLine(
        split_cmdline('ro root="UUID=1" rd.lvm.lv=a/b rd-lvm.lv=a/c root=UUID=2 dyndbg="a b" -- init=/x')
    )
    assert (line.last("root"), line.all("rd.lvm.lv"), line.last("init")) == ("UUID=2", ["a/b"], None)
    assert line.has("ro")
    assert line.last("dyndbg") == "a b"
    assert len(split_cmdline('"' * 1000000)) < 70000
