# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Nova refuses, or accepts and fails at: refused by us with a code and a way out, and nothing sent."""

from __future__ import annotations

import contextlib
import typing as t
import uuid

import pytest
from member import Member, Result
from openrescue_lab.cloud import Cloud


def refused(member: Member, server: str, code: str, **params: t.Any) -> Result:
    """A rescue that is refused, as server_rescue_info has foretold; Nova hears nothing of it."""
    posts, before, metadata = member.cloud.posts(server), member.seen(server), member.metadata(server)
    ended = member.rescue(server, **params)
    assert ended["failed"], ended
    error = ended["server"]["error"]
    assert (error["code"], ended["changed"]) == (code, False), error
    assert ended["server"]["name"] in error["message"]
    assert error["hint"]
    assert member.cloud.posts(server) == posts
    # To look at its console is an action too.
    seen = member.info(server, **{"rescue_image": "blank-rescue", **params})
    assert (seen["rescuable"], seen["blockers"][0]["code"]) == (False, code), seen
    assert (member.seen(server), member.metadata(server)) == (before, metadata)
    return t.cast("Result", error)


STATES: list[tuple[Result, str, str]] = [
    ({"pause": None}, "PAUSED", "paused"),
    ({"suspend": None}, "SUSPENDED", "suspended"),
    ({"shelve": None}, "SHELVED_OFFLOADED", "shelved"),
]


@pytest.mark.parametrize(("body", "status", "code"), STATES, ids=[code for _body, _status, code in STATES])
def test_states(member: Member, fake: str, body: Result, status: str, code: str) -> None:
    member.act(fake, body)
    member.until(fake, status, "SHELVED") if code == "shelved" else member.until(fake, status)
    error = refused(member, fake, code)
    assert "first" in error["hint"]


def test_resized(member: Member, fake: str) -> None:
    with member.flavor("flight-bigger", "fake", ram=128) as bigger:
        flavor = member.admin.compute.find_flavor(bigger).id
        member.act(fake, {"resize": {"flavorRef": flavor}})
        member.until(fake, "VERIFY_RESIZE")
        refused(member, fake, "resized")
        member.act(fake, {"revertResize": None})
        member.until(fake, "ACTIVE")


@pytest.mark.disturbs
def test_building(member: Member) -> None:
    with member.frozen("nova-compute-fake"):
        made = member.user.compute.create_server(
            name="flight-building",
            image_id=member.user.image.find_image("blank-quick").id,
            flavor_id=member.user.compute.find_flavor("fake").id,
            networks="none",
        )
        ended = member.rescue(made.id, wait=False)
    member.cloud.delete(made.id)
    assert ended["server"]["error"]["code"] in ("building", "busy"), ended
    assert member.cloud.posts(made.id) <= 1, "at most the request to delete it"


def test_locked(member: Member, fake: str) -> None:
    member.user.compute.lock_server(fake)
    assert "unlock" in refused(member, fake, "locked")["hint"]
    # An administrator is not kept out by a lock.
    assert Member(member.cloud, "lab-admin").info(fake, rescue_image="blank-rescue")["rescuable"]
    member.user.compute.unlock_server(fake)


@pytest.mark.parametrize(
    "params",
    [{"user_data": "#cloud-config"}, {"ssh_authorized_keys": ["ssh-ed25519 AAAA"]}],
    ids=["user_data", "ssh_authorized_keys"],
)
def test_options_of_libvirt(member: Member, fake: str, params: Result) -> None:
    ended = member.rescue(fake, **params)
    assert ended["server"]["error"]["code"] == "option_not_on_openstack"
    assert next(iter(params)) in ended["msg"]


def test_images(member: Member, fake: str) -> None:
    assert "image list" in refused(member, fake, "image_missing", rescue_image="no such image")["hint"]
    refused(member, fake, "image_missing", rescue_image=str(uuid.uuid4()))
    with member.image("flight-twin") as a, member.image("flight-twin") as b:
        error = refused(member, fake, "image_not_unique", rescue_image="flight-twin")
        assert a in error["message"] and b in error["message"]
        assert member.rescue(fake, rescue_image=a, check=True)["changed"]
    with member.image("flight-queued", data=None) as queued:
        assert "queued" in refused(member, fake, "image_not_active", rescue_image=queued)["message"]
    mapping = '[{"source_type": "snapshot", "boot_index": 0}]'
    with member.image("flight-snapshot", block_device_mapping=mapping) as snapshot:
        refused(member, fake, "image_without_disk", rescue_image=snapshot)
    with member.image("flight-ami", kernel_id=str(uuid.uuid4())) as ami:
        refused(member, fake, "image_needs_kernel", rescue_image=ami)


def test_an_image_of_another_project(member: Member, fake: str) -> None:
    with Member(member.cloud, "lab-other").image("flight-theirs") as theirs:
        refused(member, fake, "image_missing", rescue_image=theirs)


def test_the_servers_own_image(member: Member, fake: str) -> None:
    ended = member.info(fake, rescue_image="blank-quick")
    assert [problem["code"] for problem in ended["warnings"]] == ["same_image"]
    ended = member.rescue(fake, rescue_image=None, check=True)
    assert ended["changed"]
    assert any("the server's own" in str(line) for line in ended["warnings"])


def test_the_base_image_is_gone(member: Member, cloud: Cloud) -> None:
    with contextlib.ExitStack() as stack:
        image = stack.enter_context(member.image("flight-base"))
        made = stack.enter_context(cloud.server("flight-baseless", "flight-base", flavor="blank"))
        member.user.image.delete(f"/images/{image}")
        assert refused(member, made.id, "base_image_gone", rescue_image=None)["hint"] == "Give rescue_image"
        assert member.rescue(made.id)["server"]["state"] == "rescued"
        assert member.unrescue(made.id)["server"]["status"] == "ACTIVE"


def test_a_server_with_a_kernel_of_its_own(member: Member, cloud: Cloud) -> None:
    with contextlib.ExitStack() as stack:
        kernel = stack.enter_context(member.image("flight-aki", disk_format="aki", container_format="aki"))
        stack.enter_context(member.image("flight-kernel", kernel_id=kernel))
        made = stack.enter_context(cloud.server("flight-kernel", "flight-kernel", flavor="fake"))
        refused(member, made.id, "direct_kernel_stable", rescue_image="blank-stable-virtio")
        found = member.info(made.id, rescue_image="blank-rescue")
        assert found["rescuable"]
        assert [problem["code"] for problem in found["warnings"]] == ["kernel_of_server"]


def test_legacy_mode_hides_disks(member: Member, cloud: Cloud) -> None:
    with contextlib.ExitStack() as stack:
        flavor = stack.enter_context(member.flavor("flight-ephemeral", "fake", ephemeral=1))
        made = stack.enter_context(cloud.server("flight-ephemeral", "blank-quick", flavor=flavor))
        found = member.info(made.id, rescue_image="blank-rescue")
        assert [problem["code"] for problem in found["warnings"]] == ["volumes_hidden"]
        assert member.info(made.id, rescue_image="blank-stable-virtio")["warnings"] == []


def test_the_image_goes_between_preflight_and_post(member: Member, server: str) -> None:
    """The last look and the request are milliseconds apart: the module's own parts are driven, with Nova real."""
    from ansible_collections.openrescue.server.plugins.module_utils._openstack import session
    from ansible_collections.openrescue.server.plugins.module_utils._openstack.provider import OpenStackProvider
    from ansible_collections.openrescue.server.plugins.module_utils._server.fleet import change_servers
    from ansible_collections.openrescue.server.plugins.module_utils._server.model import Wish
    from ansible_collections.openrescue.server.plugins.module_utils._time import Clock, Deadline

    with member.image("flight-fleeting") as image, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OS_CLIENT_CONFIG_FILE", str(member.cloud.config))

        class Late(session.OpenStackSession):
            def begin(self, *args: t.Any) -> t.Any:
                member.user.image.delete(f"/images/{image}")
                return super().begin(*args)

        patch.setattr(OpenStackProvider, "session", lambda self, *args, **more: Late(self, *args, **more))
        provider = OpenStackProvider({"cloud": "lab"}, clock=Clock())
        provider.connect(Deadline(Clock(), seconds=30))
        wish = Wish(state="rescued", image=image, timeout=60, poll_interval=0.3)
        [job] = change_servers(provider, [server], wish, clock=Clock(), check=False)
    assert job.error is not None
    assert job.error.code == "image_refused"
    assert "still there" in str(job.error)
    assert "put back as it was" in str(job.error)
    assert member.seen(server) == ("ACTIVE", None)
    assert "openrescue" not in member.metadata(server)
    assert member.rescue(server)["server"]["state"] == "rescued", "the next run does the right thing"
    member.unrescue(server)
