# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import Held
from ansible_collections.openrescue.server.plugins.module_utils._server.hold import (
    LEASE,
    Claim,
    Hold,
    NotOurs,
    is_alive,
    is_mine,
    judge,
    needs_writing,
    taken,
)

RUN = Hold("alice", run="s/1/1", since="then", reason="kernel", phase="repair", until=50.0)
PERSON = Hold("alice", since="then")

ALICE_RUN = Claim(owner="alice", run="s/1/1")
OTHER_RUN = Claim(owner="alice", run="s/2/2")
BOB_RUN = Claim(owner="bob", run="s/3/3")
ALICE = Claim(owner="alice")
BOB = Claim(owner="bob")
FORCE = Claim(owner="bob", run="s/3/3", force=True)

#: hold, who asks, whether its run lives, state, wanted -> what comes of it
CASES: dict[str, tuple[Hold | None, Claim, bool | None, str, str, t.Any]] = {
    "nobody has it": (None, BOB_RUN, None, "unrescued", "rescued", "take"),
    "the same run": (RUN, ALICE_RUN, True, "rescued", "unrescued", "keep"),
    "the same run, unseen": (RUN, ALICE_RUN, None, "rescued", "rescued", "keep"),
    "another run of the same person": (RUN, OTHER_RUN, True, "rescued", "rescued", Held),
    "another run, to unrescue": (RUN, BOB_RUN, True, "rescued", "unrescued", Held),
    "a run that cannot be seen counts as alive": (RUN, BOB_RUN, None, "rescued", "unrescued", Held),
    "a dead run": (RUN, BOB_RUN, False, "rescued", "unrescued", "take_over"),
    "a dead run, by a person": (RUN, BOB, False, "interrupted", "rescued", "take_over"),
    "a person meets their own live run": (RUN, ALICE, True, "rescued", "unrescued", Held),
    "by force": (RUN, FORCE, True, "rescued", "unrescued", "take_over"),
    "a person's own": (PERSON, ALICE, None, "rescued", "unrescued", "keep"),
    "a person's, by their run": (PERSON, ALICE_RUN, None, "rescued", "rescued", "take_over"),
    "a person's, by another": (PERSON, BOB, None, "rescued", "unrescued", Held),
    "a person's, by another's run": (PERSON, BOB_RUN, None, "rescued", "rescued", Held),
    "a person's, by force": (PERSON, FORCE, None, "rescued", "rescued", "take_over"),
    "rescued by other means": (None, BOB_RUN, None, "rescued", "rescued", "leave"),
    "rescued by other means, unrescued by a person": (None, BOB, None, "rescued", "unrescued", "take"),
    "rescued by other means, unrescued by a run": (None, BOB_RUN, None, "rescued", "unrescued", NotOurs),
    "rescued by other means, by force": (None, FORCE, None, "rescued", "unrescued", "take"),
    "cut off without a hold": (None, BOB_RUN, None, "interrupted", "rescued", "take"),
}


@pytest.mark.parametrize("case", CASES)
def test_who_may_change_it(case: str) -> None:
    hold, claim, alive, state, wanted, expected = CASES[case]
    if not isinstance(expected, str):
        with pytest.raises(expected):
            judge(hold, claim, alive=alive, state=state, wanted=wanted)
        return
    assert judge(hold, claim, alive=alive, state=state, wanted=wanted) == expected


def test_the_refusal_says_who_and_what_to_do() -> None:
    with pytest.raises(Held) as caught:
        judge(RUN, BOB_RUN, alive=True, state="rescued", wanted="unrescued", server="web1")
    assert all(word in str(caught.value) for word in ("web1", "alice", "then", "repair", "kernel", "force_takeover"))
    assert caught.value.retryable
    with pytest.raises(Held) as caught:
        judge(PERSON, BOB, alive=None, state="rescued", wanted="unrescued")
    assert not caught.value.retryable


def test_text_of_others_is_shown_escaped() -> None:
    with pytest.raises(Held) as caught:
        judge(Hold("a\x1b[31m\nb"), BOB, alive=None, state="rescued", wanted="rescued")
    assert "\x1b" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("hold", "running", "now", "alive"),
    [
        (RUN, True, 1000.0, True),
        (RUN, False, 0.0, False),
        (RUN, None, 49.0, None),
        (RUN, None, 50.0, False),
        (PERSON, False, 1000.0, None),
        (None, False, 1000.0, None),
    ],
)
def test_whether_a_run_lives(hold: Hold | None, *, running: bool | None, now: float, alive: bool | None) -> None:
    assert is_alive(hold, running=running, now=now) is alive


def test_what_is_taken() -> None:
    fresh = taken(None, dataclasses.replace(ALICE_RUN, reason="r", phase="p"), "take", now=0.0)
    assert fresh == Hold("alice", "r", "s/1/1", "1970-01-01T00:00:00Z", "p", LEASE)
    # A call that says nothing of reason and phase leaves them, and who began it.
    kept = taken(RUN, dataclasses.replace(ALICE_RUN, owner="renamed"), "keep", now=10.0)
    assert kept == dataclasses.replace(RUN, until=10.0 + LEASE)
    over = taken(RUN, BOB, "take_over", now=0.0)
    assert over == Hold("bob", since="1970-01-01T00:00:00Z")
    assert taken(None, BOB_RUN, "leave", now=0.0) is None


def test_what_is_worth_writing() -> None:
    assert not needs_writing(RUN, dataclasses.replace(RUN, until=RUN.until + 1))
    assert needs_writing(RUN, dataclasses.replace(RUN, until=RUN.until + LEASE / 2))
    assert needs_writing(RUN, dataclasses.replace(RUN, phase="verify"))
    assert needs_writing(None, RUN)
    assert needs_writing(RUN, None)
    assert not needs_writing(None, None)


def test_there_and_back_as_flat_text() -> None:
    for hold in (RUN, PERSON):
        flat = hold.to_flat()
        assert all(isinstance(value, str) for value in flat.values())
        assert Hold.from_flat(flat) == hold
    assert Hold.from_flat({}) is None
    # What somebody else wrote is still somebody's.
    strange = Hold.from_flat({"owner": "x", "until": "soon", "more": 1})
    assert strange == Hold("x")
    assert is_mine(strange, Claim(owner="x"))
