# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Volumes of a real Cinder: as the root disk, and attached beside it."""

from __future__ import annotations

import typing as t

import pytest
from member import Member
from openrescue_lab.base import run, wait_until
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
        assert [(disk["serial"], disk["hidden"]) for disk in there["rescue"]["disks"]] == [(identity, False)]
        assert member.unrescue(server.id)["server"]["status"] == "ACTIVE"
        # In a legacy rescue Nova attaches the root disk only: of what lies on the volume nobody can tell there.
        there = member.rescue(server.id)["server"]
        assert there["state"] == "rescued"
        told = [(disk["source"], disk["hidden"], disk["device"]) for disk in there["rescue"]["disks"]]
        assert told == [(identity, True, None)]
        assert identity not in run("virsh", "-c", cloud.uri, "dumpxml", server.id)
        # Also by a call that knows it from Nova only.
        assert [disk["hidden"] for disk in member.info(server.id)["rescue"]["disks"]] == [True]
        assert member.unrescue(server.id)["server"]["status"] == "ACTIVE"


@pytest.fixture
def shared(member: Member) -> t.Iterator[str]:
    """A type of volumes that several servers can have at once."""
    made = member.admin.block_storage.create_type(name="volumes-shared", extra_specs={"multiattach": "<is> True"})
    yield str(made.name)
    member.admin.block_storage.delete_type(made)


def test_a_volume_that_several_servers_have(member: Member, cloud: Cloud, shared: str) -> None:
    """It is told before the rescue and in it, and the other server keeps it."""
    with (
        cloud.volume("volumes-common", volume_type=shared) as volume,
        cloud.server("volumes-one", "blank-quick") as one,
        cloud.server("volumes-other", "blank-quick") as other,
    ):
        for number, server in enumerate((one, other), 1):
            cloud.attach(server.id, volume.id)
            # Where one server has it, the volume is in-use already.
            wait_until(f"{number} have it", lambda: len(holders(member, volume.id)) == number, timeout=60)  # noqa: B023
        warnings = member.info(one.id, rescue_image="blank-stable-virtio")["warnings"]
        assert codes(warnings) == ["volumes_shared"]
        assert volume.id in str(warnings)
        there = member.rescue(one.id, rescue_image="blank-stable-virtio")
        assert there["server"]["state"] == "rescued"
        disks = there["server"]["rescue"]["disks"]
        assert [(disk["serial"], disk["shared"], disk["hidden"]) for disk in disks] == [(volume.id, True, False)]
        assert "multiattach" in str(there["warnings"])
        assert member.unrescue(one.id)["server"]["status"] == "ACTIVE"
        assert holders(member, volume.id) == {one.id, other.id}
        assert member.seen(other.id) == ("ACTIVE", None)


def holders(member: Member, volume: str) -> set[str]:
    """The servers that a volume is attached to, as Cinder says."""
    return {str(one["server_id"]) for one in member.admin.block_storage.get_volume(volume).attachments}


def _reset(member: Member, volume: str, status: str) -> None:
    body: dict[str, t.Any] = {"os-reset_status": {"status": status}}
    answer = member.admin.block_storage.post(f"/volumes/{volume}/action", json=body)
    assert answer.status_code < 300, answer.text
