# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The house rules that no linter knows: who may import whom, and how long things may grow."""

from __future__ import annotations

import ast
import pathlib
import re

import pytest

COLLECTION = "ansible_collections.openrescue.server."
ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = sorted(ROOT.glob("plugins/**/*.py"))

#: A layer, and the layers of module_utils that it may not import.
FORBIDDEN = {
    "module_utils._provider": {"module_utils._patient", "module_utils._faults"},
    "module_utils._faults": {"module_utils._provider"},
    "module_utils._patient": {"module_utils._provider", "module_utils._faults", "module_utils._rescue"},
    "module_utils._rescue": {"module_utils._provider", "module_utils._faults", "module_utils._patient"},
}

#: Ways to a path that a fault would have to take past the patient.
BY_ITSELF = {"glob", "io", "os", "pathlib", "shutil", "subprocess", "tempfile"}

MAX_FILE = 450
MAX_FUNCTION = 40


def name_of(path: pathlib.Path) -> str:
    """``plugins/module_utils/_faults/fstab.py`` is ``module_utils._faults.fstab``."""
    return ".".join(path.relative_to(ROOT / "plugins").with_suffix("").parts)


def imported(tree: ast.AST, name: str) -> set[str]:
    """Every module that the source names in an import, as ``module_utils._faults.fstab`` where it is ours."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(name.split(".")[: -node.level]) if node.level else ""
            module = ".".join(filter(None, (base, node.module)))
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return {item.replace(COLLECTION + "plugins.", "") for item in found}


def test_there_are_sources() -> None:
    assert len(SOURCES) > 10


def test_the_rules_see_what_they_look_for() -> None:
    text = "from .._patient.tree import Tree\nfrom ansible.module_utils.basic import AnsibleModule\nimport libvirt"
    found = imported(ast.parse(text), "module_utils._provider.libvirt")
    assert {"module_utils._patient.tree", "ansible.module_utils.basic.AnsibleModule", "libvirt"} <= found


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_dependencies_point_down(path: pathlib.Path) -> None:
    name = name_of(path)
    below = imported(ast.parse(path.read_text(encoding="utf-8")), name)
    for layer, forbidden in FORBIDDEN.items():
        if name.startswith(layer):
            wrong = {item for item in below for other in forbidden if item.startswith(other)}
            assert not wrong, f"{layer} imports {sorted(wrong)}"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_only_modules_know_ansible_module(path: pathlib.Path) -> None:
    name = name_of(path)
    known = imported(ast.parse(path.read_text(encoding="utf-8")), name)
    assert name.startswith("modules.") or "ansible.module_utils.basic.AnsibleModule" not in known


@pytest.mark.parametrize("path", [path for path in SOURCES if "_faults" in path.parts], ids=name_of)
def test_no_fault_opens_a_path_by_itself(path: pathlib.Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert not {item.split(".")[0] for item in imported(tree, name_of(path))} & BY_ITSELF
    assert "open" not in called


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_private_utils_say_so(path: pathlib.Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if not name_of(path).startswith("module_utils.") or not tree.body:
        return
    assert "**PRIVATE**" in (ast.get_docstring(tree) or ""), "say that it is private to the collection"
    names = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    assert "__all__" in names


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_nothing_is_too_long_to_read(path: pathlib.Path) -> None:
    text = path.read_text(encoding="utf-8")
    functions = [
        node for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    long = {
        node.name: lines for node in functions if (lines := (node.end_lineno or 0) - node.lineno + 1) > MAX_FUNCTION
    }
    assert not long, f"functions of more than {MAX_FUNCTION} lines: {long}"
    # What a module documents is a reference, not code: it is as long as it has to be.
    docs = re.sub(r'^(DOCUMENTATION|EXAMPLES|RETURN) = r""".*?^"""$', "", text, flags=re.MULTILINE | re.DOTALL)
    assert docs.count("\n") < MAX_FILE
