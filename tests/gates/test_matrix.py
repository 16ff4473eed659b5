# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The matrix counts what it has tried, and names what it has not."""

from __future__ import annotations

import pathlib
import re

import matrix
import pytest
import runner
from checkout import CHECKOUT
from runner import Counted, GateFailed, Run

#: a stand-in for what the rows run, which has what its words say
TOOL = """\
#!/bin/sh
case "$*" in
    "python "*) case " {pythons} " in *" $2 "*) echo /there/bin/python$2 ;; *) exit 1 ;; esac ;;
    *) echo "{answer}" >&2; exit 1 ;;
esac
"""


def a_run(directory: pathlib.Path, *, pythons: str, answer: str = "it broke") -> Run:
    tool = directory / "tests/lab/venv"
    tool.parent.mkdir(parents=True)
    tool.write_text(TOOL.format(pythons=pythons, answer=answer), encoding="ascii")
    tool.chmod(0o755)
    return Run(cwd=directory, env={"PATH": "/usr/bin:/bin"}, seconds=20, live=False)


def test_each_claimed_core_has_a_row_and_an_environment_of_its_series() -> None:
    rows = matrix.Matrix(CHECKOUT).gates()
    assert list(rows) == [*(f"matrix-{core.name}" for core in matrix.CORES), "matrix-python-3.9"]
    oldest = re.search(
        r'requires_ansible: ">=([\d.]+)\.0"', (CHECKOUT / "meta/runtime.yml").read_text(encoding="utf-8")
    )
    assert oldest and oldest.group(1) == matrix.CORES[0].name
    for core in matrix.CORES:
        for kind in ("txt", "lock"):
            text = (CHECKOUT / f"tests/lab/requirements-core-{core.name}.{kind}").read_text(encoding="utf-8")
            assert f"\nansible-core=={core.name}." in text


def test_the_forge_runs_sanity_with_the_same_cores() -> None:
    text = (CHECKOUT / ".github/workflows/tests.yml").read_text(encoding="utf-8")
    assert re.findall(r"stable-([\d.]+)", text) == [core.name for core in matrix.CORES]


@pytest.mark.parametrize(
    ("pythons", "answer", "error"),
    [
        ("3.9 3.11", "", "not tried: no Python 3.12 or 3.13 or 3.14 here"),
        ("3.12", "Because there is no version of ansible-core==2.20.10 and you", "not tried: no such release"),
    ],
)
def test_what_the_machine_has_not_is_named_and_not_counted(
    pythons: str, answer: str, error: str, tmp_path: pathlib.Path
) -> None:
    rows = matrix.Matrix(tmp_path)
    seen = runner.run_gate("matrix-2.20", rows.gates()["matrix-2.20"], a_run(tmp_path, pythons=pythons, answer=answer))
    assert error in seen.error
    assert (seen.passed, seen.failed) == (0, 0)
    assert "not tried: " in rows.table()
    assert runner.table([seen], seconds=1).splitlines()[-1] == "0 passed, 0 failed"


def test_an_environment_that_breaks_is_a_failure(tmp_path: pathlib.Path) -> None:
    row = matrix.Matrix(tmp_path).gates()["matrix-2.20"]
    seen = runner.run_gate("matrix-2.20", row, a_run(tmp_path, pythons="3.12"))
    assert (seen.error, seen.failed) == ("its environment cannot be made", 1)


def test_every_column_must_have_tested_something(tmp_path: pathlib.Path) -> None:
    rows = matrix.Matrix(tmp_path)
    good = Counted(3, "tests", passed=3)
    with pytest.raises(GateFailed, match="tested nothing"):
        rows._shown(("2.16.19", "3.10.13"), (good, Counted(0, "tests", passed=0), good), "recovered in 1.0 s")
    counted = rows._shown(("2.16.19", "3.10.13"), (good, good, Counted(1, "tests")), "recovered in 1.0 s")
    assert counted == Counted(7, "tests", passed=7)
    assert rows.table().splitlines()[-1].split() == [
        "2.16.19",
        "3.10.13",
        *(["3", "passed"] * 2),
        *"recovered in 1.0 s".split(),
    ]
