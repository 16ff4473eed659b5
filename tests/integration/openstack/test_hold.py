# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two owners and one server: who has it is kept in Nova's metadata, as long as Nova writes that."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t

from member import Member, Result
from openrescue_lab.cloud import Cloud

ME, YOU = {"owner": "me@here", "reason": "it does not boot"}, {"owner": "you@there"}


def hold(member: Member, server: str) -> Result:
    return t.cast("Result", json.loads(member.metadata(server).get("openrescue_hold", "{}")))


def refused(ended: Result, code: str, *words: str) -> None:
    error = ended["server"]["error"]
    assert (ended["changed"], error["code"]) == (False, code), ended
    assert all(word in error["message"] for word in words), error


def run_of_a_process_that_ended() -> str:
    """The identity of a run of this very machine that is no more."""
    code = (
        "from ansible_collections.openrescue.server.plugins.module_utils._server.process import identity; import os;"
        "print(identity(os.getpid()))"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=env
    ).stdout.strip()


def test_two_owners(member: Member, cloud: Cloud, fake: str) -> None:
    there = member.rescue(fake, **ME)["server"]
    assert (there["hold"]["owner"], there["hold"]["mine"]) == ("me@here", True)
    assert hold(member, fake)["reason"] == "it does not boot"
    posts = cloud.posts(fake)
    refused(member.unrescue(fake, **YOU), "held", "me@here", "it does not boot", "force_takeover")
    refused(member.rescue(fake, **YOU), "held", "me@here")
    assert (cloud.posts(fake), member.seen(fake)) == (posts, ("RESCUE", None))
    assert not member.rescue(fake, **ME)["changed"]
    taken = member.unrescue(fake, **YOU, force_takeover=True)["server"]
    assert (taken["state"], taken["error"], taken["hold"]) == ("unrescued", None, None)
    assert member.metadata(fake) == {}


def test_a_run_that_has_ended_is_taken_over(member: Member, fake: str) -> None:
    member.rescue(fake, **ME, run=run_of_a_process_that_ended())
    assert member.info(fake)["hold"]["alive"] is False
    mine = member.rescue(fake, **YOU, run="somewhere/1/2")
    assert "take_over" in mine["server"]["actions"]
    assert any("cannot be noted" in str(line) for line in mine["warnings"]), "in RESCUE Nova writes no metadata"
    assert member.unrescue(fake, **YOU, run="somewhere/1/2")["server"]["state"] == "unrescued"
    assert member.metadata(fake) == {}


def test_rescued_by_other_means(member: Member, fake: str) -> None:
    member.act(fake, {"rescue": {"rescue_image_ref": member.user.image.find_image("blank-rescue").id}})
    member.until(fake, "RESCUE")
    left = member.rescue(fake, **ME, run="somewhere/1/2")
    assert (left["changed"], left["server"]["hold"]) == (False, None)
    refused(member.unrescue(fake, **ME, run="somewhere/1/2"), "not_ours", "other means")
    assert member.unrescue(fake, **ME)["server"]["state"] == "unrescued", "a person asks for it"


def test_all_servers_that_are_rescued_or_held(member: Member, cloud: Cloud, fake: str) -> None:
    with cloud.server("hold-idle", "blank-quick", flavor="fake") as idle:
        member.rescue(fake, **ME)
        listed = member.module("server_rescue_info")["servers"]
        by_id = {one["id"]: one for one in listed}
        assert by_id[fake]["hold"]["owner"] == "me@here"
        assert by_id[fake]["life"]["state"] == "down"
        assert idle.id not in by_id
        member.unrescue(fake, **ME)
        assert fake not in {one["id"] for one in member.module("server_rescue_info")["servers"]}
