# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.openrescue.server.plugins.module_utils._errors import ConnectionLost, Held, OpenRescueError


def test_an_error_is_told_of_a_server_and_stays_as_it_was() -> None:
    made = ConnectionLost("it was lost", hint="Run again", step="look at it", retryable=True, retry_after=3.0)
    told = made.told_of("web1", also="It is as it was")
    assert str(told) == "server 'web1': look at it: it was lost. Run again. It is as it was"
    assert isinstance(told, ConnectionLost)
    assert (told.code, told.retryable, told.retry_after, told.args) == ("connection_lost", True, 3.0, made.args)
    assert str(made) == "look at it: it was lost. Run again"


def test_what_an_error_says_of_its_server_is_kept() -> None:
    assert Held("it is held", server="web1").told_of("web2").server == "web1"
    assert str(OpenRescueError("broken").told_of("web1", also="Try again")) == "server 'web1': broken. Try again"
