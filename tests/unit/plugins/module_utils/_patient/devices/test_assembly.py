# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How LVM, md and LUKS are asked, and what none of them may see or keep."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._formats.lvm import LogicalVolume, VolumeGroup
from ansible_collections.openrescue.server.plugins.module_utils._patient.devices.assembly import (
    Assembly,
    WrongPassphrase,
    assemble,
    lvm_config,
)
from ansible_collections.openrescue.server.plugins.module_utils._patient.devices.graph import Unit
from ansible_collections.openrescue.server.plugins.module_utils._patient.limit import Stopped
from ansible_collections.openrescue.server.plugins.module_utils._patient.tools import Completed, ToolFailed, Tools

GROUP = Unit(
    "group",
    "g",
    "own",
    ("vdb",),
    group=VolumeGroup("g", "own", 1, {}, (), (LogicalVolume("root", ()), LogicalVolume("data", ()))),
)
ARRAY = Unit("array", "a", "host:0", ("vdb", "vdc"))
LUKS = Unit("luks", "l1", "/dev/vdb", ("vdb",))


class Recorder(Tools):
    """Keeps what was run; exit codes from a list."""

    def __init__(self, *codes: int) -> None:
        super().__init__()
        self.codes = list(codes)
        self.ran: list[tuple[tuple[str, ...], bytes | None]] = []

    def run(self, argv: t.Sequence[str], **options: t.Any) -> Completed:
        self.ran.append((tuple(argv), options.get("stdin")))
        return Completed(tuple(argv), self.codes.pop(0) if self.codes else 0, "", "", 0.0)


class Broken(Tools):
    """Ends in the same way, whatever is run."""

    def __init__(self, error: OpenRescueError) -> None:
        super().__init__()
        self.error = error

    def run(self, argv: t.Sequence[str], **_options: t.Any) -> Completed:
        raise self.error


def test_lvm_sees_the_given_devices_only_and_what_is_not_written_is_read_only() -> None:
    tools = Recorder()
    assert assemble(tools, [Assembly(GROUP, ("/dev/dm-1",))], passphrases=()) == {}
    assert assemble(tools, [Assembly(GROUP, ("/dev/vdb",), writable=True, volumes=("root",))], passphrases=()) == {}
    looking, written = (argv[-1] for argv, _stdin in tools.ran)
    assert 'filter=["a|^/dev/dm\\-1$|","r|.*|"]' in looking
    assert "read_only_volume_list" not in looking
    assert 'read_only_volume_list=["own/data"]' in written
    assert "use_devicesfile=0" in lvm_config(["/dev/vdb"])


def test_an_array_is_read_only_unless_it_is_written() -> None:
    tools = Recorder()
    for writable in (False, True):
        assemble(tools, [Assembly(ARRAY, ("/dev/vdb", "/dev/vdc"), number=900, writable=writable)], passphrases=())
    first, second = (argv for argv, _stdin in tools.ran)
    assert first == ("mdadm", "--assemble", "--readonly", "--run", "/dev/md900", "/dev/vdb", "/dev/vdc")
    assert "--readonly" not in second


def test_a_passphrase_is_never_on_a_command_line() -> None:
    tools = Recorder(2, 0)
    assert assemble(tools, [Assembly(LUKS, ("/dev/vdb",))], passphrases=["wrong", "right", "unused"]) == {}
    assert [stdin for _argv, stdin in tools.ran] == [b"wrong", b"right"]
    for argv, _stdin in tools.ran:
        assert argv[-2:] == ("/dev/vdb", "luks-l1")
        assert "--readonly" in argv
        assert not {"wrong", "right"} & set(argv)
    failed = assemble(Recorder(2), [Assembly(LUKS, ("/dev/vdb",))], passphrases=["x"])
    assert isinstance(failed["l1"], WrongPassphrase)


def test_what_does_not_come_up_keeps_nothing_else_from_it() -> None:
    wanted = [Assembly(ARRAY, ("/dev/vdb",), number=900), Assembly(GROUP, ("/dev/vdb",))]
    failed = assemble(Broken(ToolFailed("mdadm ended with code 1")), wanted, passphrases=())
    assert {uuid: type(error) for uuid, error in failed.items()} == {"a": ToolFailed, "g": ToolFailed}


def test_a_call_that_is_to_end_ends() -> None:
    for item in (Assembly(ARRAY, ("/dev/vdb",), number=900), Assembly(GROUP, ("/dev/vdb",))):
        with pytest.raises(Stopped):
            assemble(Broken(Stopped("by SIGTERM")), [item], passphrases=())
