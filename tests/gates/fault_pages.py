# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pages that are made from the declarations of the faults: one for each, an index, and the table of the README.

``make docs`` writes them; ``test_fault_pages.py`` fails where one is not what would be written.
"""

from __future__ import annotations

import pathlib
import sys
import textwrap
import typing as t

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/unit/plugins/module_utils"))

from _faults.engine.test_console import LINES, RECORDED, recorded  # noqa: E402  (the path above comes first)
from ansible_collections.openrescue.server.plugins.module_utils._faults.catalog import FAULTS  # noqa: E402
from ansible_collections.openrescue.server.plugins.module_utils._faults.engine.console import clean  # noqa: E402
from ansible_collections.openrescue.server.plugins.module_utils._faults.model import Fault, Words  # noqa: E402

__all__ = ("pages", "write")

WIDTH = 118
#: Lines of a console that one page shows.
MOST_LINES = 8
LABEL = "ansible_collections.openrescue.server.docsite"
PLAYBOOK = "ansible-playbook -i servers.yml openrescue.server"
PAGES = "https://github.com/openrescue/ansible-collection-server/blob/main/docs/docsite/rst/faults"
SOURCES = "plugins/module_utils/_faults"
HEADER = f"""..
  Copyright (c) 2026, The openrescue authors
  GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
  SPDX-License-Identifier: GPL-3.0-or-later

..
  Made by "make docs" from {SOURCES}: change the words there.
"""
BEGIN = '<!-- Made by "make docs": change the titles in plugins/module_utils/_faults. -->\n'
END = "<!-- End of what is made. -->\n"

UNDO = {
    "tree": """
        What was there before is kept in an undo bundle, on the server's own disk too as far as there is room, so that
        the repair can be taken back in any later rescue. A file that was changed since is left as it is.
        """,
    "device": """
        The old blocks are kept in an undo bundle on the rescue system. They can be put back as long as nothing else
        was written to the device: until the server's own system boots again, or the rescue ends.
        """,
}


def pages() -> dict[pathlib.Path, str]:
    """What belongs into each file, by its path in the checkout."""
    made = {pathlib.Path("docs/docsite/rst/faults.rst"): _index()}
    made |= {pathlib.Path(f"docs/docsite/rst/faults/{fault.id}.rst"): _page(fault) for fault in FAULTS}
    readme = pathlib.Path("README.md")
    return made | {readme: _readme((ROOT / readme).read_text(encoding="utf-8"))}


def write() -> None:
    made = pages()
    for path in (ROOT / "docs/docsite/rst/faults").glob("*.rst"):
        if path.relative_to(ROOT) not in made:
            path.unlink()
    for path, text in made.items():
        (ROOT / path).parent.mkdir(exist_ok=True)
        (ROOT / path).write_text(text, encoding="utf-8")


def _page(fault: Fault) -> str:
    words = _words_of(fault)
    return "\n".join(
        (
            HEADER,
            f".. _{LABEL}.faults.{fault.id}:\n",
            _title(fault.id, "="),
            _paragraph(f"{fault.title}. {words.meaning}"),
            _title("What the server does", "-"),
            _paragraph(words.effect),
            _console(fault),
            _title("How it is found", "-"),
            _paragraph(words.detection),
            _paragraph(_stage(fault)),
            _title("Where it is looked for", "-"),
            _paragraph(words.scope),
            *(_remedy(fault) if fault.repair else _without(fault)),
        )
    )


def _words_of(fault: Fault) -> Words:
    if fault.words is None:
        raise AssertionError(f"{fault.id} has no words")
    return fault.words


def _console(fault: Fault) -> str:
    lines = _console_lines(fault)
    if not lines:
        return _paragraph("No line of a console points to this fault and to no other, so triage does not name it.")
    intro = (
        "Triage names it, before the server is touched, where the console says something like this. That is a hint: "
        "what is wrong is seen on the disk."
    )
    return f"{_paragraph(intro)}\n{_literal('text', lines)}"


def _console_lines(fault: Fault) -> list[str]:
    """For each signature a line that it matches: of the lab's guest where there is one, else from the tests' table."""
    names = [name for name, (_boot, fault_id) in RECORDED.items() if fault_id == fault.id]
    own = [line.text for name in sorted(names, key=lambda name: name != fault.id) for line in clean(recorded(name))]
    known = [*own, *(line for line, fault_id in LINES if fault_id == fault.id)]
    found = [next((line for line in known if one.search(line)), "") for one in fault.signatures]
    return list(dict.fromkeys(line.strip() for line in found if line))[:MOST_LINES]


def _stage(fault: Fault) -> str:
    module = ":ansplugin:`openrescue.server.disk_diagnose#module`"
    where = {"tree": "in the mounted tree", "device": "on the devices, before anything is mounted"}[fault.stage]
    tools = f" The rescue system needs {_listed([f'``{tool}``' for tool in fault.tools])}." if fault.tools else ""
    return f"{module} looks for it {where}, and changes not one bit on the disks.{tools}"


def _remedy(fault: Fault) -> tuple[str, ...]:
    words = _words_of(fault)
    alone = (
        "To repair this fault and nothing else, name it. Its remedy is then applied where it is not marked safe, too. "
        "On a server that is rescued already, ``--check --diff`` shows the change without making it."
    )
    command = f"$ {PLAYBOOK}.recover -e rescue_hosts=web1 -e repair_faults={fault.id}"
    undo = f"$ {PLAYBOOK}.undo -e rescue_hosts=web1 -e undo=20260702T090102Z-0badcafe"
    return (
        _title("The remedy", "-"),
        _paragraph(words.remedy),
        _paragraph(alone),
        _literal("console", [command]),
        _title("Whether it is safe", "-"),
        _paragraph(words.safety),
        _title("Taking it back", "-"),
        _paragraph(words.undo or UNDO[fault.stage]),
        *(() if words.undo else (_literal("console", [undo]),) if fault.stage == "tree" else ()),
        *((_paragraph(_in_this_rescue()),) if words.undo or fault.stage == "device" else ()),
    )


def _in_this_rescue() -> str:
    return (
        "So keep the server rescued with ``recover_keep_rescued=true``, and look at what was done. Then run the "
        "playbook ``openrescue.server.undo``, which takes it back and unrescues the server, or "
        "``openrescue.server.unrescue``, which leaves it as it is."
    )


def _without(fault: Fault) -> tuple[str, ...]:
    text = (
        "There is none: what may go is for a person to decide. Set ``recover_keep_rescued=true`` to stay in the rescue "
        "system, or bring a fix of your own as ``recover_tasks``."
    )
    return (_title("The remedy", "-"), _paragraph(text))


def _index() -> str:
    intro = """
        These are the faults that :ansplugin:`openrescue.server.disk_diagnose#module` knows, in the order in which
        :ansplugin:`openrescue.server.disk_repair#module` repairs them: what others stand on comes first. *Safe* is a
        remedy that is applied without being asked for, where its finding is certain; the page of the fault says where
        it is not. The same list comes from the module itself:
        """
    command = "$ ansible localhost -m openrescue.server.disk_diagnose -a list_faults=true"
    rows = [
        f"  * - :ref:`{fault.id} <{LABEL}.faults.{fault.id}>`\n    - {fault.title}\n    - {_how(fault)}"
        for fault in FAULTS
    ]
    table = (
        ".. list-table::\n  :header-rows: 1\n  :widths: 30 55 15\n\n  * - Fault\n    - What is wrong\n    - Remedy\n"
    )
    tree = ".. toctree::\n  :hidden:\n\n" + "".join(f"  faults/{fault.id}\n" for fault in FAULTS)
    return "\n".join(
        (
            HEADER,
            f".. _{LABEL}.faults:\n",
            _title("Faults and their remedies", "="),
            _paragraph(intro),
            _literal("console", [command]),
            table + "\n".join(rows) + "\n",
            tree,
        )
    )


def _how(fault: Fault) -> str:
    return "none" if fault.repair is None else "safe" if fault.safe else "where it is named"


def _readme(text: str) -> str:
    """The README with its table written anew."""
    before, found, rest = text.partition(BEGIN)
    _old, ended, after = rest.partition(END)
    if not found or not ended:
        raise AssertionError(f"the README lacks {BEGIN if not found else END}")
    rows = [f"| [`{fault.id}`]({PAGES}/{fault.id}.rst) | {fault.title} | {_how(fault)} |\n" for fault in FAULTS]
    return f"{before}{BEGIN}\n| fault | what is wrong | remedy |\n|---|---|---|\n{''.join(rows)}\n{END}{after}"


def _title(text: str, line: str) -> str:
    return f"{text}\n{line * len(text)}\n"


def _paragraph(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), WIDTH, break_long_words=False, break_on_hyphens=False) + "\n"


def _literal(language: str, lines: t.Sequence[str]) -> str:
    return f".. code-block:: {language}\n\n" + "".join(f"    {line}\n" for line in lines)


def _listed(words: t.Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


if __name__ == "__main__":
    write()
