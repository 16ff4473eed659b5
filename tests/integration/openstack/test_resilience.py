# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Services of the cloud that die under a rescue: the right message, and the next run does the right thing."""

from __future__ import annotations

import contextlib
import signal
import typing as t
import uuid

import pytest
from member import Member
from openrescue_lab.cloud import Cloud

pytestmark = pytest.mark.disturbs


@pytest.fixture
def image() -> str:
    """Servers that are asked in vain to shut down for ten seconds, in which something can happen."""
    return "blank"


@contextlib.contextmanager
def killed(member: Member, service: str) -> t.Iterator[None]:
    """A service that is dead until the block ends."""
    member.cloud.kill(service)
    try:
        yield
    finally:
        member.cloud.start(service)


def there_and_back(member: Member, server: str) -> None:
    """The next run does the right thing."""
    assert member.rescue(server, timeout=120)["server"]["state"] == "rescued"
    assert member.unrescue(server, timeout=120)["server"]["status"] == "ACTIVE"
    assert "openrescue" not in member.metadata(server)


def test_nova_compute_dies_during_a_rescue(member: Member, server: str) -> None:
    with member.at_the_same_time(lambda: member.rescue(server, timeout=25)) as running:
        member.in_task(server, "rescuing")
        with killed(member, "nova-compute"):
            pass
        ended = running.result()
    error = ended["server"]["error"]
    assert (error["code"], error["retryable"]) == ("stuck", True), ended
    assert all(word in error["message"] for word in ("rescuing", "25 s", "administrator", "reset-state"))
    # Nothing resets it but an administrator, and we do not even try.
    again = member.rescue(server, timeout=5)["server"]["error"]
    assert again["code"] == "stuck"
    assert member.seen(server)[1] == "rescuing"
    member.act(server, {"os-resetState": {"state": "active"}})
    there_and_back(member, server)


def test_nova_compute_dies_during_an_unrescue(member: Member, server: str) -> None:
    member.rescue(server)
    with member.frozen("nova-compute"), member.at_the_same_time(lambda: member.unrescue(server, timeout=90)) as running:
        member.in_task(server, "unrescuing")
        with killed(member, "nova-compute"):
            pass
        ended = running.result()
    # Either the broker still has the request and the new process does it, or it was in the dead one's hands.
    error = ended["server"]["error"]
    if error is not None:
        assert error["code"] == "stuck", ended
        assert "unrescuing" in error["message"]
        member.act(server, {"os-resetState": {"state": "active"}})
        member.act(server, {"reboot": {"type": "HARD"}})
        member.until(server, "ACTIVE")
    assert member.unrescue(server)["server"]["state"] == "unrescued"
    there_and_back(member, server)


def test_neutron_is_down_during_a_rescue(member: Member, server: str) -> None:
    with killed(member, "neutron"):
        down = member.rescue(server, timeout=20)
        error = down["server"]["error"]
        assert error["code"] == "server_error", down
        assert all(word in error["message"] for word in ("HTTP 500", "req-", "administrators"))
        assert member.cloud.posts(server) == 0
    with member.frozen("nova-compute"), member.at_the_same_time(lambda: member.rescue(server, timeout=60)) as running:
        member.in_task(server, "rescuing")
        with killed(member, "neutron"):
            member.thaw("nova-compute")
            member.action_ended(server, "rescue")
        ended = running.result()
    error = ended["server"]["error"]
    if error is not None:
        assert error["code"] == "rescue_reverted", ended
        assert all(
            word in error["message"] for word in ("ACTIVE again", "os-instance-actions", "Error", "Neutron", "req-")
        )
        assert "openrescue" not in member.metadata(server)
    else:
        member.unrescue(server)
    there_and_back(member, server)


def test_rabbitmq_is_restarted_during_a_rescue(member: Member, server: str) -> None:
    with member.at_the_same_time(lambda: member.rescue(server, timeout=120)) as running:
        member.in_task(server, "rescuing")
        with killed(member, "rabbitmq"):
            pass
        ended = running.result()
    error = ended["server"]["error"]
    assert error is None or error["code"] in ("stuck", "rescue_reverted"), ended
    if error is not None and error["code"] == "stuck":
        member.act(server, {"os-resetState": {"state": "active"}})
    assert member.rescue(server, timeout=120)["server"]["state"] == "rescued"
    assert member.unrescue(server, timeout=120)["server"]["status"] == "ACTIVE"


@pytest.mark.parametrize("moment", ["rescuing", "unrescuing", "powering-off"])
def test_we_are_killed(member: Member, cloud: Cloud, moment: str) -> None:
    """SIGKILL while Nova is at it: the next run, from anywhere, finishes."""
    with cloud.server(f"resil-{uuid.uuid4().hex[:6]}", "blank-quick") as made:
        server = made.id
        member.act(server, {"os-stop": None})
        member.until(server, "SHUTOFF")
        state = "rescued" if moment == "rescuing" else "unrescued"
        if state == "unrescued":
            member.rescue(server)
        posts = cloud.posts(server)
        with member.frozen("nova-compute") if moment != "powering-off" else contextlib.nullcontext():
            process = member.start("server_rescue", server=server, state=state, rescue_image="blank-rescue")
            member.in_task(server, moment)
            process.send_signal(signal.SIGKILL)
            process.wait()
        ended = member.rescue(server) if state == "rescued" else member.unrescue(server)
        assert ended["server"]["state"] == state
        assert cloud.posts(server) - posts == {"rescuing": 1, "unrescuing": 2, "powering-off": 2}[moment]
        if state == "rescued":
            assert ended["server"]["previous"]["power_state"] == "shutdown"
            ended = member.unrescue(server)
        assert ended["server"]["status"] == "SHUTOFF"
        assert "openrescue" not in member.metadata(server)
