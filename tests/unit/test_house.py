# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The house rules that no linter knows: who may import whom, and how long things may grow."""

from __future__ import annotations

import ast
import importlib
import pathlib
import re

import pytest

COLLECTION = "ansible_collections.openrescue.server."
ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = sorted(ROOT.glob("plugins/**/*.py"))

ROOMS = ("_server", "_libvirt", "_openstack", "_formats", "_patient", "_faults")
#: What each room of module_utils may import besides itself and the small files that all rooms use.
MAY_IMPORT = {
    "_server": set(),
    "_libvirt": {"_server"},
    "_openstack": {"_server"},
    "_formats": set(),
    "_patient": {"_formats"},
    "_faults": {"_formats", "_patient"},
}
#: The one place that knows the providers, and loads them only when they are asked for.
FACTORY = "module_utils._server.factory"

#: Ways to a path that a fault would have to take past the patient.
BY_ITSELF = {"glob", "io", "os", "pathlib", "shutil", "subprocess", "tempfile"}

MAX_FILE = 450
MAX_FUNCTION = 40
MAX_FAULT = 120

FAULTS = ROOT / "plugins/module_utils/_faults"
#: A fault is a file in its family's room. What several faults share stands in shared/ beside them.
FAULT_FILES = [path for path in SOURCES if path.parent.parent == FAULTS and path.parent.name != "engine"]


def name_of(path: pathlib.Path) -> str:
    """``plugins/module_utils/_faults/fstab/fstab.py`` is ``module_utils._faults.fstab.fstab``."""
    return ".".join(path.relative_to(ROOT / "plugins").with_suffix("").parts)


def imported(tree: ast.AST, name: str) -> set[str]:
    """Every module that the source names in an import, as ``module_utils._faults.fstab.fstab`` where it is ours."""
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
    found = imported(ast.parse(text), "module_utils._libvirt.provider")
    assert {"module_utils._patient.tree.Tree", "ansible.module_utils.basic.AnsibleModule", "libvirt"} <= found


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_dependencies_point_down(path: pathlib.Path) -> None:
    name = name_of(path)
    room = next((room for room in ROOMS if name.startswith(f"module_utils.{room}.")), None)
    if room is None or name == FACTORY:
        return
    below = imported(ast.parse(path.read_text(encoding="utf-8")), name)
    used = {other for other in ROOMS for item in below if f"{item}.".startswith(f"module_utils.{other}.")}
    wrong = used - MAY_IMPORT[room] - {room}
    assert not wrong, f"{room} imports {sorted(wrong)}"


def test_the_factory_loads_a_provider_only_when_it_is_asked_for() -> None:
    path = ROOT / "plugins" / (FACTORY.replace(".", "/") + ".py")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    early = imported(ast.Module([node for node in tree.body if not isinstance(node, ast.FunctionDef)], []), FACTORY)
    assert not {item for item in early for room in ("_libvirt", "_openstack") if f"_utils.{room}" in item}


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_errors_are_told_apart_by_class(path: pathlib.Path) -> None:
    """A code is for users: who compares it depends on a word that anybody may improve."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            compared = [side for side in sides if isinstance(side, ast.Attribute) and side.attr == "code"]
            assert not compared, f"line {node.lineno} compares an error's code"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_an_error_stays_as_it_was_made(path: pathlib.Path) -> None:
    """Who has caught it does not see any more where it came from, nor who else has it."""
    for handler in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(handler, ast.ExceptHandler):
            changed = [
                node.lineno
                for node in ast.walk(handler)
                if isinstance(node, ast.Attribute)
                and isinstance(node.ctx, ast.Store)
                and isinstance(node.value, ast.Name)
                and node.value.id == handler.name
            ]
            assert not changed, f"lines {changed} change an error that was raised: told_of() makes another one"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_nothing_is_called_by_a_built_name(path: pathlib.Path) -> None:
    """What is called by a name that is put together is found by no reader and by no tool."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
            assert not any(isinstance(argument, (ast.JoinedStr, ast.BinOp)) for argument in node.args), node.lineno


@pytest.mark.parametrize("path", [path for path in SOURCES if "_faults" in path.parts], ids=name_of)
def test_families_do_not_import_each_other(path: pathlib.Path) -> None:
    name = name_of(path)
    family = name.split(".")[2]
    if family in ("engine", "catalog", "model"):
        return
    below = imported(ast.parse(path.read_text(encoding="utf-8")), name)
    others = {item.split(".")[2] for item in below if item.startswith("module_utils._faults.")}
    assert others <= {family, "engine", "model"}


@pytest.mark.parametrize("path", FAULT_FILES, ids=name_of)
def test_a_fault_is_one_short_file_named_as_its_id(path: pathlib.Path) -> None:
    """So its declaration, its test and its breakage are found by the same name."""
    text = path.read_text(encoding="utf-8")
    fault = importlib.import_module(f"{COLLECTION}plugins.{name_of(path)}")
    assert path.stem.replace("_", "-") == fault.ID
    assert fault.__all__[0] == path.stem.upper()
    assert getattr(fault, fault.__all__[0]).id == fault.ID
    assert text.count("\n") <= MAX_FAULT, f"more than {MAX_FAULT} lines: what other faults could use belongs to shared/"
    others = {name_of(other) for other in FAULT_FILES} - {name_of(path)}
    assert not imported(ast.parse(text), name_of(path)) & others, "what two faults use belongs to shared/"


@pytest.mark.parametrize("path", FAULT_FILES, ids=name_of)
def test_a_fault_has_its_place_its_test_and_its_breakage(path: pathlib.Path) -> None:
    catalog = importlib.import_module(f"{COLLECTION}plugins.module_utils._faults.catalog")
    assert path.stem.replace("_", "-") in {fault.id for fault in catalog.FAULTS}, "give it its place in catalog.py"
    tests = ROOT / "tests/unit" / path.parent.relative_to(ROOT) / f"test_{path.name}"
    assert tests.exists(), f"it has no test in {tests.relative_to(ROOT)}"
    if (ROOT / "Makefile").exists():  # the artifact has no lab
        assert (ROOT / "tests/lab/breakages" / path.name).exists(), "no breakage in tests/lab/breakages has its name"


@pytest.mark.parametrize("path", [path for path in SOURCES if "_formats" in path.parts], ids=name_of)
def test_formats_are_pure(path: pathlib.Path) -> None:
    """Text to values and back: they open nothing and start nothing."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not {item.split(".")[0] for item in imported(tree, name_of(path))} & {*BY_ITSELF, "socket", "time"} - {"io"}


#: tests of whole rooms: the filters, and all faults of fstab over one table
OF_ROOMS = {"filter/test_filters.py", "_faults/fstab/test_distributions.py", "_faults/fstab/test_healthy.py"}


@pytest.mark.parametrize("test", sorted(ROOT.glob("tests/unit/plugins/**/test_*.py")), ids=lambda path: path.stem)
def test_a_test_is_called_as_what_it_tests(test: pathlib.Path) -> None:
    """So what tests a file is found by its name, and gone with it."""
    if any(str(test).endswith(name) for name in OF_ROOMS):
        return
    folder, name = ROOT / test.parent.relative_to(ROOT / "tests/unit"), test.name[len("test_") :]
    assert (folder / name).exists() or (folder / f"_{name}").exists()


def test_every_room_file_is_tested_by_units() -> None:
    named = set()
    for test in ROOT.glob("tests/unit/**/*.py"):
        found = imported(ast.parse(test.read_text(encoding="utf-8")), "tests.unit.x.y")
        named |= {item.removeprefix("ansible_collections.openrescue.server.plugins.") for item in found}
        # A provider's sessions are made by the provider, whose tests say by their names which part they are of.
        if test.name.startswith("test_") and test.is_relative_to(ROOT / "tests/unit/plugins"):
            named.add(name_of(ROOT / test.relative_to(ROOT / "tests/unit").with_name(test.name[len("test_") :])))
    missing = {name_of(path) for path in SOURCES if "module_utils" in path.parts} - named
    assert not missing, f"neither imported by a unit test nor named by one: {sorted(missing)}"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_only_modules_know_ansible_module(path: pathlib.Path) -> None:
    name = name_of(path)
    known = imported(ast.parse(path.read_text(encoding="utf-8")), name)
    assert name.startswith("modules.") or "ansible.module_utils.basic.AnsibleModule" not in known


#: A console's text is shown by these as it is, for its escapes say what is a row; all else of theirs is the provider's.
SHOW_CONSOLES = ("server_rescue", "server_rescue_info")
MODULES = [path for path in SOURCES if path.parent.name == "modules" and path.stem not in SHOW_CONSOLES]


def unsafe_exits(tree: ast.AST) -> list[int]:
    """Lines where a module ends with what has not passed through printable_result(), which a disk's names may need."""

    def is_safe(node: ast.AST) -> bool:
        return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "printable_result"

    nodes = list(ast.walk(tree))
    safe = {
        target.id
        for node in nodes
        if isinstance(node, ast.Assign) and is_safe(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    caught = {node.name for node in nodes if isinstance(node, ast.ExceptHandler) and node.name}
    exits = [
        node
        for node in nodes
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("exit_json", "fail_json")
    ]
    return [
        call.lineno
        for call in exits
        for given in call.keywords
        if (given.arg is None and not is_safe(given.value) and getattr(given.value, "id", "") not in safe)
        or (given.arg and any(isinstance(node, ast.Name) and node.id in caught for node in ast.walk(given.value)))
    ]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_ends_by_what_prints(path: pathlib.Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert unsafe_exits(tree) == []


@pytest.mark.parametrize(
    "text",
    [
        "module.exit_json(**result)",
        "result = run()\nmodule.exit_json(changed=True, **result)",
        "try:\n    run()\nexcept E as exc:\n    module.fail_json(msg=str(exc))",
    ],
)
def test_an_end_that_does_not_print_is_seen(text: str) -> None:
    assert unsafe_exits(ast.parse(text))
    assert not unsafe_exits(ast.parse("result = printable_result(run())\nmodule.exit_json(changed=True, **result)"))


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


def test_a_body_stands_below_its_def() -> None:
    """ansible-test of ansible-core 2.16 and 2.17 says E704 of one that does not, and ruff does not know that rule."""
    files = [*SOURCES, *ROOT.glob("tests/unit/**/*.py")]
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.body[0].lineno == node.lineno
    ]
    assert not found
