# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An action is never sent twice unseen, whatever becomes of its answer."""

from __future__ import annotations

import typing as t

import pytest
from openrescue_lab.cloud import Cloud
from proxy import ACTION, ALWAYS, HTML, Proxy, answer, fault, rule
from runs import NAME, Runs, passed, told

#: what becomes of the request -> how many of them Nova is asked for in all
ACTIONS: dict[str, tuple[dict[str, t.Any], int]] = {
    "reset before nova": ({"reset": "before"}, 1),
    "reset after nova": ({"reset": "after"}, 1),
    "502 before nova": ({"answer": answer(502, HTML)}, 1),
    "502 after nova": ({"answer": answer(502, HTML), "forward": True}, 1),
    "503 after nova": ({"answer": answer(503, "", retry_after="1"), "forward": True}, 1),
    "500 after nova": ({"answer": fault(500, "computeFault"), "forward": True}, 1),
    "not JSON after nova": ({"answer": answer(200, HTML), "forward": True}, 1),
    "429": ({"answer": answer(429, "", retry_after="2")}, 1),
    "413": ({"answer": answer(413, "", retry_after="1")}, 1),
    "502, and nova has it later": ({"answer": answer(502, HTML), "late": 1.2}, 2),
    "over before the answer is lost": ({"reset": "after", "hold": 5}, 1),
}


def done(cloud: Cloud, server: t.Any, action: str) -> list[t.Any]:
    """The actions that Nova has taken up, by its own book."""
    return [one for one in cloud.connect().compute.server_actions(server) if one.action == action]


@pytest.mark.parametrize("case", ACTIONS)
def test_an_action_is_done_once(server: t.Any, run: Runs, proxy: Proxy, cloud: Cloud, case: str) -> None:
    what, reaching = ACTIONS[case]
    for action, state, go in (("rescue", "rescued", run.rescue), ("unrescue", "unrescued", run.unrescue)):
        book, log = len(done(cloud, server, action)), cloud.posts(server.id)
        proxy.put([rule(ACTION, **what)])
        outcome = go(NAME)
        passed(outcome, state)
        assert outcome.server["changed"]
        # What the proxy delivers later is a request of its own.
        assert [one.hit for one in proxy.actions].count(True) == 1 + ("late" in what)
        assert len(done(cloud, server, action)) == book + 1
        assert cloud.posts(server.id) == log + reaching
        assert outcome.server["request_id"] == done(cloud, server, action)[0].request_id
        looked_at(proxy)


def looked_at(proxy: Proxy) -> None:
    """Between two requests of one action the server was read, and the pause asked for was kept."""
    seen = proxy.seen
    first, *more = [index for index, one in enumerate(seen) if one.path.endswith("/action")]
    more = [index for index in more if not seen[index].hit]
    assert len(more) <= 1
    for index in more:
        between = seen[first + 1 : index]
        assert any(one.method == "GET" and one.server for one in between), between


def test_nova_took_it_and_slid_back_meanwhile(run: Runs, proxy: Proxy, cloud: Cloud, address: dict[str, str]) -> None:
    """The answer is lost, and when the server is looked at it is as it was: that is no reason to ask again."""
    member = cloud.connect()
    base = member.image.create_image(
        "fault-base",
        data=bytes(1 << 20),
        disk_format="raw",
        container_format="bare",
        wait=True,
        os_shutdown_timeout="0",
    )
    shown = member.session.get(f"{address['image']}/v2/images/{base.id}").json()
    with cloud.server(f"{NAME}-slides", "fault-base", flavor="blank") as server:
        member.image.delete_image(base.id)
        image = rule(f"/images/{base.id}", answer=answer(200, shown), times=ALWAYS)
        proxy.put([image, rule(ACTION, reset="after", hold=4)])
        outcome = run.rescue(f"{NAME}-slides", rescue_image=None)
        told(outcome, f"{NAME}-slides", "rescue_reverted", "ACTIVE again", "request req-", "Error", retryable=True)
        assert [one.upstream for one in proxy.actions] == [200]
        assert [one for one in proxy.seen if one.server][-1].server == ["active", None]
        assert member.compute.get_server(server.id).metadata == {}


# -- what is on the wire


def calls(proxy: Proxy, address: dict[str, str]) -> list[str]:
    """All calls but polls, which are reads of the server after the action, and authentication."""
    keystone = int(address["identity"].split(":")[2].split("/")[0])
    counted, acted = [], False
    for one in proxy.seen:
        poll = acted and one.method == "GET" and one.server is not None and "detail" not in one.path
        acted = acted or one.path.endswith("/action")
        if one.port != keystone and not poll:
            counted.append(f"{one.method} {one.path}")
    print("\n".join(counted))
    return counted


def few_calls(run: Runs, proxy: Proxy, address: dict[str, str], server: str, **params: t.Any) -> None:
    """There and back, each once more, which changes nothing."""
    for go, state in ((run.rescue, "rescued"), (run.unrescue, "unrescued")):
        proxy.put([])
        passed(go(server, **params), state)
        assert 1 < len(calls(proxy, address)) <= 8
        proxy.put([])
        again = go(server, **params)
        passed(again, state)
        assert not again.server["changed"]
        assert 1 <= len(calls(proxy, address)) <= 3


@pytest.mark.parametrize("by", ["name", "id"])
def test_calls_on_the_wire(server: t.Any, run: Runs, proxy: Proxy, address: dict[str, str], by: str) -> None:
    few_calls(run, proxy, address, server[by])


def test_calls_on_the_wire_where_a_volume_is_attached(
    run: Runs, proxy: Proxy, cloud: Cloud, address: dict[str, str]
) -> None:
    with cloud.volume("fault-volume") as volume, cloud.server(f"{NAME}-volume", "blank-quick") as server:
        cloud.attach(server.id, volume.id)
        few_calls(run, proxy, address, server.id, rescue_image="blank-stable-virtio")
