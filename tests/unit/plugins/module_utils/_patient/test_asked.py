# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._patient.asked import asked_of, is_as_asked

OWN = {"target": "vda", "device": "/dev/vdb", "hidden": False, "shared": False}
FIRST: dict[str, t.Any] = {
    "read_only": False,
    "devices": [],
    "root": None,
    "server_disks": [OWN],
    "luks_passphrases": ["correct horse", "battery"],
}


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"read_only": True}, False),
        ({"devices": ["/dev/vdb"]}, False),
        ({"root": "/dev/vdb1"}, False),
        ({"server_disks": [{**OWN, "shared": True}]}, False),
        ({"server_disks": [{**OWN, "hidden": True}]}, False),
        ({"server_disks": [OWN, OWN]}, False),
        ({"server_disks": [{**OWN, "size": 7}]}, True),
        ({"server_disks": []}, True),
        ({"luks_passphrases": ["correct horse"]}, False),
        ({"luks_passphrases": []}, True),
    ],
)
def test_what_is_asked_for_a_second_time(change: dict[str, t.Any], same: bool) -> None:
    before = json.loads(json.dumps(asked_of(FIRST, before=None)))
    assert is_as_asked(before, asked_of({**FIRST, **change}, before=before)) == same


def test_a_passphrase_that_is_first_given_now_is_something_new() -> None:
    before = asked_of({**FIRST, "luks_passphrases": []}, before=None)
    assert not is_as_asked(before, asked_of(FIRST, before=before))


def test_no_passphrase_is_kept() -> None:
    text = json.dumps(asked_of(FIRST, before=None))
    assert "horse" not in text
    assert text != json.dumps(asked_of(FIRST, before=None)), "salted"


def test_a_disk_is_shared_until_somebody_says_otherwise() -> None:
    before = asked_of({**FIRST, "server_disks": [{**OWN, "shared": True}]}, before=None)
    assert asked_of({**FIRST, "server_disks": []}, before=before)["server_disks"] == [{**OWN, "shared": True}]
