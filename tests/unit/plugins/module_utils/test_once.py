# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""In a process that imports from an archive, as a module does that Ansible has sent."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import zipfile

import pytest
from ansible_collections.openrescue.server.plugins.module_utils._once import PACKAGE

ROOT = pathlib.Path(__file__).resolve().parents[4]
IMPORT = f"""
import collections, json, sys
sys.dont_write_bytecode = True
compiled = collections.Counter()
sys.addaudithook(lambda event, given: compiled.update([str(given[1])] if event == "compile" else []))
sys.path.insert(0, sys.argv[1])
from {PACKAGE} import _once
compiled.clear()
from {PACKAGE}._faults import catalog
import {PACKAGE}._faults.boot
print(json.dumps([compiled, catalog.__file__, catalog.__package__, {PACKAGE}._faults.boot.__path__]))
"""


@pytest.fixture(params=["archive", "directory"])
def place(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> pathlib.Path:
    """Where the collection's files can be imported from."""
    archive = tmp_path / "AnsiballZ.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for source in sorted((ROOT / "plugins/module_utils").rglob("*.py")):
            file.write(source, f"{PACKAGE.replace('.', '/')}/{source.relative_to(ROOT / 'plugins/module_utils')}")
        packages = {folder for name in file.namelist() for folder in pathlib.PurePath(name).parents}
        for folder in sorted(packages - {pathlib.PurePath()}):
            if f"{folder}/__init__.py" not in file.namelist():
                file.writestr(f"{folder}/__init__.py", "")
    if request.param == "archive":
        return archive
    with zipfile.ZipFile(archive) as file:
        file.extractall(tmp_path / "unpacked")
    return tmp_path / "unpacked"


def test_each_file_is_compiled_once(place: pathlib.Path) -> None:
    command = [sys.executable, "-c", IMPORT, str(place)]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd="/").stdout
    compiled, file, package, folder = json.loads(said)
    room = f"{place}/{PACKAGE.replace('.', '/')}/_faults"
    ours = {name: times for name, times in compiled.items() if name.startswith(str(place))}
    assert len(ours) > 50
    assert set(ours.values()) == {1}
    assert (file, package, folder) == (f"{room}/catalog.py", f"{PACKAGE}._faults", [f"{room}/boot"])
