# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variables that are ours, and those that are nearly so."""

from __future__ import annotations

import pathlib
import re
import typing as t

import pytest
from ansible_collections.openrescue.server.plugins.plugin_utils._inputs import (
    PLAYBOOKS,
    inputs,
    misspelled,
    wrong_values,
)

ROOT = pathlib.Path(__file__).resolve().parents[4]
SOURCES = [*ROOT.glob("playbooks/**/*.yml"), *ROOT.glob("roles/*/*/*.yml")]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("rescue_imag", "rescue_image"),
        ("rescue_host", "rescue_hosts"),
        ("recover_runing", "recover_running"),
        ("rescue_shutdown_timout", "rescue_shutdown_timeout"),
        ("repair_fault", "repair_faults"),
        ("verify_timeuot", "verify_timeout"),
    ],
)
def test_what_is_nearly_ours_is_named(name: str, meant: str) -> None:
    assert misspelled([name, "rescue_image"]) == [f"{name} (did you mean {meant}?)"]


@pytest.mark.parametrize(
    "name",
    ["rescue_team", "rescue_window", "recover_from_backup", "verify_ssl", "image_rescue", "ansible_host", "rescue",
     "repair_ticket", "diagnose_owner", "triage_level", "common_packages"],
)  # fmt: skip
def test_what_a_user_calls_otherwise_is_left_alone(name: str) -> None:
    assert misspelled([name]) == []


def test_what_is_ours_is_known() -> None:
    assert len(inputs()) > 50
    assert misspelled(inputs()) == []


def test_what_the_playbooks_keep_while_they_run_is_not_taken_for_a_mistake() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    kept = set(
        re.findall(r"\b_*(?:rescue|recover|repair|verify|triage|diagnose|unrescue|common|begin|result)_\w+", text)
    )
    assert len(kept) > 50
    # A user's own tasks have it, and nobody else: where it is set before, it is meant to be rescue_hosts.
    kept.remove("rescue_host")
    assert misspelled(kept) == []


def test_what_only_the_playbooks_know_is_used_there() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.glob("playbooks/**/*.yml"))
    assert {name for name in PLAYBOOKS if name in text} == PLAYBOOKS


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, []),
        ({"verify_by": "agent", "verify_timeout": 1, "recover_probe_timeout": 0, "rescue_luks_passphrases": ["a"]}, []),
        ({"verify_timeout": "120", "recover_running": "yes", "rescue_ssh_port": "2222"}, []),
        ({"verify_by": "ping"}, ["verify_by must be one of agent, ssh, console, and is 'ping'"]),
        ({"verify_timeout": "two"}, ["verify_timeout must be of the type int, and is 'two'"]),
        ({"rescue_timeout": 0}, ["rescue_timeout must be more than 0, and is '0'"]),
        ({"recover_probe_timeout": -1}, ["recover_probe_timeout must be more than 0, and is '-1'"]),
        ({"recover_running": "maybe"}, ["recover_running must be of the type bool, and is 'maybe'"]),
        ({"rescue_auth": "x\x1by"}, ["rescue_auth must be of the type dict, and is something else, which is secret"]),
        ({"theirs": object()}, []),
    ],
)
def test_wrong_values(values: dict[str, t.Any], told: list[str]) -> None:
    assert wrong_values(values) == told
