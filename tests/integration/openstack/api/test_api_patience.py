# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What passes is waited for, as long as the cloud asks for and no longer than the user gave."""

from __future__ import annotations

import typing as t

import pytest
from proxy import ACTION, ALWAYS, FIND, HTML, IMAGE, LOGIN, SHOW, Proxy, answer, fault, rule
from runs import NAME, Runs, passed, told

#: what a request gets once or twice -> seconds that it asked to be left alone
PASSES: dict[str, tuple[str, dict[str, t.Any], float]] = {
    "413": (FIND, {"answer": fault(413, "overLimit", retry_after="2")}, 2),
    "429 seconds": (FIND, {"answer": answer(429, "", retry_after="2")}, 2),
    "429 date": (FIND, {"answer": answer(429, "", retry_after_date="3")}, 2),
    "500 once": (FIND, {"answer": fault(500, "computeFault")}, 0.5),
    "502 twice": (FIND, {"answer": answer(502, HTML), "times": 2}, 0.5),
    "503": (FIND, {"answer": answer(503, "", retry_after="1")}, 1),
    "reset": (FIND, {"reset": "before"}, 0.5),
    "reset after": (FIND, {"reset": "after"}, 0.5),
    "not JSON once": (FIND, {"answer": answer(200, HTML)}, 0.5),
    "image 503": (IMAGE, {"answer": answer(503, "", retry_after="1")}, 1),
    "login 503": (LOGIN, {"answer": answer(503, "", retry_after="1")}, 1),
    "login reset": (LOGIN, {"reset": "before"}, 0.5),
}


@pytest.mark.parametrize("case", PASSES)
def test_what_passes_is_waited_for(server: t.Any, run: Runs, proxy: Proxy, case: str) -> None:
    request, what, pause = PASSES[case]
    proxy.put([rule(request, **what)])
    passed(run.info(NAME, rescue_image="blank-rescue"), "unrescued")
    seen = [one for one in proxy.seen if any(other.hit and other.path == one.path for other in proxy.seen)]
    last = max(index for index, one in enumerate(seen) if one.hit)
    again = next(one for one in seen[last + 1 :] if (one.method, one.path) == (seen[last].method, seen[last].path))
    assert again.status < 300
    assert pause - 0.05 <= again.began - seen[last].ended < pause + 3


@pytest.mark.parametrize("action", ["rescue", "unrescue"])
def test_the_pause_asked_for_is_kept_for_an_action(server: t.Any, run: Runs, proxy: Proxy, action: str) -> None:
    if action == "unrescue":
        passed(run.rescue(NAME), "rescued")
    proxy.put([rule(ACTION, answer=answer(503, "", retry_after="3"))])
    passed(getattr(run, action)(NAME), f"{action}d")
    first, second = proxy.actions
    assert 3 <= second.began - first.ended < 5


#: Nova keeps what it knows of a token for minutes, so it gets one that Keystone does not know, and refuses that itself
ENDED = rule(SHOW, skip=1, request_headers={"X-Auth-Token": "ended"})


def test_a_token_ends_in_the_middle_of_the_wait(server: t.Any, run: Runs, proxy: Proxy) -> None:
    proxy.put([ENDED])
    passed(run.rescue(NAME), "rescued")
    [refused] = [one for one in proxy.seen if one.hit]
    assert refused.upstream == 401
    assert len([one for one in proxy.seen if one.path == "/v3/auth/tokens"]) == 2
    assert len(proxy.actions) == 1


def test_a_token_ends_and_there_is_no_other(server: t.Any, run: Runs, proxy: Proxy) -> None:
    no = {"error": {"code": 401, "title": "Unauthorized", "message": "The account is disabled."}}
    proxy.put([ENDED, rule(LOGIN, skip=1, times=ALWAYS, answer=answer(401, no))])
    outcome = run.rescue(NAME)
    told(outcome, NAME, "unauthorized", "HTTP 401", "The account is disabled", "password")
    assert len(proxy.actions) == 1
