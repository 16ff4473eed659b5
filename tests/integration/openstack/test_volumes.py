# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Volumes of a real Cinder: as the root disk, and attached beside it."""

from __future__ import annotations

import typing as t

from member import Member
from openrescue_lab.cloud import Cloud


def codes(problems: list[dict[str, str]]) -> list[str]:
    return [problem["code"] for problem in problems]


def test_a_server_that_boots_from_a_volume(member: Member, cloud: Cloud) -> None:
    with (
        cloud.volume("volumes-root", image="blank-quick") as root,
        cloud.server("volumes-backed", "", flavor="blank", image_id="", **cloud.bootable(root)) as server,
    ):
        posts = cloud.posts(server.id)
        refused = member.rescue(server.id)["server"]["error"]
        assert refused["code"] == "volume_backed_image"
        assert "hw_rescue_device and hw_rescue_bus" in refused["message"]
        assert cloud.posts(server.id) == posts
        there = member.rescue(server.id, rescue_image="blank-stable-virtio")["server"]
        assert (there["state"], there["error"]) == ("rescued", None)
        assert len(there["rescue"]["disks"]) == 1
        assert member.rescue(server.id, rescue_image="blank-stable-virtio")["changed"] is False
        assert member.unrescue(server.id)["server"]["status"] == "ACTIVE"


def test_a_volume_that_is_attached(member: Member, cloud: Cloud) -> None:
    with cloud.volume("volumes-data") as volume, cloud.server("volumes-beside", "blank-quick") as server:
        identity = str(getattr(volume, "id", volume))
        cloud.attach(server.id, identity)
        assert codes(member.info(server.id, rescue_image="blank-rescue")["warnings"]) == ["volumes_hidden"]
        assert member.info(server.id, rescue_image="blank-stable-virtio")["warnings"] == []
        _reset(member, identity, "error")
        posts = cloud.posts(server.id)
        refused = member.rescue(server.id, rescue_image="blank-stable-virtio")["server"]["error"]
        assert refused["code"] == "volume_not_in_use"
        assert identity in refused["message"]
        assert cloud.posts(server.id) == posts
        _reset(member, identity, "in-use")
        there = member.rescue(server.id, rescue_image="blank-stable-virtio")["server"]
        assert there["state"] == "rescued"
        assert [disk["serial"] for disk in there["rescue"]["disks"]] == [identity]
        assert member.unrescue(server.id)["server"]["status"] == "ACTIVE"


def _reset(member: Member, volume: str, status: str) -> None:
    body: dict[str, t.Any] = {"os-reset_status": {"status": status}}
    answer = member.admin.block_storage.post(f"/volumes/{volume}/action", json=body)
    assert answer.status_code < 300, answer.text
