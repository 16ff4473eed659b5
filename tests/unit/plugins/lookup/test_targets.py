# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which servers a pattern means."""

from __future__ import annotations

import pathlib
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


@pytest.mark.parametrize(
    ("terms", "variables", "unknown"),
    [
        (("db1:nonesuch",), {}, "nonesuch"),
        ((["db1", "nonesuch"],), {}, "nonesuch"),
        # Who is to be spared and is not known is not spared.
        (("web:!wbe1",), {}, "wbe1"),
        (("web:&nonesuch",), {}, "nonesuch"),
        (("db1,nonesuch[0]",), {}, "nonesuch"),
        (("web*,dba,dbb",), {}, "dba, dbb"),
        (("web",), {"ansible_limit": "web1,wbe2"}, "wbe2"),
    ],
)
def test_a_name_that_nobody_has_is_an_error(
    terms: tuple[t.Any, ...], variables: dict[str, t.Any], unknown: str
) -> None:
    """A typo would skip a server, and the run would be green."""
    with pytest.raises(AnsibleLookupError, match=f"no host or group of the inventory is called {unknown}. Nothing"):
        targets(*terms, **variables)


@pytest.mark.parametrize(
    ("terms", "variables", "expected"),
    [
        (("web[0]",), {}, ["web1"]),
        (("web[0:1],db1",), {}, ["web1", "web2", "db1"]),
        (("~(web|db)1$",), {}, ["web1", "db1"]),
        (("db1,ungrouped",), {}, ["db1"]),
        (("web1,no*",), {}, ["web1"]),
        (("db1,localhost",), {}, ["db1", "localhost"]),
        (("web",), {"ansible_limit": "~web1$"}, ["web1"]),
    ],
)
def test_what_is_no_plain_name_is_no_typo(
    terms: tuple[t.Any, ...], variables: dict[str, t.Any], expected: list[str]
) -> None:
    assert sorted(targets(*terms, **variables)) == sorted(expected)


def test_the_names_of_a_limit_in_a_file_are_the_files(tmp_path: pathlib.Path) -> None:
    (tmp_path / "web.retry").write_text("web1\nweb9\n", encoding="utf-8")
    assert targets("web", ansible_limit=f"@{tmp_path / 'web.retry'}") == ["web1"]


def test_an_empty_inventory_is_an_error() -> None:
    with pytest.raises(AnsibleLookupError, match="rescue_hosts is 'all'"):
        LookupModule(loader=DataLoader()).run(["all"], {"groups": {"all": [], "ungrouped": []}})
