# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file of tasks, and why it cannot be run."""

from __future__ import annotations

DOCUMENTATION = r"""
name: tasks_file
short_description: A file of tasks, and why it cannot be run
version_added: 0.1.0
author:
  - The openrescue authors (@openrescue)
description:
  - Finds a file of tasks and reads it, as C(ansible.builtin.include_tasks) would.
  - Where Ansible itself comes to a file of tasks that it cannot read, it ends the whole run, for all hosts and without
    their C(always). Here that is an answer, for which one can ask before anything is begun.
  - Files that it includes or imports by a plain name are read too.
options:
  _terms:
    description:
      - Paths. A relative one is looked for where Ansible looks for files of tasks, and then in the current directory.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Make sure that the tasks can be run
  ansible.builtin.assert:
    that: not found.error
    fail_msg: "{{ found.error }}"
  vars:
    found: "{{ lookup('openrescue.server.tasks_file', recover_tasks) }}"
"""

RETURN = r"""
_list:
  description: For each, its absolute C(path), and an C(error), which is empty if it can be run.
  type: list
  elements: dict
"""

import os
import typing as t

from ansible.errors import AnsibleError
from ansible.playbook.block import Block
from ansible.playbook.task import Task
from ansible.plugins.lookup import LookupBase

__all__ = ("LookupModule",)

_PARTS = ("block", "rescue", "always")
_INCLUDES = tuple(f"{prefix}{kind}_tasks" for prefix in ("", "ansible.builtin.") for kind in ("include", "import"))
#: files that include each other end somewhere
_MOST = 100


class LookupModule(LookupBase):
    """See above."""

    def run(self, terms: t.Any, variables: t.Any = None, **kwargs: t.Any) -> list[dict[str, str]]:  # noqa: ARG002
        """Each with what is wrong with it."""
        return [self._look(str(term), variables or {}) for term in terms]

    def _look(self, term: str, variables: t.Mapping[str, t.Any]) -> dict[str, str]:
        found = self.find_file_in_search_path(variables, "tasks", term, ignore_missing=True) or term
        path = os.path.abspath(found)
        if not os.path.isfile(path):
            return {"path": path, "error": f"there is no file {term}. Give its absolute path"}
        return {"path": path, "error": self._read(path)}

    def _read(self, path: str) -> str:
        pending, seen = [path], {path}
        while pending and len(seen) < _MOST:
            now = pending.pop()
            try:
                names = list(self._loaded(self._loader.load_from_file(now, cache="none")))
            except AnsibleError as exc:
                return f"{now} is no file of tasks that can be run: {exc}"
            beside = [os.path.join(os.path.dirname(now), name) for name in names if "{{" not in name]
            # One that is not there is an error of its own task, which its host's own 'always' follows.
            fresh = [other for other in beside if os.path.isfile(other) and other not in seen]
            pending += fresh
            seen.update(fresh)
        return ""

    def _loaded(self, tasks: t.Any) -> t.Iterator[str]:
        """Load each task as Ansible does, and name the files that they lead to."""
        if not isinstance(tasks, list):
            raise AnsibleError("it holds no list of tasks")
        for item in tasks:
            if not isinstance(item, dict):
                raise AnsibleError(f"one of its tasks is {str(item)[:80]!r}")
            if Block.is_block(item):
                Block.load({**item, **{part: [] for part in _PARTS if part in item}}, loader=self._loader)
                for part in _PARTS:
                    yield from self._loaded(item.get(part) or [])
                continue
            Task.load(dict(item), loader=self._loader)
            for name in _INCLUDES:
                given = item.get(name)
                file = given.get("file") if isinstance(given, dict) else given
                if isinstance(file, str):
                    yield file.split()[0] if file.split() else ""
