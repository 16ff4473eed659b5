# Copyright (c) 2026, The openrescue authors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the first program of the patient can start: it is there, and so is what it is linked to.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from ...._formats.elf import ElfProgram, read_elf
from ...engine.verdict import Answer
from .places import unmounted

if t.TYPE_CHECKING:
    from ...._formats.kernel_cmdline import CommandLine
    from ...._patient.patient import Patient

__all__ = ("init",)

DEFAULT = "/sbin/init"
MAX_NEEDED = 64
_LIBRARIES = ("/lib", "/usr/lib", "/lib64", "/usr/lib64")
_C_LIBRARY = re.compile(r"^(?:libc\.so\.\d+|libc\.musl-.+)$")


def init(patient: Patient, options: CommandLine | None) -> Answer:
    """The program that the kernel or the initramfs starts last."""
    if options is None or options.last("ostree"):
        # Without an entry nobody knows the program's name, and a deployment has a tree of its own.
        return Answer("unknown", "no entry says which program is started")
    path = options.last("init") or DEFAULT
    doubt = unmounted(patient, "/usr")
    if not path.startswith("/"):
        return Answer("unknown", f"init={path} is no path")
    found = patient.tree.stat(path)
    if found is None:
        return Answer("unknown" if doubt else "broken", f"{path} is not there {doubt}".rstrip())
    file = patient.tree.open(path)
    if file is None:
        return Answer("unknown", f"{path} cannot be opened")
    with file:
        head = file.read(256)
        program = read_elf(file)
    if not found.st_mode & 0o111:
        return Answer("broken", f"{path} is not executable")
    if program is None:
        return _script(patient, path, head)
    return _linked(patient, path, program, doubt)


def _script(patient: Patient, path: str, head: bytes) -> Answer:
    if not head.strip(b"\0"):
        return Answer("broken", f"{path} is empty")
    shebang = re.match(rb"#!\s*(/[^\s\0]+)", head)
    interpreter = shebang[1].decode("utf-8", "surrogateescape") if shebang else ""
    if interpreter and patient.tree.is_file(interpreter):
        return Answer("ok", f"{path}, a script of {interpreter}")
    return Answer("unknown", f"{path} is no program that is known")


def _linked(patient: Patient, path: str, program: ElfProgram, doubt: str) -> Answer:
    if program.interpreter and not patient.tree.is_file(program.interpreter):
        status: t.Literal["broken", "unknown"] = "unknown" if doubt else "broken"
        return Answer(status, f"{path} needs {program.interpreter}, which is not there")
    folders = _folders(patient, program)
    lacking = [name for name in program.needed[:MAX_NEEDED] if not _is_in(patient, name, folders)]
    library = next((name for name in lacking if _C_LIBRARY.match(name)), None)
    if library is not None and not patient.tree.glob("/etc/ld.so.conf.d/*"):
        return Answer("unknown" if doubt else "broken", f"{path} needs {library}, which is not there")
    if lacking:
        return Answer("unknown", f"{path} needs {', '.join(lacking)}, which was not found")
    return Answer("ok", f"{patient.tree.resolve(path)}, its interpreter and {len(program.needed)} libraries")


def _folders(patient: Patient, program: ElfProgram) -> list[str]:
    """Where the loader of programs looks, as far as its configuration is the usual one."""
    own = [folder for folder in program.run_path if folder.startswith("/")]
    multiarch = [path for base in ("/lib", "/usr/lib") for path in patient.tree.glob(f"{base}/*-linux-gnu*")]
    named = [
        line.strip()
        for file in patient.tree.glob("/etc/ld.so.conf.d/*.conf")[:64]
        for line in (patient.tree.read_text(file, limit=1 << 16) or "").splitlines()
        if line.startswith("/")
    ]
    return list(dict.fromkeys((*own, *multiarch, *_LIBRARIES, *named[:64])))


def _is_in(patient: Patient, name: str, folders: t.Sequence[str]) -> bool:
    return any(patient.tree.is_file(f"{folder}/{name}") for folder in folders)
