# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which files of tasks can be run."""

from __future__ import annotations

import pathlib

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible_collections.openrescue.server.plugins.lookup.tasks_file import LookupModule

GOOD = """
- name: Say it
  debug:
    msg: "{{ patient_root }}"
  delegate_to: "{{ rescue_host }}"
  when: something | bool
  loop: "{{ others }}"
- name: In a block
  when: x
  block:
    - command: echo {{ x }}
    - include_tasks: "{{ x }}.yml"
    - include_tasks: {file: absent.yml}
    - import_tasks: beside.yml
    - include_role: {name: mine}
    - meta: flush_handlers
  rescue:
    - fail: {}
"""
BAD = {
    "no yaml": ("- name: [", ""),
    "empty": ("", "it holds no list of tasks"),
    "a mapping": ("a: b", "it holds no list of tasks"),
    "a text": ("- just text", "one of its tasks is 'just text'"),
    "an unknown module": ("- no.such.module: {}", "module"),
    "two actions": ("- debug: {}\n  fail: {}", "conflicting"),
    "in a block": ("- block:\n    - no.such.module: {}", "module"),
    "a keyword of a block": ("- block: []\n  whn: x", "whn"),
}


def look(path: str | pathlib.Path) -> dict[str, str]:
    (found,) = LookupModule(loader=DataLoader()).run([str(path)], {})
    return found


@pytest.fixture
def folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "beside.yml").write_text("- import_tasks: good.yml\n")
    (tmp_path / "good.yml").write_text(GOOD)
    return tmp_path


def test_what_is_good(folder: pathlib.Path) -> None:
    assert look(folder / "good.yml") == look("good.yml") == {"path": str(folder / "good.yml"), "error": ""}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("file", ["good.yml", "beside.yml"])
def test_what_is_not(folder: pathlib.Path, name: str, file: str) -> None:
    text, why = BAD[name]
    (folder / file).write_text(text)
    error = look("good.yml")["error"]
    assert error.startswith(f"{folder / file} is no file of tasks that can be run: ")
    assert why in error


def test_what_is_not_there(folder: pathlib.Path) -> None:
    (folder / "folder.yml").mkdir()
    for name in ("none.yml", "folder.yml"):
        assert look(name)["error"] == f"there is no file {name}. Give its absolute path"


def test_files_that_include_each_other(folder: pathlib.Path) -> None:
    (folder / "beside.yml").write_text("- import_tasks: good.yml\n- import_tasks: beside.yml\n")
    assert look("good.yml")["error"] == ""
