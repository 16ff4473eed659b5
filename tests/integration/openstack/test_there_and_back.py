# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""server_rescue on a real Nova, as a project member: from every state, and while Nova is at it already."""

from __future__ import annotations

import typing as t
import xml.etree.ElementTree as ET

import pytest
from member import Member
from openrescue_lab.base import LAB_DIR, run
from openrescue_lab.cloud import Cloud


def unchanged(member: Member, server: str, call: t.Callable[..., t.Any]) -> None:
    """A run that has nothing to do, and in check mode neither."""
    before = member.cloud.posts(server)
    for check in (False, True):
        again = call(server, check=check)
        assert (again["changed"], again["server"]["actions"], again["server"]["error"]) == (False, [], None)
    assert member.cloud.posts(server) == before


@pytest.mark.parametrize("before", ["ACTIVE", "SHUTOFF"])
def test_there_and_back(member: Member, cloud: Cloud, server: str, before: str) -> None:
    power = {"ACTIVE": "running", "SHUTOFF": "shutdown"}[before]
    if before == "SHUTOFF":
        member.act(server, {"os-stop": None})
        member.until(server, "SHUTOFF")
    posts = cloud.posts(server)
    member.admin.compute.set_server_metadata(server, theirs="kept")

    checked = member.rescue(server, check=True)
    assert (checked["changed"], checked["server"]["state"]) == (True, "rescued")
    assert (member.seen(server), cloud.posts(server)) == ((before, None), posts)
    assert member.metadata(server) == {"theirs": "kept"}

    there = member.rescue(server)["server"]
    assert (there["changed"], there["state"], there["status"], there["error"]) == (True, "rescued", "RESCUE", None)
    assert there["actions"] == checked["server"]["actions"] == ["write_marker", "rescue"]
    assert there["previous"]["power_state"] == power
    assert there["request_id"].startswith("req-")
    assert member.seen(server) == ("RESCUE", None)
    assert cloud.posts(server) == posts + 1
    unchanged(member, server, member.rescue)
    # The same image by its ID is the same image.
    image = member.user.image.find_image("blank-rescue").id
    assert not member.rescue(server, rescue_image=image)["changed"]
    other = member.rescue(server, rescue_image="blank-stable-usb")
    assert other["server"]["error"]["code"] == "rescued_otherwise"

    checked = member.unrescue(server, check=True)
    assert (checked["changed"], checked["server"]["power_state"]) == (True, power)
    back = member.unrescue(server)["server"]
    assert (back["changed"], back["state"], back["status"], back["power_state"]) == (True, "unrescued", before, power)
    assert back["actions"] == checked["server"]["actions"]
    assert member.seen(server) == (before, None)
    assert member.metadata(server) == {"theirs": "kept"}
    unchanged(member, server, member.unrescue)
    # one to rescue, one to unrescue, and one to stop it again
    assert cloud.posts(server) == posts + (2 if before == "ACTIVE" else 3)


@pytest.mark.parametrize("room", [0, 1, 127])
def test_a_full_quota_of_metadata(member: Member, fake: str, room: int) -> None:
    """The rescue goes on, and says what it could not note."""
    member.act(fake, {"os-stop": None})
    member.until(fake, "SHUTOFF")
    full = {f"theirs{number}": "x" for number in range(128 - room)}
    member.admin.compute.set_server_metadata(fake, **full)
    there = member.rescue(fake)
    assert there["server"]["state"] == "rescued"
    unwritten = there["server"]["unwritten"]
    assert set(unwritten) == {0: {"openrescue", "openrescue_hold"}, 1: {"openrescue_hold"}, 127: set()}[room]
    if not room:
        assert '"power":"shutdown"' in unwritten["openrescue"]
    assert len([line for line in there.get("warnings", []) if "cannot be noted" in str(line)]) == len(unwritten)
    back = member.unrescue(fake)["server"]
    assert back["state"] == "unrescued"
    assert back["status"] == ("SHUTOFF" if room else "ACTIVE")
    assert member.metadata(fake) == full


def test_a_server_that_was_off_can_be_left_running(member: Member, fake: str) -> None:
    member.act(fake, {"os-stop": None})
    member.until(fake, "SHUTOFF")
    member.rescue(fake)
    back = member.unrescue(fake, restore_power_state=False)["server"]
    assert (back["status"], back["state"]) == ("ACTIVE", "unrescued")
    assert "openrescue" not in member.metadata(fake)


@pytest.fixture
def failed(member: Member, server: str) -> str:
    """A server that was off, and that a rescue which Nova accepts and fails at has left in ERROR."""
    member.act(server, {"os-stop": None})
    member.until(server, "SHUTOFF")
    with member.image("there-bad-bus", hw_rescue_device="cdrom", hw_rescue_bus="virtio") as bad:
        failed = member.rescue(server, rescue_image=bad)
    assert failed["failed"]
    error = failed["server"]["error"]
    assert error["code"] == "server_in_error"
    assert all(word in error["message"] for word in ("rescue", "ERROR", "req-", "reboot --hard", "good image"))
    assert failed["server"]["state"] == "interrupted"
    return server


def sources(cloud: Cloud, server: str) -> list[str]:
    """Files of the disks that the machine has, without their directories."""
    found = (disk.find("source").get("file") or "" for disk in _domain(cloud, server).iter("disk"))  # type: ignore[union-attr]
    return [source.rpartition("/")[2] for source in found]


def test_rescued_after_a_failed_rescue(member: Member, cloud: Cloud, failed: str) -> None:
    """Without a hard reboot Nova keeps the definition of the failed rescue, and unrescue boots that."""
    info = member.info(failed, rescue_image="blank-rescue")
    assert "reboot_first" in [problem["code"] for problem in info["warnings"]]
    there = member.rescue(failed)["server"]
    assert (there["state"], there["previous"]["power_state"]) == ("rescued", "shutdown"), there
    assert there["actions"] == ["reboot_hard", "write_marker", "rescue"]
    unchanged(member, failed, member.rescue)
    back = member.unrescue(failed, restore_power_state=False)["server"]
    assert (back["status"], back["state"]) == ("ACTIVE", "unrescued")
    assert sources(cloud, failed) == ["disk"], "it runs from its own disk, by its own definition"


def test_failed_twice_and_given_back(member: Member, cloud: Cloud, failed: str) -> None:
    with member.image("there-bad-again", hw_rescue_device="cdrom", hw_rescue_bus="virtio") as bad:
        again = member.rescue(failed, rescue_image=bad)["server"]
    assert again["error"]["code"] == "server_in_error"
    assert again["actions"][:1] == ["reboot_hard"]
    back = member.unrescue(failed)["server"]
    assert (back["status"], back["state"], back["error"]) == ("SHUTOFF", "unrescued", None)
    assert back["actions"] == ["reboot_hard", "stop_server", "remove_marker"]
    assert sources(cloud, failed) == ["disk"]
    unchanged(member, failed, member.unrescue)


def test_rescued_after_a_failed_rescue_by_other_means(member: Member, cloud: Cloud, failed: str) -> None:
    """As an older release, or the command line, does it: the result says that nobody knows what has booted."""
    member.act(failed, {"rescue": {"rescue_image_ref": member.user.image.find_image("blank-rescue").id}})
    member.action_ended(failed, "rescue")
    member.until(failed, "RESCUE")
    ended = member.unrescue(failed, restore_power_state=False)
    assert any("earlier rescue had failed" in str(line) for line in ended["warnings"]), ended
    print(sources(cloud, failed))


def test_from_an_error_of_somebody_elses(member: Member, fake: str) -> None:
    member.act(fake, {"os-resetState": {"state": "error"}})
    there = member.rescue(fake)
    assert there["server"]["state"] == "rescued"
    assert "openrescue" not in member.metadata(fake)
    assert there["server"]["rescue"]["image"] is None
    unchanged(member, fake, member.rescue)
    assert member.unrescue(fake)["server"]["status"] == "ACTIVE"


@pytest.mark.disturbs
@pytest.mark.parametrize("goal", ["rescued", "unrescued"])
def test_what_nova_is_doing_already_is_waited_for(member: Member, cloud: Cloud, server: str, goal: str) -> None:
    image = member.user.image.find_image("blank-rescue").id
    body: dict[str, t.Any] = {"rescue": {"rescue_image_ref": image}}
    if goal == "unrescued":
        member.act(server, body)
        member.until(server, "RESCUE")
        body = {"unrescue": None}
    posts = cloud.posts(server)
    call = member.rescue if goal == "rescued" else member.unrescue
    with member.at_the_same_time(lambda: call(server)) as running:
        # The module starts while the compute service stands still with the request in its hands.
        with member.frozen("nova-compute"):
            member.act(server, body)
            member.in_task(server, "rescuing" if goal == "rescued" else "unrescuing")
            assert call(server, wait=False)["changed"] is False
            other = member.unrescue if goal == "rescued" else member.rescue
            busy = other(server, wait=False)["server"]["error"]
            assert (busy["code"], busy["retryable"]) == ("busy", True)
        ended = running.result()
    assert ended["server"]["state"] == goal
    assert cloud.posts(server) == posts + 1, "Nova was asked once"


def test_two_runs_at_the_same_time_ask_once(member: Member, cloud: Cloud, server: str) -> None:
    posts = cloud.posts(server)
    with member.at_the_same_time(lambda: member.rescue(server)) as other:
        mine = member.rescue(server)
        theirs = other.result()
    assert mine["server"]["state"] == theirs["server"]["state"] == "rescued", (mine, theirs)
    assert mine["server"]["error"] is theirs["server"]["error"] is None
    assert member.seen(server) == ("RESCUE", None)
    assert cloud.posts(server) <= posts + 2, "one took, and at most one was refused"
    assert member.unrescue(server)["server"]["status"] == "ACTIVE"


def test_many_servers_in_the_order_asked(member: Member, cloud: Cloud) -> None:
    with (
        cloud.server("there-a", "blank-quick", flavor="blank") as a,
        cloud.server("there-b", "blank-quick") as b,
    ):
        ended = member.module(
            "server_rescue", server=["there-b", "there-none", a.id], state="rescued", rescue_image="blank-rescue"
        )
        assert ended["failed"]
        assert [one["name"] for one in ended["servers"]] == ["there-b", "there-none", "there-a"]
        assert [one["state"] for one in ended["servers"]] == ["rescued", None, "rescued"]
        assert ended["servers"][1]["error"]["code"] == "server_not_found"
        assert "Did you mean" in ended["msg"]
        assert member.unrescue([a.id, b.id])["changed"]


def test_a_name_that_fits_several_servers(member: Member, cloud: Cloud) -> None:
    with (
        cloud.server("there-twin", "blank-quick", flavor="fake") as a,
        cloud.server("there-twin", "blank-quick", flavor="fake") as b,
    ):
        ended = member.rescue("there-twin")
        assert ended["server"]["error"]["code"] == "server_not_unique"
        assert a.id in ended["msg"] and b.id in ended["msg"]
        assert member.rescue(a.id, check=True)["changed"]


def test_the_password_is_returned_where_asked_for(member: Member, cloud: Cloud) -> None:
    with cloud.server("there-password", "blank-quick", flavor="fake") as made:
        there = member.rescue(made.id, admin_password="s3cret-and-long", return_password=True)
        assert there["server"]["admin_password"] == "s3cret-and-long" or "VALUE_SPECIFIED" in str(there)
        assert any("cloud-init ignores" in str(line) for line in there["warnings"])
        member.unrescue(made.id)
        assert "admin_password" not in member.rescue(made.id)["server"]


@pytest.mark.parametrize(
    ("image", "own", "first"),
    [("blank-rescue", "vdb", "vda"), ("blank-stable-virtio", "vda", "vdb"), ("blank-stable-usb", "vda", "sda")],
)
def test_legacy_and_stable_devices(member: Member, cloud: Cloud, image: str, own: str, first: str) -> None:
    with cloud.server("there-devices", "blank-quick", config_drive=True) as made:
        there = member.rescue(made.id, rescue_image=image)["server"]
        assert there["state"] == "rescued"
        assert there["rescue"]["image_size"] == 1 << 20
        assert there["rescue"]["reach"]["config_drive"] is True
        disks = {
            disk.find("target").get("dev"): disk.find("source").get("file") or ""  # type: ignore[union-attr]
            for disk in _domain(cloud, made.id).iter("disk")
        }
        assert disks[first].endswith("/disk.rescue")
        assert disks[own].endswith("/disk")
        assert any("disk.config" in source for source in disks.values()), disks
        assert member.unrescue(made.id)["server"]["status"] == "ACTIVE"
        disks = {disk.find("source").get("file") or "" for disk in _domain(cloud, made.id).iter("disk")}  # type: ignore[assignment,union-attr]
        assert not any(source.endswith(".rescue") for source in disks)


def _domain(cloud: Cloud, server: str) -> ET.Element:
    return ET.fromstring(run("virsh", "-c", cloud.uri, "dumpxml", server))


def test_the_extension_and_what_the_cloud_offers(member: Member, cloud: Cloud) -> None:
    with cloud.server("there-info", "blank-quick", flavor="fake") as made:
        found = member.info(made.id, rescue_image="blank-rescue")
        assert (found["rescuable"], found["blockers"], found["warnings"]) == (True, [], [])
        extension = found["extension"]
        assert (extension["found"], extension["alias"], extension["volume_backed"]) == (True, "os-rescue", True)
        assert extension["microversions"]["minimum"] == "2.1"
        assert found["microversion"] == "2.98"
        assert not member.info(made.id)["blockers"]


def test_the_oldest_sdk_and_ansible(cloud: Cloud, fake: str) -> None:
    oldest = Member(cloud, python=f"{run(LAB_DIR / 'venv', 'path', 'oldest').strip()}/bin/python")
    assert oldest.rescue(fake)["server"]["state"] == "rescued"
    assert oldest.rescue(fake)["changed"] is False
    assert oldest.unrescue(fake)["server"]["status"] == "ACTIVE"
