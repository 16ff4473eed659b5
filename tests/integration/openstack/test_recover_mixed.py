# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One inventory with a server of each kind in it, and one recover.yml: both do not boot, both come back."""

from __future__ import annotations

import pathlib
import typing as t

import pytest
from openrescue_lab import breakage
from openrescue_lab.base import run
from openrescue_lab.cloud import Cloud
from openrescue_lab.domain import Domain
from openrescue_lab.guest import ssh_key

from playbooks import Play

# One process has the lab's libvirt.
pytestmark = pytest.mark.xdist_group("lab")

BREAKAGE = "fstab-missing-device"


def test_both_come_back(
    cloud: Cloud,
    patient: Domain,
    play: Play,
    guest_disk: t.Callable[[], pathlib.Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: pathlib.Path,
) -> None:
    disk = guest_disk()
    broken = breakage.apply(BREAKAGE, disk)
    key = str(ssh_key())
    with cloud.server("mixed-nova", "guest-broken-fstab", config_drive=True) as server:
        patient.define(disk).start()
        cloud.wait_for_console(server.id, broken.console)
        patient.wait_for_console(broken.console)
        port = cloud.ssh_port(server.id)
        hosts = {
            "mixed-nova": {
                "rescue_provider": "openstack",
                "rescue_cloud": "lab",
                "rescue_image": "rescue",
                "rescue_ssh_port": port,
                "rescue_ssh_key": key,
                "ansible_host": "127.0.0.1",
                "ansible_port": port,
                "ansible_user": "root",
                "ansible_ssh_private_key_file": key,
                "ansible_ssh_common_args": f"-o StrictHostKeyChecking=no -o UserKnownHostsFile={tmp_path}/known_hosts",
            },
            patient.name: {
                "rescue_provider": "libvirt",
                "rescue_libvirt_uri": play.uri,
                "rescue_image": str(play.image),
            },
        }
        given = dict.fromkeys(("rescue_provider", "rescue_libvirt_uri", "rescue_image"))
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(cloud.config))

        outcome = play("recover", hosts=hosts, **given).must_end_well()

        assert outcome.text.count("-UUID=deadbeef") == 2, "the change is shown for both"
        assert "mixed-nova is back" in outcome.text
        assert f"{patient.name} is back" in outcome.text
        now = cloud.connect().compute.get_server(server.id)
        assert (now.status, now.task_state, now.metadata) == ("ACTIVE", None, {})
        login = [
            "ssh",
            "-i",
            key,
            "-p",
            str(port),
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
        ]
        assert "/boot" in run(*login, "root@127.0.0.1", "findmnt -no TARGET /boot")
        again = play("recover", hosts=hosts, **given).must_end_well()
        assert again.text.count("is up and was left alone") == 2
