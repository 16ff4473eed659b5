# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compiles each of the collection's files once where they lie in an archive, as Ansible sends them to a host.

Python's zipimport compiles a source for its file's name and once more to run it
(U(https://github.com/python/cpython/issues/141276)), and most of the start of a module is the compiler. So every module
imports this first.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import importlib.machinery
import pkgutil
import sys
import typing as t
import zipimport

__all__ = ("PACKAGE", "Once")

PACKAGE = __name__.rpartition(".")[0]


class Once:
    """Finds the collection's files in an archive, and nothing else."""

    @staticmethod
    def find_spec(
        name: str, path: t.Sequence[str] | None = None, target: t.Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        del target
        for entry in path or () if name.startswith(f"{PACKAGE}.") else ():
            importer = pkgutil.get_importer(entry)
            if isinstance(importer, zipimport.zipimporter):
                return _spec(name, entry, importer)
        return None


def _spec(name: str, entry: str, importer: zipimport.zipimporter) -> importlib.machinery.ModuleSpec | None:
    try:
        package = importer.is_package(name)
    except zipimport.ZipImportError:
        return None
    file = f"{entry}/{name.rpartition('.')[2]}"
    spec = importlib.machinery.ModuleSpec(
        name, t.cast("t.Any", importer), origin=f"{file}/__init__.py" if package else f"{file}.py", is_package=package
    )
    spec.has_location = True
    if package:
        spec.submodule_search_locations = [file]
    return spec


sys.meta_path.insert(0, t.cast("t.Any", Once))
