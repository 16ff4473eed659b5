# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The matrix: the collection under every ansible-core that it claims, and its disk modules under the oldest Python.

A row is a gate. What this machine has not, a Python or a release, is named and never counted; what was tried must have
tested something in each column.
"""

from __future__ import annotations

import dataclasses
import pathlib
import re
import tempfile

from checkout import copy_to
from runner import Counted, Gate, GateFailed, NotTried, Run
from tools import pytest, sanity


@dataclasses.dataclass(frozen=True)
class Core:
    """An ansible-core and the Pythons that may run it, the first choice first: between them the rows take each."""

    name: str
    pythons: tuple[str, ...]


CORES = (
    Core("2.16", ("3.10", "3.12", "3.11")),
    Core("2.17", ("3.12", "3.11", "3.10")),
    Core("2.18", ("3.13", "3.12", "3.11")),
    Core("2.19", ("3.11", "3.12", "3.13")),
    Core("2.20", ("3.12", "3.13", "3.14")),
    Core("2.21", ("3.14", "3.13", "3.12")),
)
OLDEST = "3.9"
#: What ansible-test compiles and imports what we ship with, as far as they are there.
PYTHONS = (OLDEST, "3.10", "3.11", "3.12", "3.13", "3.14")

HEADS = ("core", "Python", "sanity", "units", "on real disks")
NO_RELEASE = re.compile(r"there (is|are) no versions? of ansible(-core)?\b")
#: What runs on the servers, and not on the controller.
ON_SERVERS = ("tests/unit/plugins/modules", "tests/unit/plugins/module_utils")


class Matrix:
    """All rows, and what each has shown so far."""

    def __init__(self, cache: pathlib.Path) -> None:
        self.rows: list[tuple[str, ...]] = []
        self._cache = cache
        self._missing: list[str] = []
        self._pythons: dict[str, str] = {}

    def gates(self) -> dict[str, Gate]:
        """A gate for each row."""
        rows: dict[str, Gate] = {f"matrix-{core.name}": self._row(core) for core in CORES}
        return {**rows, f"matrix-python-{OLDEST}": self._oldest_python}

    def table(self) -> str:
        """Every row that was tried to its end, then what could not be tried."""
        widths = [max(map(len, column)) for column in zip(HEADS, *self.rows)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in (HEADS, *self.rows)]
        return "\n".join(["", *lines, *(f"not tried: {what}" for what in self._missing)])

    def _row(self, core: Core) -> Gate:
        def row(run: Run) -> Counted:
            python = self._first(run, core.pythons, need=f"ansible-core {core.name}")
            versions, env = self._environment(run, f"core-{core.name}", python)
            if not versions[0].startswith(f"{core.name}."):
                raise GateFailed(f"the environment has ansible-core {versions[0]}")
            with tempfile.TemporaryDirectory(prefix="openrescue-matrix-") as scratch:
                copy = run.elsewhere(copy_to(pathlib.Path(scratch)), {**env, **_imported_from(scratch)})
                units = pytest(copy, "-q", "-n", "2", "tests/unit")
                shipped = sanity(copy, self._cache)
            recovery = pytest(run.elsewhere(run.cwd, env), "-v", "-s", "tests/integration/prove_core.py")
            seconds = re.findall(r"recovered in ([\d.]+) s", "".join(run.output))
            shown = f"recovered in {seconds[-1]} s" if recovery.passed and seconds else "NOT recovered"
            return self._shown(versions, (shipped, units, recovery), shown)

        return row

    def _oldest_python(self, run: Run) -> Counted:
        python = self._first(run, (OLDEST,), need="the disk modules")
        versions, env = self._environment(run, f"python-{OLDEST}", python)
        with tempfile.TemporaryDirectory(prefix="openrescue-matrix-") as scratch:
            copy = run.elsewhere(copy_to(pathlib.Path(scratch)), {**env, **_imported_from(scratch)})
            units = pytest(copy, "-q", "-n", "2", *ON_SERVERS)
        disks = pytest(run.elsewhere(run.cwd, env), "-v", "tests/integration/disk_host")
        return self._shown(("none", versions[1]), (None, units, disks), f"{disks.passed} tests")

    def _shown(self, versions: tuple[str, ...], counts: tuple[Counted | None, ...], disks: str) -> Counted:
        there = [counted for counted in counts if counted]
        if not all(counted.passed for counted in there):
            raise GateFailed("one of its columns has tested nothing")
        shipped, units = (f"{counted.passed} passed" if counted else "-" for counted in counts[:2])
        passed, failed = (sum(getattr(counted, what) for counted in there) for what in ("passed", "failed"))
        self.rows.append((*versions, shipped, units, disks))
        return Counted(passed + failed, "tests", passed=passed, failed=failed)

    def _first(self, run: Run, wanted: tuple[str, ...], *, need: str) -> str:
        for version in wanted:
            if self._python(run, version):
                return version
            self._missing.append(f"{need} with Python {version}, which this machine has not")
        raise NotTried(f"not tried: no Python {' or '.join(wanted)} here")

    def _python(self, run: Run, version: str) -> str:
        if version not in self._pythons:
            code, text = run.status("tests/lab/venv", "python", version)
            self._pythons[version] = "" if code else text.splitlines()[-1]
        return self._pythons[version]

    def _environment(self, run: Run, name: str, python: str) -> tuple[tuple[str, ...], dict[str, str]]:
        """The versions of ansible-core and Python in that environment, and what makes commands run in it."""
        code, text = run.status("tests/lab/venv", "path", name, python)
        if code and NO_RELEASE.search(text):
            self._missing.append(f"{name}, of which no such release is to be had")
            raise NotTried("not tried: no such release is to be had")
        if code:
            raise GateFailed("its environment cannot be made")
        bins = pathlib.Path(text.splitlines()[-1], "bin")
        others = [self._python(run, version) for version in PYTHONS]
        places = [
            str(bins),
            *run.env["PATH"].split(":")[1:],
            *(str(pathlib.Path(path).parent) for path in others if path),
        ]
        env = {"PATH": ":".join(dict.fromkeys(places)), "VIRTUAL_ENV": str(bins.parent)}
        asked = "import platform, ansible.release; print(ansible.release.__version__, platform.python_version())"
        return tuple(run(str(bins / "python"), "-c", asked).split()), env


def _imported_from(root: str) -> dict[str, str]:
    return {"PYTHONPATH": root, "ANSIBLE_COLLECTIONS_PATH": root}
