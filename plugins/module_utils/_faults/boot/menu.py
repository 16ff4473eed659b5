# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What GRUB would boot: its configuration and the boot loader specification's entries, read and never run.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import re
import shlex
import typing as t

from ..._errors import OpenRescueError

if t.TYPE_CHECKING:
    from ..._patient.patient import Kernel, Patient

__all__ = (
    "CONFIGS",
    "Menu",
    "MenuEntry",
    "default_entry",
    "default_kernel",
    "in_tree",
    "parse_bls",
    "parse_grub",
    "parse_grubenv",
    "read_menu",
    "require_boot",
)

CONFIGS = ("/boot/grub2/grub.cfg", "/boot/grub/grub.cfg")
ENTRIES = "/boot/loader/entries"
MAX_ENTRIES = 200
MAX_DEPTH = 32

_LOADS = re.compile(r"^(?:linux|linux16|linuxefi|multiboot2?|xen_hypervisor|chainloader|configfile)\s")


@dataclasses.dataclass
class MenuEntry:
    """A menu entry, or a submenu with its own."""

    title: str
    id: str
    submenu: bool = False
    linux: str = ""
    options: tuple[str, ...] = ()
    initrds: tuple[str, ...] = ()
    loads: bool = False
    children: list[MenuEntry] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Menu:
    """A parsed grub.cfg.

    :param complete: whether every block that is begun is also ended; a truncated file has one that is not.
    :param uses_bls: whether it takes its entries from the boot loader specification's directory.
    """

    entries: list[MenuEntry] = dataclasses.field(default_factory=list)
    default: str = "0"
    complete: bool = True
    uses_bls: bool = False

    def bootable(self) -> list[MenuEntry]:
        """Every entry at any depth that loads something."""
        return [entry for entry in _flat(self.entries) if entry.loads]


def _flat(entries: t.Iterable[MenuEntry]) -> t.Iterator[MenuEntry]:
    for entry in entries:
        yield entry
        yield from _flat(entry.children)


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line, comments=False)
    except ValueError:
        return line.split()


def parse_grub(text: str, env: t.Mapping[str, str] | None = None) -> Menu:
    """Read a grub.cfg as far as a menu needs it: entries, submenus, what they load, the default."""
    menu = Menu()
    blocks: list[MenuEntry | None] = []
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("#"):
            continue
        if re.match(r"^(?:menuentry|submenu)\s.*\{$", line) and len(blocks) < MAX_DEPTH:
            blocks.append(_begin(line, menu, blocks))
        elif re.match(r"^function\s.*\{$", line):
            blocks.append(None)
        elif line == "}":
            if blocks:
                blocks.pop()
        elif blocks and blocks[-1] is not None:
            _inside(line, blocks[-1])
        elif not blocks:
            _outside(line, menu, env or {})
    menu.complete = not blocks
    return menu


def _begin(line: str, menu: Menu, blocks: t.Sequence[MenuEntry | None]) -> MenuEntry:
    words = _words(line[:-1])
    wanted = next((index for index, word in enumerate(words) if word in ("--id", "$menuentry_id_option")), None)
    name = words[wanted + 1] if wanted is not None and wanted + 1 < len(words) else ""
    entry = MenuEntry(title=words[1] if len(words) > 1 else "", id=name, submenu=words[0] == "submenu")
    parent = blocks[-1] if blocks else None
    siblings = parent.children if parent else menu.entries
    if len(siblings) < MAX_ENTRIES:
        siblings.append(entry)
    return entry


def _inside(line: str, entry: MenuEntry) -> None:
    entry.loads = entry.loads or bool(_LOADS.match(line))
    words = line.split()
    if not words:
        return
    if words[0] in ("linux", "linux16", "linuxefi") and len(words) > 1:
        entry.linux, entry.options = words[1], tuple(words[2:])
    elif words[0] in ("initrd", "initrd16", "initrdefi"):
        entry.initrds = tuple(word for word in words[1:] if not word.startswith("$"))


def _outside(line: str, menu: Menu, env: t.Mapping[str, str]) -> None:
    if line == "blscfg":
        menu.uses_bls = True
    found = re.match(r"^set default=(.*)$", line)
    value = found.group(1).strip("\"'") if found else ""
    variable = re.fullmatch(r"\$\{?(\w+)\}?", value)
    if variable:
        value = env.get(variable.group(1), "")
    # `next_entry` counts for one boot only and comes first; the others overwrite each other.
    if value and not (variable and variable.group(1) == "next_entry"):
        menu.default = value


def parse_grubenv(text: str) -> dict[str, str]:
    """The environment block: ``name=value`` lines, filled up with ``#``."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {name: value for name, _sign, value in pairs}


def parse_bls(name: str, text: str) -> MenuEntry:
    """One entry of the boot loader specification; ``name`` is that of its file without ``.conf``."""
    fields: dict[str, list[str]] = {}
    for line in text.splitlines():
        words = line.split(None, 1)
        if len(words) == 2 and not line.startswith("#"):
            fields.setdefault(words[0], []).append(words[1].strip())
    linux = fields.get("linux", [""])[0]
    initrds = tuple(word for value in fields.get("initrd", []) for word in value.split() if not word.startswith("$"))
    return MenuEntry(
        title=fields.get("title", [""])[0],
        id=name,
        linux=linux,
        options=tuple(" ".join(fields.get("options", [])).split()),
        initrds=initrds,
        loads=bool(linux or fields.get("efi") or fields.get("uki")),
    )


def default_entry(menu: Menu) -> MenuEntry | None:
    """The entry that boots when nobody touches a key; GRUB takes the first if the named one is not there."""
    level, chosen = menu.entries, None
    for name in menu.default.split(">"):
        chosen = _named(level, name.strip())
        if chosen is None or not chosen.submenu:
            break
        level = chosen.children
    while chosen is None or chosen.submenu:
        level = chosen.children if chosen is not None else menu.entries
        if not level:
            return None
        chosen = level[0]
    return chosen


def _named(entries: t.Sequence[MenuEntry], name: str) -> MenuEntry | None:
    for entry in entries:
        if name in (entry.id, entry.title):
            return entry
    if name.isdigit() and int(name) < len(entries):
        return entries[int(name)]
    return None


def _version_key(name: str) -> list[tuple[int, int, str]]:
    """Order of versions, newest last, near enough to RPM's for kernels of one distribution."""
    return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in re.findall(r"\d+|[A-Za-z]+", name)]


def read_menu(patient: Patient) -> Menu | None:
    """The menu of the patient, its BLS entries included; None if it has no configuration with entries."""
    tree = patient.tree
    for path in (*CONFIGS, *tree.glob("/boot/efi/EFI/*/grub.cfg")):
        text = tree.read_text(path) if tree.is_file(path) else None
        env = tree.read_text(path.rsplit("/", 1)[0] + "/grubenv") if text else None
        menu = parse_grub(text or "", parse_grubenv(env or ""))
        if menu.uses_bls:
            names = sorted((path for path in tree.glob(f"{ENTRIES}/*.conf")), key=_version_key, reverse=True)
            menu.entries = [
                parse_bls(name.rsplit("/", 1)[1][: -len(".conf")], tree.read_text(name) or "")
                for name in names[:MAX_ENTRIES]
            ] + menu.entries
        if menu.bootable():
            return menu
    return None


def in_tree(patient: Patient, path: str) -> str:
    """Where a path of the boot loader, which starts at its own file system, is in the patient's tree."""
    path = re.sub(r"^\([^)]*\)", "", path)
    inner = "/" + path.lstrip("/").split("/", 1)[-1]
    candidates = [f"/boot{path}", path] if patient.boot is not None else [path, f"/boot{path}", inner]
    return next((one for one in candidates if patient.tree.exists(one)), candidates[0])


def default_kernel(patient: Patient, menu: Menu | None) -> tuple[Kernel | None, MenuEntry | None]:
    """The kernel that boots by default and its menu entry; the newest where no menu says."""
    entry = default_entry(menu) if menu else None
    if entry is not None and entry.linux:
        wanted = patient.tree.resolve(in_tree(patient, entry.linux))
        for kernel in patient.kernels:
            if wanted is not None and patient.tree.resolve(kernel.vmlinuz) == wanted:
                return kernel, entry
        return None, entry
    return (patient.kernels[0] if patient.kernels else None), None


def require_boot(patient: Patient) -> None:
    """Refuse to judge /boot where its file system is not mounted: all of it would seem to be missing."""
    text = patient.tree.read_text("/etc/fstab") or ""
    separate = re.search(r"^[ \t]*[^#\s]\S*[ \t]+/boot/?[ \t]+(?!none)", text, re.MULTILINE)
    if separate and patient.at("/boot") is None:
        raise OpenRescueError(
            "the file system of /boot is not mounted",
            code="boot_not_mounted",
            hint="Repair what is wrong with it first, then this is checked too",
        )
