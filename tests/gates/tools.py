# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tools that several gates run: pytest and ansible-test, each believed by what it counted."""

from __future__ import annotations

import pathlib
import re
import shutil
import tempfile
import xml.etree.ElementTree as ET

from runner import Counted, GateFailed, Run

#: What the collection does not ship keeps other rules, of its own tools.
UNSHIPPED = ("tests/gates", "tests/integration", "tests/lab")


def junit(path: pathlib.Path) -> Counted:
    """Count a pytest run by its own report. A skipped test has shown nothing, so it fails the gate."""
    if not path.exists():
        raise GateFailed("pytest wrote no report")
    total = failed = skipped = 0
    for suite in ET.parse(path).getroot().iter("testsuite"):
        total += int(suite.get("tests", 0))
        failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped += int(suite.get("skipped", 0))
    if skipped:
        raise GateFailed(f"{skipped} tests were skipped", passed=total - failed - skipped, failed=failed + skipped)
    return Counted(total, "tests", passed=total - failed, failed=failed)


def pytest(run: Run, *args: str) -> Counted:
    with tempfile.TemporaryDirectory(prefix="openrescue-junit-") as scratch:
        report = pathlib.Path(scratch, "junit.xml")
        code, _text = run.status("pytest", "-p", "no:cacheprovider", f"--junitxml={report}", *args)
        counted = junit(report)
    if code and not counted.failed:
        raise GateFailed(f"pytest ended with exit code {code}")
    return counted


def sanity(run: Run, cache: pathlib.Path) -> Counted:
    """Run every sanity test in a copy, which loses what is not shipped."""
    home = cache / "ansible-test"
    for version in _pips(run):
        cached = home / f".ansible/test/cache/get_pip_{version.replace('.', '_')}.py"
        cached.parent.mkdir(parents=True, exist_ok=True)
        # ansible-test downloads this script; the standard library holds the same.
        cached.write_text("import ensurepip\nensurepip.bootstrap(default_pip=True)\n", encoding="utf-8")
    for name in UNSHIPPED:
        shutil.rmtree(run.cwd / name)
    text = run("ansible-test", "sanity", "--local", "--color", "no", "-v", env={"HOME": str(home)})
    ran = re.findall(r'^Running sanity test "?([\w-]+)', text, re.MULTILINE)
    idle = text.count("No tests applicable")
    if "validate-modules" not in ran:
        raise GateFailed("validate-modules did not run")
    return Counted(len(ran) - idle, "sanity tests", passed=len(ran) - idle)


def _pips(run: Run) -> list[str]:
    """The versions of pip that this ansible-test asks for."""
    asked = "import pathlib, ansible_test; print(pathlib.Path(ansible_test.__path__[0], '_internal'))"
    internal = pathlib.Path(run("python", "-c", asked).splitlines()[-1])
    found = re.findall(r"\bpip='([\d.]+)'", (internal / "python_requirements.py").read_text(encoding="utf-8"))
    if not found:
        raise GateFailed("ansible-test no longer says which pip it asks for")
    return found
