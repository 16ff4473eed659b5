# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes the checkout importable as a collection when pytest is started by hand."""

from __future__ import annotations

import importlib.util
import pathlib
import subprocess
import sys


def pytest_configure() -> None:
    if importlib.util.find_spec("ansible_collections") and importlib.util.find_spec("ansible_collections.openrescue"):
        return
    venv = pathlib.Path(__file__).resolve().parents[1] / "lab" / "venv"
    tree = subprocess.run([str(venv), "tree"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    sys.path.insert(0, tree)
