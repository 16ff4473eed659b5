# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runner's one promise: what was not tested has not passed."""

from __future__ import annotations

import pathlib
import time

import pytest
import runner
from gates import _junit
from runner import Counted, GateFailed, Outcome, Run


def a_run(*, seconds: float = 20.0) -> Run:
    return Run(cwd=pathlib.Path("/"), env={"PATH": "/usr/bin:/bin"}, seconds=seconds, live=False)


def outcome(gate: runner.Gate, *, seconds: float = 20.0) -> Outcome:
    return runner.run_gate("a gate", gate, a_run(seconds=seconds))


def test_what_was_counted_passes() -> None:
    seen = outcome(lambda run: Counted(len(run("echo", "one", "two").split()), "words"))
    assert seen.counted == Counted(2, "words")
    assert (seen.error, seen.passed, seen.failed) == ("", 1, 0)


@pytest.mark.parametrize(
    ("gate", "reason"),
    [
        pytest.param(lambda _run: Counted(0, "files"), "counted no files", id="nothing counted"),
        pytest.param(lambda _run: Counted(3, "tests", passed=0), "counted no tests", id="nothing passed"),
        pytest.param(lambda _run: Counted(3, "tests", passed=2, failed=1), "1 failed", id="one failed"),
        pytest.param(lambda run: run("false"), "exit code 1: false", id="command failed"),
        pytest.param(lambda run: run("no-such-program"), "cannot run", id="command missing"),
    ],
)
def test_what_was_not_tested_fails(gate: runner.Gate, reason: str) -> None:
    seen = outcome(gate)
    assert seen.failed >= 1
    assert reason in seen.error


def test_a_command_past_its_time_is_ended_with_its_children() -> None:
    start = time.monotonic()
    seen = outcome(lambda run: Counted(len(run("sh", "-c", "sleep 1000 & wait")), "bytes"), seconds=0.3)
    assert "did not end in time" in seen.error
    assert time.monotonic() - start < 10


def test_a_skipped_test_has_shown_nothing(tmp_path: pathlib.Path) -> None:
    report = tmp_path / "junit.xml"
    report.write_text('<testsuites><testsuite tests="3" failures="0" errors="0" skipped="1"/></testsuites>')
    with pytest.raises(GateFailed, match="1 tests were skipped"):
        _junit(report)


def test_the_last_line_sums_all(capsys: pytest.CaptureFixture[str]) -> None:
    gates: dict[str, runner.Gate] = {
        "good": lambda _run: Counted(7, "tests", passed=7),
        "bad": lambda _run: Counted(3, "tests", passed=1, failed=2),
    }
    outcomes = runner.run_gates(gates, make_run=lambda _name: a_run(), jobs=2)
    assert "FAILED  bad" in capsys.readouterr().out
    assert runner.table(outcomes, seconds=1).splitlines()[-1] == "8 passed, 2 failed"


def test_the_closing_lines_tell_why() -> None:
    seen = outcome(
        lambda run: Counted(0, run("echo", "all is well\nE   assert 1 == 2\nFAILED test_a.py::test_b - assert"))
    )
    closing = runner.table([seen], seconds=1).splitlines()
    assert closing[-3:-1] == ["a gate: E   assert 1 == 2", "a gate: FAILED test_a.py::test_b - assert"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("E   AssertionError: no", True),
        ("FAILED tests/a.py::b - no", True),
        ("fatal: [web1]: FAILED! => {}", True),
        ("[ERROR]: Task failed: no", True),
        ("CRITICAL Ansible return code was 2", True),
        ("plugins/a.py:3: error: Incompatible types", True),
        ("verify > prepare: Executed: Failed (Ansible return code was 2)", True),
        ("test_a.py::test_b PASSED", False),
        ("ok: [web1]", False),
        ("web1 : ok=1 changed=0 unreachable=0 failed=0", False),
    ],
)
def test_lines_that_tell_why(line: str, told: bool) -> None:
    assert bool(runner.reasons(line)) is told


def test_reasons_are_few_and_short() -> None:
    kept = runner.reasons("\n".join(f"E   {number} {'x' * 1000}" for number in range(100)))
    assert len(kept) == 15
    assert kept[-1].startswith("E   99 ")
    assert max(map(len, kept)) == 300
