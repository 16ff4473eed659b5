# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""This checkout: a copy of it, its lab's commands, and the environment in which its gates run."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]


def copy_to(directory: pathlib.Path) -> pathlib.Path:
    """A copy of what git tracks or would track, at ``…/ansible_collections/openrescue/server``."""
    copy = directory / "ansible_collections/openrescue/server"
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=CHECKOUT, check=True, stdout=subprocess.PIPE, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (CHECKOUT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, copy / name)
    return copy


def lab(*words: str) -> str:
    """What one of the lab's own commands prints."""
    command = [str(CHECKOUT / "tests/lab" / words[0]), *words[1:]]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def environment(*, root: str) -> dict[str, str]:
    """The caller's environment, less what would change a verdict, with the lab's tools first."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "PYTEST_", "MOLECULE_"))}
    return {
        **kept,
        # Shims of version managers look like Pythons to ansible-test and do not run.
        "PATH": f"{pathlib.Path(sys.prefix, 'bin')}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "VIRTUAL_ENV": sys.prefix,
        "PYTHONPATH": root,
        "ANSIBLE_COLLECTIONS_PATH": root,
        "NO_COLOR": "1",
        "LC_ALL": "C.UTF-8",
    }
