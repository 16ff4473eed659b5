# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._openstack import plan as nova_plan
from ansible_collections.openrescue.server.plugins.module_utils._openstack import server as shown
from ansible_collections.openrescue.server.plugins.module_utils._server.hold import Hold

from .samples import RESCUED


def marker_of(image: str) -> shown.Marker:
    wish = dataclasses.replace(RESCUED, image=image)
    return nova_plan.draft_marker(wish, power="shutdown", image="r" * 36, key="0" * 8, size=10**13)


#: name of the image, how many volumes are shared -> which of both is kept
FITTING = [
    ("rescue", 0, True, True),
    ("rescue", 3, True, True),
    ("ä" * 60, 3, False, True),
    ("x" * 255, 50, False, False),
]


@pytest.mark.parametrize(("name", "volumes", "named", "listed"), FITTING)
def test_the_marker_fits_into_one_value_of_the_metadata(name: str, volumes: int, named: bool, listed: bool) -> None:
    shared = frozenset(f"{number:08x}" for number in range(volumes))
    marker, disks = marker_of(name), shown.DiskFacts(hidden=True, shared=shared)
    value = shown.marker_to_metadata(marker, disks)
    assert len(value) <= 255
    read = shown.marker_from_metadata({"openrescue": value})
    assert read == (marker if named else dataclasses.replace(marker, asked=""))
    # Where they cannot be listed, all are taken for shared.
    assert shown.disk_facts_in({"openrescue": value}) == (disks if listed else shown.DiskFacts(True, None))


def test_a_volume_is_known_by_the_beginning_of_its_id() -> None:
    volume = "44444444-4444-4444-8444-444444444444"
    value = shown.marker_to_metadata(marker_of("rescue"), shown.DiskFacts(shared=frozenset([volume])))
    found = shown.disk_facts_in({"openrescue": value})
    assert found is not None
    assert found.is_shared(volume)
    assert not found.is_shared("55555555-4444-4444-8444-444444444444")
    assert shown.DiskFacts(shared=None).is_shared("any")


@pytest.mark.parametrize("value", ["", "[]", '{"version": "1"}'])
def test_a_marker_that_says_nothing_of_the_disks(value: str) -> None:
    assert shown.disk_facts_in({"openrescue": value}) is None


@pytest.mark.parametrize("value", ["", "x", "[]", "{}", '{"version": "2"}', '{"version": "1", "id": "k"}'])
def test_a_marker_that_makes_no_sense_is_none(value: str) -> None:
    assert shown.marker_from_metadata({"openrescue": value}) is None


@pytest.mark.parametrize(
    ("document", "versions"),
    [
        ({"version": {"id": "v2.1", "min_version": "2.1", "version": "2.104"}}, ((2, 1), (2, 104))),
        ({"versions": [{"id": "v2.0"}, {"id": "v2.1", "min_version": "2.1", "version": "2.79"}]}, ((2, 1), (2, 79))),
        ({"version": {"id": "v2.0"}}, ((2, 1), (2, 1))),
        ({"version": {"id": "v2.1", "min_version": "", "version": "new"}}, ((2, 1), (2, 1))),
        ([], ((2, 1), (2, 1))),
    ],
)
def test_versions(document: t.Any, versions: t.Any) -> None:
    assert shown.versions_in(document) == versions


#: what of a hold has to give way where it does not fit
LONG = [
    (Hold(owner="me@here", reason="x", run="a/1/2", since="s", phase="p", until=5.0), True),
    (Hold(owner="me@here", reason="ä" * 300, run="a/1/2", phase="repair", until=1_800_000_000.0), False),
    (Hold(owner="m" * 300, reason="r" * 300, run="abcdefabcdef/1234567/123456789", phase="p" * 300), False),
]


@pytest.mark.parametrize(("hold", "whole"), LONG)
def test_a_hold_fits_into_one_value_of_the_metadata(hold: Hold, whole: bool) -> None:
    text = shown.hold_to_metadata(hold)
    assert len(text) <= 255
    read = shown.hold_from_metadata({"openrescue_hold": text})
    assert read is not None
    assert (read.run, read.until) == (hold.run, hold.until)
    assert hold.owner.startswith(read.owner)
    assert (read == hold) is whole


@pytest.mark.parametrize("text", ["", "x", "[]", "{}", "null", '{"owner": ""}'])
def test_a_hold_that_makes_no_sense_is_somebodys(text: str) -> None:
    hold = shown.hold_from_metadata({"openrescue_hold": text})
    assert hold is not None
    assert "nobody knows whom" in hold.owner
    assert shown.hold_from_metadata({}) is None
