# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import multiprocessing
import os
import typing as t

from ansible_collections.openrescue.server.plugins.lookup.run import LookupModule
from ansible_collections.openrescue.server.plugins.module_utils._server.process import identity


def lookup(terms: t.Sequence[str] = ()) -> list[str]:
    plugin = LookupModule()
    plugin.set_options = lambda **_options: None
    return t.cast("list[str]", plugin.run(list(terms)))


def _in_child(queue: t.Any) -> None:
    queue.put(lookup())


def test_tasks_of_one_run_get_the_same() -> None:
    """Ansible runs each task in a child of its own."""
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    children = [context.Process(target=_in_child, args=(queue,)) for _child in range(2)]
    for child in children:
        child.start()
    found = [queue.get(timeout=30) for _child in children]
    for child in children:
        child.join()
    assert found == [[identity(os.getpid())]] * 2
    assert lookup() == found[0]


def test_whether_another_run_goes_on() -> None:
    [me] = lookup()
    dead = "/".join([*me.split("/")[:2], "1"])
    assert lookup([me, dead, "elsewhere/1/1"]) == ["alive", "dead", "unknown"]
