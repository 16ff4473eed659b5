# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which servers a pattern means."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleLookupError
from ansible.parsing.dataloader import DataLoader
from ansible_collections.openrescue.server.plugins.lookup.targets import LookupModule

GROUPS: dict[str, list[str]] = {
    "all": ["web1", "web2", "db1", "web1-rescue"],
    "ungrouped": [],
    "web": ["web1", "web2"],
    "openrescue_rescue_systems": ["web1-rescue"],
}


def targets(*terms: t.Any, **variables: t.Any) -> list[str]:
    return LookupModule(loader=DataLoader()).run(list(terms), {"groups": GROUPS, **variables})


@pytest.mark.parametrize(
    ("terms", "variables", "expected"),
    [
        (("web",), {}, ["web1", "web2"]),
        (("web2,db*",), {}, ["web2", "db1"]),
        (("web:!web1",), {}, ["web2"]),
        ((["web1", "db1"],), {}, ["web1", "db1"]),
        (("all",), {}, ["web1", "web2", "db1"]),
        (("web*",), {"ansible_limit": "web1"}, ["web1"]),
    ],
)
def test_they_are_listed(terms: tuple[t.Any, ...], variables: dict[str, t.Any], expected: list[str]) -> None:
    assert sorted(targets(*terms, **variables)) == sorted(expected)


@pytest.mark.parametrize(
    ("terms", "variables"),
    [
        (("wbe*",), {}),
        (("",), {}),
        ((None,), {}),
        ((), {}),
        (("web:!web",), {}),
        (("web1-rescue",), {}),
        (("db1",), {"ansible_limit": "web"}),
    ],
)
def test_none_is_an_error(terms: tuple[t.Any, ...], variables: dict[str, t.Any]) -> None:
    with pytest.raises(AnsibleLookupError, match="no host of the inventory fits"):
        targets(*terms, **variables)


def test_an_empty_inventory_is_an_error() -> None:
    with pytest.raises(AnsibleLookupError, match="rescue_hosts is 'all'"):
        LookupModule(loader=DataLoader()).run(["all"], {"groups": {"all": [], "ungrouped": []}})
