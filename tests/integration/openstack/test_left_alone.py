# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers that run, and that nobody can reach: healthy ones look so where a bastion, an address or a key is wrong."""

from __future__ import annotations

import contextlib
import pathlib

import pytest
from member import Member
from openrescue_lab.base import run
from openrescue_lab.cloud import Cloud
from openrescue_lab.ssh_server import ssh_server

from playbooks import Play

# One process has the lab's libvirt.
pytestmark = pytest.mark.xdist_group("lab")


def test_a_server_of_which_nobody_can_tell_is_left_alone(
    cloud: Cloud, member: Member, play: Play, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "another-key")
    another = (tmp_path / "another-key.pub").read_text(encoding="ascii")
    (tmp_path / "ssh").mkdir()
    with ssh_server(tmp_path / "ssh") as sshd, contextlib.ExitStack() as stack:
        (tmp_path / "known_hosts").write_text(f"[127.0.0.1]:{sshd.port} {sshd.host_key}\n", encoding="ascii")
        (tmp_path / "known_of_old").write_text(f"[127.0.0.1]:{sshd.port} {another}", encoding="ascii")
        known = f"-o UserKnownHostsFile={tmp_path}/known_hosts -o IdentitiesOnly=yes"
        there = {"ansible_host": "127.0.0.1", "ansible_port": sshd.port, "ansible_user": "root"}
        ways = {
            "wrong-address": {"ansible_host": "127.0.0.1", "ansible_port": 1},
            "broken-bastion": {"ansible_host": "192.0.2.1", "ansible_ssh_common_args": "-o ProxyCommand=/bin/false"},
            "refused-key": {
                **there,
                "ansible_ssh_private_key_file": str(tmp_path / "another-key"),
                "ansible_ssh_common_args": known,
            },
            "changed-host-key": {
                **there,
                "ansible_ssh_private_key_file": str(sshd.key),
                "ansible_ssh_common_args": f"-o UserKnownHostsFile={tmp_path}/known_of_old",
            },
        }
        made = {name: stack.enter_context(cloud.server(name, "blank-quick", flavor="fake")).id for name in ways}
        common = {"rescue_provider": "openstack", "rescue_cloud": "lab", "rescue_image": "rescue", "verify_by": "ssh"}
        hosts = {name: {**common, **way, "rescue_server": made[name]} for name, way in ways.items()}
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(cloud.config))

        given = dict.fromkeys(("rescue_provider", "rescue_libvirt_uri", "rescue_image"))
        outcome = play("recover", hosts=hosts, recover_probe_timeout=0, **given)

        outcome.must_fail_naming(*ways, "nobody can tell", "was left alone", "recover_running=true")
        outcome.must_fail_naming("HOST IDENTIFICATION HAS CHANGED")
        for identity in made.values():
            assert member.seen(identity) == ("ACTIVE", None)
            assert member.metadata(identity) == {}
            assert member.actions(identity) == ["create"], "Nova was asked to change nothing"
