# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026, The openrescue authors
"""recover_tasks of a user that are not there, cannot be read, or fail: what becomes of the server."""

from __future__ import annotations

import typing as t

import pytest
from stand_ins import Told, play
from test_recover_decisions import asked, scenario

FAILS = "- ansible.builtin.fail:\n    msg: my own mistake\n"
BROKEN = "- name: [\n"
#: per server: its file of tasks (None: there is none), how it ends, what the error says, what server_rescue was asked
TABLE: dict[str, tuple[str | None, str, str, list[str]]] = {
    "good": ("- ansible.builtin.debug:\n    msg: '{{ patient_root }}'\n", "back", "", ["rescued", "unrescued"]),
    "absent": (None, "failed", "there is no file", []),
    "no-yaml": (BROKEN, "failed", "is no file of tasks that can be run", []),
    "no-list": ("a: b\n", "failed", "it holds no list of tasks", []),
    "no-module": ("- no.such.module: {}\n", "failed", "no.such.module", []),
    "no-keyword": ("- ansible.builtin.debug: {}\n  whn: x\n", "failed", "whn", []),
    "no-task": ("- hosts: all\n  tasks: []\n", "failed", "is no file of tasks that can be run", []),
    "fails": (FAILS, "failed", "my own mistake", ["rescued", "unrescued"]),
    "fails-late": (
        "- block:\n    - ansible.builtin.command: 'false'\n  always:\n    - ansible.builtin.debug: {}\n",
        "failed",
        "non-zero return code",
        ["rescued", "unrescued"],
    ),
    # What cannot be known before: the name is put together, and the file is broken.
    "broken-within": ("- ansible.builtin.include_tasks: '{{ inventory_hostname }}/x.yml'\n", "failed",
                      "a file that they include cannot be read",
                      ["rescued", "unrescued"]),
}  # fmt: skip


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("tasks")
    hosts = {}
    for name, (text, *_rest) in TABLE.items():
        if text is not None:
            (folder / f"{name}.yml").write_text(text, encoding="utf-8")
        hosts[name] = scenario(name, variables={"recover_tasks": str(folder / f"{name}.yml")})
    return play(tmp_path_factory.mktemp("recover"), "recover", hosts)


@pytest.mark.parametrize("name", TABLE)
def test_what_becomes_of_the_server(name: str, told: Told) -> None:
    _text, outcome, error, wanted = TABLE[name]
    assert name in told.records, told.text
    record, calls = told.records[name], told.calls[name]
    assert (record["outcome"], asked(calls)) == (outcome, wanted), (record, calls)
    assert error in (record["error"] or ""), record
    if wanted:
        # That nobody works on the disks any more is asked by unmounting once more.
        assert list(dict.fromkeys(states(calls))) == ["mounted", "unmounted", "unrescued"], calls


def states(calls: t.Sequence[tuple[str, dict[str, t.Any]]]) -> list[str]:
    """In which order the patient is mounted, unmounted, and the server given back."""
    return [
        given["state"]
        for name, given in calls
        if name == "disk_mount" or (name == "server_rescue" and given["state"] == "unrescued")
    ]


def test_what_was_told_before_is_told_without_touching_the_server(told: Told) -> None:
    for name in ("absent", "no-yaml", "no-list", "no-module", "no-keyword", "no-task"):
        assert told.calls[name] == [], name
        assert f"server '{name}': read recover_tasks: " in told.records[name]["error"], told.records[name]
