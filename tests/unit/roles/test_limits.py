# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What works on a patient's disks ends by itself, in order, before Ansible gives its task up."""

from __future__ import annotations

import pathlib
import re
import typing as t

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
#: by how much the limit of the task is longer
LONGER = re.compile(r"\{\{ (\w+) \| int \+ __common_grace \}\}")


def tasks_in(value: t.Any) -> t.Iterator[dict[str, t.Any]]:
    """Every task, also of blocks in blocks."""
    for item in value if isinstance(value, list) else ():
        yield item
        for inner in ("block", "rescue", "always", "tasks"):
            yield from tasks_in(item.get(inner))


def test_each_task_that_works_on_disks_gives_its_module_a_shorter_limit_than_its_own() -> None:
    seen = []
    for path in sorted([*ROOT.glob("roles/*/tasks/*.yml"), *ROOT.glob("playbooks/**/*.yml")]):
        for task in tasks_in(yaml.safe_load(path.read_text(encoding="utf-8"))):
            for module in {name for name in task if name.startswith("openrescue.server.disk_")}:
                place = f"{path.relative_to(ROOT)}: {task['name']}"
                limit = LONGER.fullmatch(str(task.get("timeout")))
                assert limit, f"{place}: the task has no limit of its own"
                assert task[module].get("timeout") == f"{{{{ {limit[1]} }}}}", f"{place}: the module has another limit"
                seen.append(place)
    assert len(seen) >= 6, seen
    grace = yaml.safe_load((ROOT / "roles/common/vars/main.yml").read_text(encoding="utf-8"))["__common_grace"]
    assert isinstance(grace, int)
    assert grace > 0
