# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The gates, each a function that runs one tool and says what the tool looked at.

Each quick gate runs in a copy of its own, outside any git tree and under the collection's name (elsewhere ansible-test
and mypy look at nothing, silently); the slow ones run in the checkout. What tools keep between runs is in ``cache``.
"""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import tempfile

from runner import Counted, Gate, GateFailed, Run
from tools import pytest, sanity

COLLECTION = "openrescue.server"
SCENARIOS = ("rescue_image", "triage", "rescue", "diagnose", "repair", "unrescue", "verify", "recover")

#: The tests that work on disks of broken guests: about half of the integration tests' time.
PATIENTS = (
    *(f"tests/integration/test_{name}.py" for name in ("faults", "layouts", "disk_units", "disk_guest", "hands_guest")),
    "tests/integration/disk_host/test_*.py",
)
#: The tests that need the small real cloud.
CLOUD = ("tests/integration/openstack/**/test_*.py", "tests/integration/test_awx.py")

#: A reference of the documentation's build to what other documentation explains, which is not at hand.
ELSEWHERE = re.compile(
    r"undefined label: '(?:common_return_values|ansible_configuration_settings|(?:action|callback)_plugins"
    r"|ansible_collections\.(?!openrescue\.)\S+)'|'envvar' reference target not found: ANSIBLE_\w+ "
)

#: What shows everything that runs, is mounted or is attached.
LISTS = (("ps", "-eo", "pid=,args="), ("cat", "/proc/self/mounts"), ("losetup", "--list"))


def _files(run: Run, *patterns: str) -> list[str]:
    found = {str(path.relative_to(run.cwd)) for pattern in patterns for path in run.cwd.glob(pattern) if path.is_file()}
    return sorted(found)


def quick(cache: pathlib.Path) -> dict[str, Gate]:
    """What needs no guest, the longest first."""

    def ansible_test(run: Run) -> Counted:
        return sanity(run, cache)

    def ansible_lint(run: Run) -> Counted:
        text = run("ansible-lint", "--offline", "--nocolor", "--profile", "production", "--strict")
        match = re.search(r"in (\d+) files processed of", text)
        return Counted(int(match.group(1)) if match else 0, "files")

    def mypy(run: Run) -> Counted:
        args = ("--config-file", "mypy.ini", "--cache-dir", str(cache / "mypy"))
        root = str(run.cwd.parents[2])
        package = f"ansible_collections.{COLLECTION}.plugins"
        text = run("mypy", *args, "-p", package, env={"MYPYPATH": root})
        # The pages of the faults show what the tests know of consoles.
        env = {"MYPYPATH": f"tests/lab:tests/gates:tests/unit/plugins/module_utils:{root}"}
        lab = run("mypy", *args, "tests/lab/openrescue_lab", "tests/gates", env=env)
        return Counted(sum(map(int, re.findall(r"no issues found in (\d+) source", text + lab))), "files")

    def unit(run: Run) -> Counted:
        return pytest(run, "-q", "-n", "2", "tests/unit", "tests/gates")

    def ruff(run: Run) -> Counted:
        files = run("ruff", "check", "--show-files").split()
        run("ruff", "check", "--no-cache")
        return Counted(len(files), "files")

    def ruff_format(run: Run) -> Counted:
        text = run("ruff", "format", "--check", "--no-cache")
        match = re.search(r"(\d+) files? already formatted", text)
        return Counted(int(match.group(1)) if match else 0, "files")

    def yamllint(run: Run) -> Counted:
        files = run("yamllint", "--list-files", ".").split()
        run("yamllint", "--strict", ".")
        return Counted(len(files), "files")

    def reuse(run: Run) -> Counted:
        text = run("reuse", "lint")
        match = re.search(r"Files with license information: (\d+)", text)
        return Counted(int(match.group(1)) if match else 0, "files")

    def antsibull_docs(run: Run) -> Counted:
        # Sphinx reads below what rstcheck would read here, and sees more.
        run(
            "antsibull-docs", "lint-collection-docs", "--plugin-docs", "--skip-rstcheck", "--check-extra-docs-refs", "."
        )
        with tempfile.TemporaryDirectory(prefix="openrescue-docs-") as scratch:
            pages = pathlib.Path(scratch, "pages")
            pages.mkdir()
            options = ("--use-current", "--squash-hierarchy", "--fail-on-error", "--dest-dir", str(pages))
            run("antsibull-docs", "collection", *options, COLLECTION)
            site = ("-D", "extensions=sphinx_antsibull_ext", "-D", "highlight_language=YAML+Jinja")
            text = run("sphinx-build", "-q", "-C", *site, "-b", "html", str(pages), str(pathlib.Path(scratch, "site")))
            warnings = [line for line in text.splitlines() if line and not ELSEWHERE.search(line)]
            if warnings:
                raise GateFailed(f"{len(warnings)} warnings of Sphinx: {'; '.join(warnings[:5])}")
            return Counted(len(list(pages.rglob("*.rst"))), "pages")

    def python_39(run: Run) -> Counted:
        text = run("vermin", "--no-tips", "--target=3.9-", "--violations", "plugins", "roles")
        match = re.search(r"Analyzing (\d+) files", text)
        return Counted(int(match.group(1)) if match else 0, "files")

    def changelog(run: Run) -> Counted:
        run("antsibull-changelog", "lint")
        run("antsibull-changelog", "lint-changelog-yaml", "--strict", "changelogs/changelog.yaml")
        return Counted(len(_files(run, "changelogs/**/*.y*ml")), "files")

    def shellcheck(run: Run) -> Counted:
        scripts = [name for name in _files(run, "tests/**/*", "roles/**/*", ".ci/*") if _is_shell(run.cwd / name)]
        run("shellcheck", "--severity=warning", *scripts)
        return Counted(len(scripts), "scripts")

    def workflows(run: Run) -> Counted:
        """What the forge runs: its form, and what in it is unsafe."""
        files = _files(run, ".github/workflows/*.y*ml")
        if files:
            run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *files)
            run("zizmor", "--offline", "--no-progress", "--strict-collection", *files)
        return Counted(len(files), "files")

    def importer(run: Run) -> Counted:
        venv = pathlib.Path(run("tests/lab/venv", "path", "importer").splitlines()[-1])
        with tempfile.TemporaryDirectory(prefix="openrescue-build-") as scratch:
            run("ansible-galaxy", "collection", "build", "--output-path", scratch)
            [artifact] = pathlib.Path(scratch).glob("*.tar.gz")
            env = {"PATH": f"{venv / 'bin'}:{run.env['PATH']}", "HOME": scratch}
            python = str(venv / "bin/python")
            text = run(python, "-m", "galaxy_importer.main", str(artifact), cwd=pathlib.Path(scratch), env=env)
            result = json.loads(pathlib.Path(scratch, "importer_result.json").read_text(encoding="utf-8"))
        complaints = re.findall(r"^(?:ERROR|WARNING).*", text, re.MULTILINE)
        if complaints:
            raise GateFailed("; ".join(complaints))
        return Counted(len(result["contents"]), "contents")

    return {
        "sanity": ansible_test,
        "ansible-lint": ansible_lint,
        "importer": importer,
        "mypy": mypy,
        "unit": unit,
        "ruff": ruff,
        "ruff-format": ruff_format,
        "python-3.9": python_39,
        "yamllint": yamllint,
        "shellcheck": shellcheck,
        "reuse": reuse,
        "antsibull-docs": antsibull_docs,
        "changelog": changelog,
        "workflows": workflows,
    }


def _is_shell(path: pathlib.Path) -> bool:
    with path.open("rb") as file:
        return bool(re.match(rb"#!\s*/(usr/)?bin/(env )?(ba)?sh\b", file.readline()))


def slow() -> dict[str, Gate]:
    """What boots guests, one at a time each, in the order in which three at a time end soonest."""

    def integration(run: Run, *paths: str) -> Counted:
        return pytest(run, "-v", "--durations", "20", *paths)

    def patients(run: Run) -> Counted:
        return integration(run, *_files(run, *PATIENTS))

    def cloud(run: Run) -> Counted:
        """Most of these tests wait for Nova or for a clock: two at a time, then those that stop Nova's services."""
        run("tests/lab/cloud/cloud", "up")
        files = _files(run, *CLOUD)
        try:
            beside = integration(run, "-n", "2", "--dist", "loadgroup", "-m", "not disturbs", *files)
            alone = integration(run, "-m", "disturbs", *files)
        finally:
            run("tests/lab/cloud/cloud", "down")
        return Counted(beside.number + alone.number, beside.unit, beside.passed + alone.passed)

    def servers(run: Run) -> Counted:
        others = {*_files(run, *PATIENTS), *_files(run, *CLOUD)}
        return integration(run, *(name for name in _files(run, "tests/integration/**/test_*.py") if name not in others))

    def molecule(run: Run) -> Counted:
        """The scenarios in the order of the way, so that each finds the guest as the one before has left it."""
        there = {path.parent.name for path in run.cwd.glob("extensions/molecule/*/molecule.yml")} - {"default"}
        if there != set(SCENARIOS):
            raise GateFailed(f"scenarios are {sorted(there)}, expected {sorted(SCENARIOS)}")
        chosen = [word for name in SCENARIOS for word in ("--scenario-name", name)]
        text = run("molecule", "test", "--report", "--no-command-borders", *chosen)
        seen = len(re.findall(r"hosts seen: [1-9]", text))
        return Counted(seen, "scenarios", passed=seen, failed=len(SCENARIOS) - seen)

    def whole_way(run: Run) -> Counted:
        run("tests/lab/demo")
        return Counted(1, "guest recovered")

    return {"patients": patients, "cloud": cloud, "servers": servers, "molecule": molecule, "whole-way": whole_way}


def proofs() -> dict[str, Gate]:
    """What takes long, changes seldom, and is run by name only."""

    def layouts(run: Run) -> Counted:
        return pytest(run, "-v", "--durations", "20", "tests/integration/prove_layouts.py")

    def killed(run: Run) -> Counted:
        return pytest(run, "-v", "--durations", "20", "tests/integration/prove_killed.py")

    def tempest(run: Run) -> Counted:
        run("tests/lab/cloud/cloud", "up")
        try:
            return pytest(run, "-v", "tests/integration/openstack/prove_tempest.py")
        finally:
            run("tests/lab/cloud/cloud", "down")

    return {"prove-layouts": layouts, "prove-killed": killed, "prove-tempest": tempest}


def last() -> dict[str, Gate]:
    """What looks at what the others have left."""
    return {"nothing-left": nothing_left}


def nothing_left(run: Run) -> Counted:
    """The lab and its cloud are down, and nothing of them runs, is mounted or is attached."""
    run("tests/lab/lab", "down")
    lab = run.env.get("OPENRESCUE_LAB", "/run/openrescue-lab")
    seen = [line for argv in LISTS for line in subprocess.check_output(argv, text=True).splitlines()]
    left = [line for line in seen if f"{lab}/" in line or f"{lab}-cloud/" in line]
    if left:
        raise GateFailed("left behind:\n" + "\n".join(left))
    return Counted(len(seen), "processes and mounts")
