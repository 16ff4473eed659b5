# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A guest in emergency mode, which hears no power button: it ends cleanly for a rescue all the same."""

from __future__ import annotations

import pathlib
import typing as t

from openrescue_lab import breakage, modules
from openrescue_lab.disk import mounted, silent
from openrescue_lab.domain import Domain

#: what stays in memory for half a minute unless somebody writes it
LATE = "[Service]\nExecStartPre=/bin/sh -c 'mount -o remount,rw / && echo late > /root/late'\n"


def test_what_it_has_not_written_yet_is_on_its_disk(
    domains: t.Callable[..., Domain], guest_disk: t.Callable[[], pathlib.Path], lab: str, tmp_path: pathlib.Path
) -> None:
    disk = guest_disk()
    broken = breakage.apply("fstab-missing-device", disk)
    with mounted(disk) as root:
        settings = root / "etc/systemd/system/emergency.service.d/late.conf"
        settings.parent.mkdir(parents=True)
        settings.write_text(LATE, encoding="ascii")
    guest = domains("emergency", disk).start()
    guest.wait_for_console(broken.console)
    guest.wait_for_console("emergency mode")

    given = {"provider": "libvirt", "libvirt_uri": lab, "server": guest.name, "state": "rescued"}
    image = str(silent(tmp_path / "image.raw"))
    rescued = modules.call("server_rescue", {**given, "rescue_image": image}).must_end_well()

    assert rescued["stopped_by"] == "Ctrl-Alt-Del", rescued
    assert rescued["timings"]["total"] < 60, rescued["timings"]
    guest.destroy()
    with mounted(disk) as root:
        assert (root / "root/late").read_text(encoding="ascii") == "late\n"
