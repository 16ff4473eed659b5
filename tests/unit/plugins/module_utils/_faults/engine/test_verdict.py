# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Only a whole chain is called bootable, and only what is certain unbootable."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._errors import OpenRescueError
from ansible_collections.openrescue.server.plugins.module_utils._faults.engine import verdict
from ansible_collections.openrescue.server.plugins.module_utils._faults.engine.verdict import (
    Answer,
    Link,
    ask_all,
    message_of,
    nearest_to_boot,
    verdict_of,
)
from ansible_collections.openrescue.server.plugins.module_utils._faults.model import Finding

BAD = Finding("a-b", "critical", "bad")
WEAK = Finding("a-b", "error", "weak")
OK, BROKEN, UNKNOWN = (Link("kernel", status, "seen") for status in ("ok", "broken", "unknown"))


@pytest.mark.parametrize(
    ("findings", "chain", "unchecked", "wanted"),
    [
        ([], [OK], 0, "bootable"),
        ([WEAK], [OK], 0, "bootable"),
        ([], [], 0, "unknown"),
        ([], [OK, UNKNOWN], 0, "unknown"),
        ([], [OK], 1, "unknown"),
        ([], [OK, BROKEN], 1, "unbootable"),
        ([BAD], [], 1, "unbootable"),
        ([BAD], [OK], 0, "unbootable"),
    ],
)
def test_the_verdict(findings: list[Finding], chain: list[Link], unchecked: int, wanted: str) -> None:
    assert verdict_of(findings, chain, unchecked=unchecked) == wanted
    assert message_of(findings, chain, unchecked=unchecked)


def test_the_message_names_the_link() -> None:
    assert message_of([], [OK, BROKEN], unchecked=0) == "The patient does not boot: kernel: seen"
    assert message_of([], [UNKNOWN], unchecked=0) == "Whether it boots cannot be told: kernel: seen"


def raises(error: Exception) -> t.Callable[[t.Any], Answer]:
    def ask(_patient: t.Any) -> Answer:
        raise error

    return ask


def test_what_cannot_be_asked_is_unknown() -> None:
    links: verdict.Follow = [
        ("a", raises(OpenRescueError("/boot cannot be read"))),
        ("b", raises(ValueError("\x1b"))),
        ("c", lambda _patient: Answer("ok", "\udcff")),
    ]
    found = ask_all(t.cast("t.Any", None), links)
    assert [(link.link, link.status) for link in found] == [("a", "unknown"), ("b", "unknown"), ("c", "ok")]
    assert found[0].evidence == "/boot cannot be read"
    assert all(link.evidence.isprintable() for link in found)


def test_one_way_to_boot_is_enough() -> None:
    assert nearest_to_boot([(BROKEN,), (UNKNOWN, OK), (UNKNOWN, UNKNOWN)]) == (UNKNOWN, OK)
    assert nearest_to_boot([]) == ()
